import com.azure.core.credential.AccessToken;
import com.azure.core.credential.TokenCredential;
import com.azure.identity.ClientSecretCredentialBuilder;
import com.microsoft.graph.core.authentication.AzureIdentityAuthenticationProvider;
import com.microsoft.graph.core.requests.BaseGraphRequestAdapter;
import com.microsoft.graph.core.requests.GraphClientFactory;
import com.microsoft.graph.serviceclient.GraphServiceClient;
import java.net.URI;
import java.time.OffsetDateTime;
import java.util.List;
import okhttp3.OkHttpClient;
import reactor.core.publisher.Mono;

/** Ways to reach the servers. */
final class Connection {
    static final String SCOPE = "https://graph.microsoft.com/.default";

    static String env(String name) {
        String value = System.getenv(name);
        if (value == null || value.isEmpty()) {
            throw new IllegalStateException(name + " is not set");
        }
        return value;
    }

    /** As the sample's app. */
    static GraphServiceClient app() {
        return connect(secret(env("AZURE_AUTHORITY_HOST")), env("GRAPH_BASE_URL_TLS"), new OkHttpClient.Builder());
    }

    /** As the person whose token the runner gives. */
    static GraphServiceClient person() {
        return with(env("PRESENCED_DELEGATED_TOKEN"));
    }

    private static GraphServiceClient with(String token) {
        AccessToken given = new AccessToken(token, OffsetDateTime.now().plusHours(1));
        return connect(request -> Mono.just(given), env("GRAPH_BASE_URL_TLS"), new OkHttpClient.Builder());
    }

    /** Fails unless Graph reads presence with this token. */
    static void works(String token) {
        String nadia = "fa8bf3dc-eca7-46b7-bad1-db199b62afc3";
        Check.same(with(token).communications().presences().byPresenceId(nadia).get().getAvailability(), "Busy");
    }

    /** As the app at the server that throttles; every status that it answers, also under the SDK's retries, is added. */
    static GraphServiceClient throttled(List<Integer> statuses) {
        OkHttpClient.Builder watching = new OkHttpClient.Builder().addNetworkInterceptor(chain -> {
            var answer = chain.proceed(chain.request());
            statuses.add(answer.code());
            return answer;
        });
        return connect(
                secret(env("PRESENCED_THROTTLED_AUTHORITY_HOST")), env("PRESENCED_THROTTLED_BASE_URL_TLS"), watching);
    }

    private static TokenCredential secret(String authorityHost) {
        return new ClientSecretCredentialBuilder()
                .tenantId(env("AZURE_TENANT_ID"))
                .clientId(env("AZURE_CLIENT_ID"))
                .clientSecret(env("AZURE_CLIENT_SECRET"))
                .authorityHost(authorityHost)
                .disableInstanceDiscovery()
                .build();
    }

    private static GraphServiceClient connect(TokenCredential credential, String baseUrl, OkHttpClient.Builder more) {
        String[] allowedHosts = {URI.create(baseUrl).getHost()};
        var provider = new AzureIdentityAuthenticationProvider(credential, allowedHosts, SCOPE);
        OkHttpClient.Builder http = GraphClientFactory.create(GraphServiceClient.getGraphClientOptions());
        more.networkInterceptors().forEach(http::addNetworkInterceptor);
        var adapter = new BaseGraphRequestAdapter(provider, null, http.build());
        adapter.setBaseUrl(baseUrl);
        return new GraphServiceClient(adapter);
    }
}
