import { ClientSecretCredential } from "@azure/identity";
import { AzureIdentityAuthenticationProvider } from "@microsoft/kiota-authentication-azure";
import { GraphRequestAdapter, createGraphServiceClient } from "@microsoft/msgraph-sdk";
import "@microsoft/msgraph-sdk-users";

const { AZURE_TENANT_ID, AZURE_CLIENT_ID, AZURE_CLIENT_SECRET, AZURE_AUTHORITY_HOST, GRAPH_BASE_URL_TLS } = process.env;
const credential = new ClientSecretCredential(AZURE_TENANT_ID, AZURE_CLIENT_ID, AZURE_CLIENT_SECRET, {
  authorityHost: AZURE_AUTHORITY_HOST,
  disableInstanceDiscovery: true, // else MSAL asks login.microsoftonline.com about this authority
});
const scopes = ["https://graph.microsoft.com/.default"];
const hosts = new Set([new URL(GRAPH_BASE_URL_TLS).hostname]);
const authProvider = new AzureIdentityAuthenticationProvider(credential, scopes, undefined, hosts);

const requestAdapter = new GraphRequestAdapter(authProvider);
requestAdapter.baseUrl = GRAPH_BASE_URL_TLS; // this line is the difference from Graph
const graphServiceClient = createGraphServiceClient(requestAdapter);

const ids = ["fa8bf3dc-eca7-46b7-bad1-db199b62afc3", "66825e03-7ef5-42da-9069-724602c31f6b"];
for (const id of ids) {
  const presence = await graphServiceClient.users.byUserId(id).presence.get();
  console.log(presence.id, presence.availability, presence.activity);
}
