using Azure.Identity;
using Microsoft.Graph;
using Microsoft.Graph.Communications.GetPresencesByUserId;
using Microsoft.Kiota.Authentication.Azure;

static string Env(string name) => Environment.GetEnvironmentVariable(name) ?? throw new ArgumentException(name);

var credential = new ClientSecretCredential(
    Env("AZURE_TENANT_ID"), Env("AZURE_CLIENT_ID"), Env("AZURE_CLIENT_SECRET"),
    new ClientSecretCredentialOptions
    {
        AuthorityHost = new Uri(Env("AZURE_AUTHORITY_HOST")),
        DisableInstanceDiscovery = true, // else MSAL asks login.microsoftonline.com about this authority
    });
var baseUrl = Env("GRAPH_BASE_URL_TLS");
var scopes = new[] { "https://graph.microsoft.com/.default" };
var authProvider = new AzureIdentityAuthenticationProvider(credential, new[] { new Uri(baseUrl).Host }, scopes: scopes);
var graphClient = new GraphServiceClient(authProvider, baseUrl); // the base URL is the difference from Graph

var requestBody = new GetPresencesByUserIdPostRequestBody
{
    Ids = new List<string>
    {
        "fa8bf3dc-eca7-46b7-bad1-db199b62afc3",
        "66825e03-7ef5-42da-9069-724602c31f6b",
    },
};
var result = await graphClient.Communications.GetPresencesByUserId.PostAsGetPresencesByUserIdPostResponseAsync(requestBody);

foreach (var presence in result?.Value ?? [])
{
    Console.WriteLine($"{presence.Id} {presence.Availability} {presence.Activity}");
}
