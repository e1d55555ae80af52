import com.google.gson.Gson;
import com.microsoft.graph.core.models.DecryptableContent;
import com.microsoft.graph.core.models.EncryptedContentBearer;
import com.microsoft.graph.core.models.TokenValidable;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyFactory;
import java.security.PrivateKey;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.List;
import java.util.UUID;

/**
 * Receives one collection of change notifications: decrypts every item and validates the tokens, both with Microsoft's
 * helpers. Prints one line of content for each item, then {@code tokens valid}; ends with 1 if the tokens are not valid,
 * and with an exception if anything else is wrong.
 *
 * <p>Arguments: the collection (JSON file), the private key (PKCS8, DER), the address of the signing keys, tenant id, app
 * id, and the certificate id and thumbprint that belong to the private key.
 */
public final class Receiver {
    public static void main(String[] arguments) throws Exception {
        Notifications collection = new Gson().fromJson(Files.readString(Path.of(arguments[0])), Notifications.class);
        PrivateKey key = KeyFactory.getInstance("RSA")
                .generatePrivate(new PKCS8EncodedKeySpec(Files.readAllBytes(Path.of(arguments[1]))));
        DecryptableContent.CertificateKeyProvider keys = (id, thumbprint) -> {
            if (!arguments[5].equals(id) || !arguments[6].equals(thumbprint)) {
                throw new IllegalStateException("No key for certificate " + id + " " + thumbprint);
            }
            return key;
        };
        PrintStream output = new PrintStream(System.out, true, StandardCharsets.UTF_8);
        for (Notification notification : collection.value) {
            output.println(DecryptableContent.decryptAsString(notification.encryptedContent, keys));
        }
        boolean valid = TokenValidable.areTokensValid(
                collection, List.of(UUID.fromString(arguments[3])), List.of(UUID.fromString(arguments[4])), arguments[2]);
        output.println(valid ? "tokens valid" : "tokens not valid");
        System.exit(valid ? 0 : 1);
    }

    /** changeNotificationCollection. */
    static final class Notifications implements TokenValidable<Content, Notification> {
        private List<Notification> value;
        private List<String> validationTokens;

        @Override
        public void setValidationTokens(List<String> tokens) {
            validationTokens = tokens;
        }

        @Override
        public List<String> getValidationTokens() {
            return validationTokens;
        }

        @Override
        public void setValue(List<Notification> notifications) {
            value = notifications;
        }

        @Override
        public List<Notification> getValue() {
            return value;
        }
    }

    /** changeNotification. */
    static final class Notification implements EncryptedContentBearer<Content> {
        private Content encryptedContent;

        @Override
        public void setEncryptedContent(Content content) {
            encryptedContent = content;
        }

        @Override
        public Content getEncryptedContent() {
            return encryptedContent;
        }
    }

    /** changeNotificationEncryptedContent. */
    static final class Content implements DecryptableContent {
        private String data;
        private String dataKey;
        private String dataSignature;
        private String encryptionCertificateId;
        private String encryptionCertificateThumbprint;

        @Override
        public void setData(String text) {
            data = text;
        }

        @Override
        public String getData() {
            return data;
        }

        @Override
        public void setDataKey(String text) {
            dataKey = text;
        }

        @Override
        public String getDataKey() {
            return dataKey;
        }

        @Override
        public void setDataSignature(String text) {
            dataSignature = text;
        }

        @Override
        public String getDataSignature() {
            return dataSignature;
        }

        @Override
        public void setEncryptionCertificateId(String text) {
            encryptionCertificateId = text;
        }

        @Override
        public String getEncryptionCertificateId() {
            return encryptionCertificateId;
        }

        @Override
        public void setEncryptionCertificateThumbprint(String text) {
            encryptionCertificateThumbprint = text;
        }

        @Override
        public String getEncryptionCertificateThumbprint() {
            return encryptionCertificateThumbprint;
        }
    }
}
