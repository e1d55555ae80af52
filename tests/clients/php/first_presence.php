<?php

require __DIR__ . '/vendor/autoload.php';

use Microsoft\Graph\Generated\Communications\GetPresencesByUserId\GetPresencesByUserIdPostRequestBody;
use Microsoft\Graph\GraphRequestAdapter;
use Microsoft\Graph\GraphServiceClient;
use Microsoft\Kiota\Authentication\Oauth\ClientCredentialContext;
use Microsoft\Kiota\Authentication\Oauth\ProviderFactory;
use Microsoft\Kiota\Authentication\PhpLeagueAccessTokenProvider;
use Microsoft\Kiota\Authentication\PhpLeagueAuthenticationProvider;

$tokenRequestContext = new ClientCredentialContext(
    getenv('AZURE_TENANT_ID'), getenv('AZURE_CLIENT_ID'), getenv('AZURE_CLIENT_SECRET')
);
$scopes = ['https://graph.microsoft.com/.default'];
$allowedHosts = [parse_url(getenv('GRAPH_BASE_URL_TLS'), PHP_URL_HOST)];
$oauthProvider = ProviderFactory::create($tokenRequestContext, [], getenv('AZURE_AUTHORITY_HOST'));
$tokenProvider = new PhpLeagueAccessTokenProvider($tokenRequestContext, $scopes, $allowedHosts, $oauthProvider);
$requestAdapter = new GraphRequestAdapter(PhpLeagueAuthenticationProvider::createWithAccessTokenProvider($tokenProvider));
$requestAdapter->setBaseUrl(getenv('GRAPH_BASE_URL_TLS')); // this line is the difference from Graph
$graphServiceClient = GraphServiceClient::createWithRequestAdapter($requestAdapter);

$requestBody = new GetPresencesByUserIdPostRequestBody();
$requestBody->setIds(['fa8bf3dc-eca7-46b7-bad1-db199b62afc3', '66825e03-7ef5-42da-9069-724602c31f6b', ]);

$result = $graphServiceClient->communications()->getPresencesByUserId()->post($requestBody)->wait();

foreach ($result->getValue() as $presence) {
    echo "{$presence->getId()} {$presence->getAvailability()} {$presence->getActivity()}\n";
}
