import com.azure.identity.ClientSecretCredentialBuilder;
import com.microsoft.graph.core.authentication.AzureIdentityAuthenticationProvider;
import com.microsoft.graph.core.requests.BaseGraphRequestAdapter;
import com.microsoft.graph.serviceclient.GraphServiceClient;
import java.net.URI;
import java.util.LinkedList;

public class FirstPresence {
    public static void main(String[] arguments) {
        var env = System.getenv();
        var credential = new ClientSecretCredentialBuilder()
                .tenantId(env.get("AZURE_TENANT_ID"))
                .clientId(env.get("AZURE_CLIENT_ID"))
                .clientSecret(env.get("AZURE_CLIENT_SECRET"))
                .authorityHost(env.get("AZURE_AUTHORITY_HOST"))
                .disableInstanceDiscovery() // else MSAL asks login.microsoftonline.com about this authority
                .build();
        String[] allowedHosts = {URI.create(env.get("GRAPH_BASE_URL_TLS")).getHost()};
        var authProvider = new AzureIdentityAuthenticationProvider(
                credential, allowedHosts, "https://graph.microsoft.com/.default");
        var requestAdapter = new BaseGraphRequestAdapter(authProvider);
        requestAdapter.setBaseUrl(env.get("GRAPH_BASE_URL_TLS")); // this line is the difference from Graph

        GraphServiceClient graphClient = new GraphServiceClient(requestAdapter);

        com.microsoft.graph.communications.getpresencesbyuserid.GetPresencesByUserIdPostRequestBody getPresencesByUserIdPostRequestBody = new com.microsoft.graph.communications.getpresencesbyuserid.GetPresencesByUserIdPostRequestBody();
        LinkedList<String> ids = new LinkedList<String>();
        ids.add("fa8bf3dc-eca7-46b7-bad1-db199b62afc3");
        ids.add("66825e03-7ef5-42da-9069-724602c31f6b");
        getPresencesByUserIdPostRequestBody.setIds(ids);
        var result = graphClient.communications().getPresencesByUserId().post(getPresencesByUserIdPostRequestBody);

        for (var presence : result.getValue()) {
            System.out.println(presence.getId() + " " + presence.getAvailability() + " " + presence.getActivity());
        }
    }
}
