package main

import (
	"context"
	"fmt"
	"log"
	"net/url"
	"os"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
	kiota "github.com/microsoft/kiota-abstractions-go"
	"github.com/microsoft/kiota-abstractions-go/serialization"
	kiotajson "github.com/microsoft/kiota-serialization-json-go"
	core "github.com/microsoftgraph/msgraph-sdk-go-core"
	"github.com/microsoftgraph/msgraph-sdk-go-core/authentication"
	graphcommunications "github.com/microsoftgraph/msgraph-sdk-go/communications"
)

// GraphClient is what presence needs of msgraphsdk.GraphServiceClient, which takes many minutes to build.
type GraphClient struct{ adapter kiota.RequestAdapter }

func (client GraphClient) Communications() *graphcommunications.CommunicationsRequestBuilder {
	kiota.RegisterDefaultSerializer(func() serialization.SerializationWriterFactory {
		return kiotajson.NewJsonSerializationWriterFactory()
	})
	kiota.RegisterDefaultDeserializer(func() serialization.ParseNodeFactory { return kiotajson.NewJsonParseNodeFactory() })
	baseURL := map[string]string{"baseurl": client.adapter.GetBaseUrl()}
	return graphcommunications.NewCommunicationsRequestBuilderInternal(baseURL, client.adapter)
}

func main() {
	options := azidentity.ClientSecretCredentialOptions{DisableInstanceDiscovery: true} // else MSAL asks login.microsoftonline.com
	options.ClientOptions = azcore.ClientOptions{
		Cloud: cloud.Configuration{ActiveDirectoryAuthorityHost: os.Getenv("AZURE_AUTHORITY_HOST")},
	}
	credential, err := azidentity.NewClientSecretCredential(
		os.Getenv("AZURE_TENANT_ID"), os.Getenv("AZURE_CLIENT_ID"), os.Getenv("AZURE_CLIENT_SECRET"), &options)
	check(err)
	base, err := url.Parse(os.Getenv("GRAPH_BASE_URL_TLS"))
	check(err)
	auth, err := authentication.NewAzureIdentityAuthenticationProviderWithScopesAndValidHosts(
		credential, []string{"https://graph.microsoft.com/.default"}, []string{base.Hostname()})
	check(err)
	adapter, err := core.NewGraphRequestAdapterBase(auth, core.GraphClientOptions{})
	check(err)
	adapter.SetBaseUrl(base.String()) // this line is the difference from Graph
	graphClient := GraphClient{adapter}

	requestBody := graphcommunications.NewGetPresencesByUserIdPostRequestBody()
	ids := []string{
		"fa8bf3dc-eca7-46b7-bad1-db199b62afc3",
		"66825e03-7ef5-42da-9069-724602c31f6b",
	}
	requestBody.SetIds(ids)
	getPresencesByUserId, err := graphClient.Communications().GetPresencesByUserId().PostAsGetPresencesByUserIdPostResponse(context.Background(), requestBody, nil)
	check(err)

	for _, presence := range getPresencesByUserId.GetValue() {
		fmt.Println(*presence.GetId(), *presence.GetAvailability(), *presence.GetActivity())
	}
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
