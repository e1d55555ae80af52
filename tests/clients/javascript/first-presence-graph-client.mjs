import { ClientSecretCredential } from "@azure/identity";
import { Client } from "@microsoft/microsoft-graph-client";
import { TokenCredentialAuthenticationProvider } from "@microsoft/microsoft-graph-client/authProviders/azureTokenCredentials/index.js";

const { AZURE_TENANT_ID, AZURE_CLIENT_ID, AZURE_CLIENT_SECRET, AZURE_AUTHORITY_HOST, GRAPH_BASE_URL_TLS } = process.env;
const credential = new ClientSecretCredential(AZURE_TENANT_ID, AZURE_CLIENT_ID, AZURE_CLIENT_SECRET, {
  authorityHost: AZURE_AUTHORITY_HOST,
  disableInstanceDiscovery: true, // else MSAL asks login.microsoftonline.com about this authority
});
const authProvider = new TokenCredentialAuthenticationProvider(credential, {
  scopes: ["https://graph.microsoft.com/.default"],
});

const options = {
  authProvider,
  baseUrl: new URL("/", GRAPH_BASE_URL_TLS).href, // these two lines are the difference from Graph
  customHosts: new Set([new URL(GRAPH_BASE_URL_TLS).hostname]),
};

const client = Client.initWithMiddleware(options);

const presence = {
  ids: ['fa8bf3dc-eca7-46b7-bad1-db199b62afc3', '66825e03-7ef5-42da-9069-724602c31f6b']
};

const result = await client.api('/communications/getPresencesByUserId')
  .post(presence);

for (const { id, availability, activity } of result.value) console.log(id, availability, activity);
