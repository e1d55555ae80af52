using System.Collections.Concurrent;
using Azure.Core;
using Azure.Identity;
using Microsoft.Graph;
using Microsoft.Kiota.Authentication.Azure;

/// <summary>Ways to reach the servers.</summary>
static class Connection
{
    public static string Env(string name) =>
        Environment.GetEnvironmentVariable(name) ?? throw new InvalidOperationException($"{name} is not set");

    /// <summary>As the sample's app.</summary>
    public static GraphServiceClient App() => Connect(Secret(Env("AZURE_AUTHORITY_HOST")), Env("GRAPH_BASE_URL_TLS"));

    /// <summary>As the person whose token the runner gives.</summary>
    public static GraphServiceClient Person() =>
        Connect(new GivenToken(Env("PRESENCED_DELEGATED_TOKEN")), Env("GRAPH_BASE_URL_TLS"));

    /// <summary>As the app at the server that throttles; every status it answers, also under the retries, is added.</summary>
    public static GraphServiceClient Throttled(ConcurrentQueue<int> statuses)
    {
        var baseUrl = Env("PRESENCED_THROTTLED_BASE_URL_TLS");
        var provider = Provider(Secret(Env("PRESENCED_THROTTLED_AUTHORITY_HOST")), baseUrl);
        var handlers = GraphClientFactory.CreateDefaultHandlers(new GraphClientOptions());
        handlers.Add(new Watching(statuses));
        return new GraphServiceClient(GraphClientFactory.Create(handlers), provider, baseUrl);
    }

    private static GraphServiceClient Connect(TokenCredential credential, string baseUrl) =>
        new(Provider(credential, baseUrl), baseUrl);

    private static AzureIdentityAuthenticationProvider Provider(TokenCredential credential, string baseUrl) =>
        new(credential, [new Uri(baseUrl).Host], scopes: ["https://graph.microsoft.com/.default"]);

    private static ClientSecretCredential Secret(string authorityHost) =>
        new(
            Env("AZURE_TENANT_ID"), Env("AZURE_CLIENT_ID"), Env("AZURE_CLIENT_SECRET"),
            new ClientSecretCredentialOptions { AuthorityHost = new Uri(authorityHost), DisableInstanceDiscovery = true });

    private sealed class GivenToken(string token) : TokenCredential
    {
        public override AccessToken GetToken(TokenRequestContext context, CancellationToken cancellation) =>
            new(token, DateTimeOffset.UtcNow.AddHours(1));

        public override ValueTask<AccessToken> GetTokenAsync(TokenRequestContext context, CancellationToken cancellation) =>
            new(GetToken(context, cancellation));
    }

    private sealed class Watching(ConcurrentQueue<int> statuses) : DelegatingHandler
    {
        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellation)
        {
            var answer = await base.SendAsync(request, cancellation);
            statuses.Enqueue((int)answer.StatusCode);
            return answer;
        }
    }
}
