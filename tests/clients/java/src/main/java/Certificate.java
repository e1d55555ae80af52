import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.MessageDigest;
import java.security.PrivateKey;
import java.security.Signature;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.spec.PKCS8EncodedKeySpec;
import java.time.Instant;
import java.util.Base64;
import java.util.UUID;

/** An app's certificate and its key. */
record Certificate(X509Certificate certificate, PrivateKey key) {
    private static final Base64.Encoder BASE64URL = Base64.getUrlEncoder().withoutPadding();

    /** That of the app that has one. */
    static Certificate read() throws IOException, GeneralSecurityException {
        String[] parts = Files.readString(Path.of(Connection.env("PRESENCED_CERTIFICATE_FILE"))).split("(?=-----BEGIN CERTIFICATE)");
        String key = parts[0].replaceAll("-----[A-Z ]+-----", "");
        return new Certificate(
                (X509Certificate) CertificateFactory.getInstance("X.509")
                        .generateCertificate(new ByteArrayInputStream(parts[1].getBytes(StandardCharsets.US_ASCII))),
                KeyFactory.getInstance("RSA")
                        .generatePrivate(new PKCS8EncodedKeySpec(Base64.getMimeDecoder().decode(key))));
    }

    /** An assertion as a workload that has a key makes it. */
    String assertion(String clientId, String audience) {
        try {
            byte[] thumbprint = MessageDigest.getInstance("SHA-1").digest(certificate.getEncoded());
            long now = Instant.now().getEpochSecond();
            String signed = encode("{\"alg\":\"RS256\",\"typ\":\"JWT\",\"x5t\":\"" + BASE64URL.encodeToString(thumbprint) + "\"}")
                    + "."
                    + encode(String.format(
                            "{\"iss\":\"%1$s\",\"sub\":\"%1$s\",\"aud\":\"%2$s\",\"iat\":%3$d,\"nbf\":%3$d,\"exp\":%4$d,\"jti\":\"%5$s\"}",
                            clientId, audience, now, now + 600, UUID.randomUUID()));
            Signature signature = Signature.getInstance("SHA256withRSA");
            signature.initSign(key);
            signature.update(signed.getBytes(StandardCharsets.US_ASCII));
            return signed + "." + BASE64URL.encodeToString(signature.sign());
        } catch (GeneralSecurityException error) {
            throw new IllegalStateException(error);
        }
    }

    private static String encode(String text) {
        return BASE64URL.encodeToString(text.getBytes(StandardCharsets.UTF_8));
    }
}
