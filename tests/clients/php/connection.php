<?php

// Ways to reach the servers.

use GuzzleHttp\Client;
use GuzzleHttp\Middleware;
use Microsoft\Graph\Core\GraphClientFactory;
use Microsoft\Graph\GraphRequestAdapter;
use Microsoft\Graph\GraphServiceClient;
use Microsoft\Kiota\Abstractions\Authentication\AnonymousAuthenticationProvider;
use Microsoft\Kiota\Abstractions\Authentication\AuthenticationProvider;
use Microsoft\Kiota\Authentication\Oauth\ClientCredentialContext;
use Microsoft\Kiota\Authentication\Oauth\ProviderFactory;
use Microsoft\Kiota\Authentication\PhpLeagueAccessTokenProvider;
use Microsoft\Kiota\Authentication\PhpLeagueAuthenticationProvider;
use Psr\Http\Message\ResponseInterface;

function env(string $name): string
{
    return getenv($name) ?: throw new RuntimeException("$name is not set");
}

/** As the sample's app. */
function app(): GraphServiceClient
{
    return connect(secret(env('AZURE_AUTHORITY_HOST'), env('GRAPH_BASE_URL_TLS')), env('GRAPH_BASE_URL_TLS'));
}

/** As the person whose token the runner gives; the SDK's providers take no token that is there already. */
function person(): GraphServiceClient
{
    $headers = ['Authorization' => 'Bearer ' . env('PRESENCED_DELEGATED_TOKEN')];
    $http = GraphClientFactory::createWithConfig(['headers' => $headers]);
    return connect(new AnonymousAuthenticationProvider(), env('GRAPH_BASE_URL_TLS'), $http);
}

/** As the app at the server that throttles; every status that it answers, also under the SDK's retries, is added. */
function throttled(array &$statuses): GraphServiceClient
{
    $stack = GraphClientFactory::getDefaultHandlerStack();
    $stack->push(Middleware::mapResponse(function (ResponseInterface $answer) use (&$statuses) {
        $statuses[] = $answer->getStatusCode();
        return $answer;
    }));
    $baseUrl = env('PRESENCED_THROTTLED_BASE_URL_TLS');
    $provider = secret(env('PRESENCED_THROTTLED_AUTHORITY_HOST'), $baseUrl);
    return connect($provider, $baseUrl, GraphClientFactory::createWithMiddleware($stack));
}

function secret(string $authorityHost, string $baseUrl): AuthenticationProvider
{
    $context = new ClientCredentialContext(env('AZURE_TENANT_ID'), env('AZURE_CLIENT_ID'), env('AZURE_CLIENT_SECRET'));
    return PhpLeagueAuthenticationProvider::createWithAccessTokenProvider(new PhpLeagueAccessTokenProvider(
        $context,
        ['https://graph.microsoft.com/.default'],
        [parse_url($baseUrl, PHP_URL_HOST)],
        ProviderFactory::create($context, [], $authorityHost)
    ));
}

function connect(AuthenticationProvider $provider, string $baseUrl, ?Client $http = null): GraphServiceClient
{
    $adapter = $http ? new GraphRequestAdapter($provider, $http) : new GraphRequestAdapter($provider);
    $adapter->setBaseUrl($baseUrl);
    return GraphServiceClient::createWithRequestAdapter($adapter);
}
