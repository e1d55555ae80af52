import com.azure.core.credential.TokenCredential;
import com.azure.core.credential.TokenRequestContext;
import com.azure.identity.AadCredentialBuilderBase;
import com.azure.identity.AuthorizationCodeCredentialBuilder;
import com.azure.identity.ClientAssertionCredentialBuilder;
import com.azure.identity.ClientCertificateCredentialBuilder;
import com.azure.identity.ClientSecretCredentialBuilder;
import com.azure.identity.DeviceCodeCredentialBuilder;
import com.azure.identity.OnBehalfOfCredentialBuilder;
import com.azure.identity.UsernamePasswordCredentialBuilder;
import com.microsoft.aad.msal4j.AuthorizationCodeParameters;
import com.microsoft.aad.msal4j.AuthorizationRequestUrlParameters;
import com.microsoft.aad.msal4j.ClientCredentialFactory;
import com.microsoft.aad.msal4j.ClientCredentialParameters;
import com.microsoft.aad.msal4j.ConfidentialClientApplication;
import com.microsoft.aad.msal4j.DeviceCodeFlowParameters;
import com.microsoft.aad.msal4j.IAuthenticationResult;
import com.microsoft.aad.msal4j.IClientCredential;
import com.microsoft.aad.msal4j.OnBehalfOfParameters;
import com.microsoft.aad.msal4j.PublicClientApplication;
import com.microsoft.aad.msal4j.RefreshTokenParameters;
import com.microsoft.aad.msal4j.UserAssertion;
import com.microsoft.aad.msal4j.UserNamePasswordParameters;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** All grants that azure-identity and msal4j offer without a browser. */
final class SignIn {
    private static final String READ_PRESENCE = "https://graph.microsoft.com/Presence.Read.All";

    static Map<String, Check> all() {
        Map<String, Check> checks = new LinkedHashMap<>();
        checks.put("azure-identity-java/sign-in-client-secret", SignIn::azureSecret);
        checks.put("azure-identity-java/sign-in-client-certificate", SignIn::azureCertificate);
        checks.put("azure-identity-java/sign-in-client-assertion", SignIn::azureAssertion);
        checks.put("azure-identity-java/sign-in-device-code", SignIn::azureDeviceCode);
        checks.put("azure-identity-java/sign-in-authorization-code", SignIn::azureCode);
        checks.put("azure-identity-java/sign-in-on-behalf-of", SignIn::azureOnBehalfOf);
        checks.put("azure-identity-java/sign-in-username-password", SignIn::azurePassword);
        checks.put("msal4j/sign-in-client-secret", SignIn::msalSecret);
        checks.put("msal4j/sign-in-client-certificate", SignIn::msalCertificate);
        checks.put("msal4j/sign-in-client-assertion", SignIn::msalAssertion);
        checks.put("msal4j/sign-in-device-code", SignIn::msalDeviceCode);
        checks.put("msal4j/sign-in-authorization-code", SignIn::msalCode);
        checks.put("msal4j/sign-in-authorization-code-pkce", SignIn::msalCodeOfProgram);
        checks.put("msal4j/sign-in-on-behalf-of", SignIn::msalOnBehalfOf);
        checks.put("msal4j/sign-in-refresh-token", SignIn::msalRefresh);
        checks.put("msal4j/sign-in-username-password", SignIn::msalPassword);
        return checks;
    }

    private static String env(String name) {
        return Connection.env(name);
    }

    // azure-identity

    private static <B extends AadCredentialBuilderBase<B>> B here(B builder, String clientId) {
        return builder.authorityHost(env("AZURE_AUTHORITY_HOST"))
                .tenantId(env("AZURE_TENANT_ID"))
                .clientId(clientId)
                .disableInstanceDiscovery();
    }

    private static String token(TokenCredential credential, String scope) {
        return credential.getTokenSync(new TokenRequestContext().addScopes(scope)).getToken();
    }

    private static void azureSecret() {
        var builder = here(new ClientSecretCredentialBuilder(), env("AZURE_CLIENT_ID"));
        Connection.works(token(builder.clientSecret(env("AZURE_CLIENT_SECRET")).build(), Connection.SCOPE));
    }

    private static void azureCertificate() {
        var builder = here(new ClientCertificateCredentialBuilder(), env("PRESENCED_CERTIFICATE_CLIENT_ID"));
        Connection.works(token(builder.pemCertificate(env("PRESENCED_CERTIFICATE_FILE")).build(), Connection.SCOPE));
    }

    private static void azureAssertion() throws Exception {
        String assertion = assertion();
        var builder = here(new ClientAssertionCredentialBuilder(), env("PRESENCED_CERTIFICATE_CLIENT_ID"));
        Connection.works(token(builder.clientAssertion(() -> assertion).build(), Connection.SCOPE));
    }

    private static void azureDeviceCode() {
        var credential = here(new DeviceCodeCredentialBuilder(), env("PRESENCED_DELEGATED_CLIENT_ID"))
                .challengeConsumer(code -> new Browser().enterCode(code.getVerificationUrl(), code.getUserCode()))
                .build();
        Connection.works(token(credential, READ_PRESENCE));
    }

    private static void azureCode() throws Exception {
        var app = site();
        var asked = AuthorizationRequestUrlParameters.builder(env("PRESENCED_SITE_REDIRECT_URI"), Set.of(Connection.SCOPE));
        String code = new Browser().signIn(app.getAuthorizationRequestUrl(asked.build()).toString());
        var credential = here(new AuthorizationCodeCredentialBuilder(), env("PRESENCED_SITE_CLIENT_ID"))
                .clientSecret(env("PRESENCED_SITE_CLIENT_SECRET"))
                .authorizationCode(code)
                .redirectUrl(env("PRESENCED_SITE_REDIRECT_URI"))
                .build();
        Connection.works(token(credential, Connection.SCOPE));
    }

    private static void azureOnBehalfOf() throws Exception {
        var credential = here(new OnBehalfOfCredentialBuilder(), env("PRESENCED_SITE_CLIENT_ID"))
                .clientSecret(env("PRESENCED_SITE_CLIENT_SECRET"))
                .userAssertion(forSite())
                .build();
        Connection.works(token(credential, Connection.SCOPE));
    }

    @SuppressWarnings("deprecation") // but offered
    private static void azurePassword() {
        var credential = here(new UsernamePasswordCredentialBuilder(), env("PRESENCED_DELEGATED_CLIENT_ID"))
                .username(env("PRESENCED_USER"))
                .password(env("PRESENCED_PASSWORD"))
                .build();
        Connection.works(token(credential, READ_PRESENCE));
    }

    // msal4j

    private static String authority() {
        return env("AZURE_AUTHORITY_HOST").replaceAll("/$", "") + "/" + env("AZURE_TENANT_ID");
    }

    private static ConfidentialClientApplication confidential(String id, IClientCredential credential) throws Exception {
        return ConfidentialClientApplication.builder(id, credential)
                .authority(authority())
                .instanceDiscovery(false)
                .build();
    }

    private static ConfidentialClientApplication site() throws Exception {
        var secret = ClientCredentialFactory.createFromSecret(env("PRESENCED_SITE_CLIENT_SECRET"));
        return confidential(env("PRESENCED_SITE_CLIENT_ID"), secret);
    }

    private static PublicClientApplication program() throws Exception {
        return PublicClientApplication.builder(env("PRESENCED_DELEGATED_CLIENT_ID"))
                .authority(authority())
                .instanceDiscovery(false)
                .build();
    }

    private static String byItself(ConfidentialClientApplication app) throws Exception {
        return app.acquireToken(ClientCredentialParameters.builder(Set.of(Connection.SCOPE)).build()).get().accessToken();
    }

    private static String assertion() throws Exception {
        return Certificate.read().assertion(env("PRESENCED_CERTIFICATE_CLIENT_ID"), authority() + "/v2.0");
    }

    private static void msalSecret() throws Exception {
        var secret = ClientCredentialFactory.createFromSecret(env("AZURE_CLIENT_SECRET"));
        Connection.works(byItself(confidential(env("AZURE_CLIENT_ID"), secret)));
    }

    private static void msalCertificate() throws Exception {
        Certificate own = Certificate.read();
        var credential = ClientCredentialFactory.createFromCertificate(own.key(), own.certificate());
        Connection.works(byItself(confidential(env("PRESENCED_CERTIFICATE_CLIENT_ID"), credential)));
    }

    private static void msalAssertion() throws Exception {
        var credential = ClientCredentialFactory.createFromClientAssertion(assertion());
        Connection.works(byItself(confidential(env("PRESENCED_CERTIFICATE_CLIENT_ID"), credential)));
    }

    /** Signs a person in to an app of people's own, for this scope. */
    private static IAuthenticationResult device(PublicClientApplication app, String scope) throws Exception {
        return app.acquireToken(DeviceCodeFlowParameters.builder(
                                Set.of(scope), code -> new Browser().enterCode(code.verificationUri(), code.userCode()))
                        .build())
                .get();
    }

    /** A person's token for the app in the middle. */
    private static String forSite() throws Exception {
        return device(program(), "api://" + env("PRESENCED_SITE_CLIENT_ID") + "/access_as_user").accessToken();
    }

    private static void msalDeviceCode() throws Exception {
        IAuthenticationResult answer = device(program(), READ_PRESENCE);
        Check.same(answer.account().username(), env("PRESENCED_USER"));
        Connection.works(answer.accessToken());
    }

    private static void msalCode() throws Exception {
        var app = site();
        String back = env("PRESENCED_SITE_REDIRECT_URI");
        var asked = AuthorizationRequestUrlParameters.builder(back, Set.of(READ_PRESENCE)).build();
        String code = new Browser().signIn(app.getAuthorizationRequestUrl(asked).toString());
        var answer = app.acquireToken(AuthorizationCodeParameters.builder(code, URI.create(back))
                        .scopes(Set.of(READ_PRESENCE))
                        .build())
                .get();
        Check.same(answer.account().username(), env("PRESENCED_USER"));
        Connection.works(answer.accessToken());
    }

    private static void msalCodeOfProgram() throws Exception {
        var app = program();
        String back = "http://localhost:12345";
        String verifier = UUID.randomUUID() + "" + UUID.randomUUID();
        byte[] digest = MessageDigest.getInstance("SHA-256").digest(verifier.getBytes(StandardCharsets.US_ASCII));
        var asked = AuthorizationRequestUrlParameters.builder(back, Set.of(READ_PRESENCE))
                .codeChallenge(Base64.getUrlEncoder().withoutPadding().encodeToString(digest))
                .codeChallengeMethod("S256")
                .build();
        String code = new Browser().signIn(app.getAuthorizationRequestUrl(asked).toString());
        var answer = app.acquireToken(AuthorizationCodeParameters.builder(code, URI.create(back))
                        .scopes(Set.of(READ_PRESENCE))
                        .codeVerifier(verifier)
                        .build())
                .get();
        Connection.works(answer.accessToken());
    }

    private static void msalOnBehalfOf() throws Exception {
        var asked = OnBehalfOfParameters.builder(Set.of(Connection.SCOPE), new UserAssertion(forSite())).build();
        Connection.works(site().acquireToken(asked).get().accessToken());
    }

    /** By the refresh token itself: acquireTokenSilently asks the authority's host without its port. */
    private static void msalRefresh() throws Exception {
        var first = program();
        String before = device(first, READ_PRESENCE).accessToken();
        Matcher kept = Pattern.compile("\"RefreshToken\":\\{\"[^\"]*\":\\{[^}]*\"secret\":\"([^\"]+)\"")
                .matcher(first.tokenCache().serialize());
        Check.same(kept.find(), true);
        var asked = RefreshTokenParameters.builder(Set.of(READ_PRESENCE), kept.group(1)).build();
        String after = program().acquireToken(asked).get().accessToken();
        Check.same(after.equals(before), false);
        Connection.works(after);
    }

    private static void msalPassword() throws Exception {
        var asked = UserNamePasswordParameters.builder(
                        Set.of(READ_PRESENCE), env("PRESENCED_USER"), env("PRESENCED_PASSWORD").toCharArray())
                .build();
        Connection.works(program().acquireToken(asked).get().accessToken());
    }
}
