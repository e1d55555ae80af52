import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;

public class Presence {
    // region reset
    static void reset() throws Exception {
        var reset = URI.create(System.getenv("GRAPH_BASE_URL")).resolve("/presenced/reset");
        HttpClient.newHttpClient().send(HttpRequest.newBuilder(reset).POST(BodyPublishers.noBody()).build(), BodyHandlers.discarding());
    }
    // endregion

    public static void main(String[] arguments) throws Exception {
        reset();
        var authority = System.getenv("AZURE_AUTHORITY_HOST") + "/" + System.getenv("AZURE_TENANT_ID");
        var metadata = URI.create(authority + "/v2.0/.well-known/openid-configuration");
        var answer = HttpClient.newHttpClient().send(HttpRequest.newBuilder(metadata).build(), BodyHandlers.ofString());
        System.out.println(answer.statusCode());
    }
}
