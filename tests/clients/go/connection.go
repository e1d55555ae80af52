package main

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
	kiota "github.com/microsoft/kiota-abstractions-go"
	"github.com/microsoft/kiota-abstractions-go/serialization"
	kiotahttp "github.com/microsoft/kiota-http-go"
	kiotajson "github.com/microsoft/kiota-serialization-json-go"
	core "github.com/microsoftgraph/msgraph-sdk-go-core"
	"github.com/microsoftgraph/msgraph-sdk-go-core/authentication"
	"github.com/microsoftgraph/msgraph-sdk-go/communications"
	"github.com/microsoftgraph/msgraph-sdk-go/subscriptions"
)

// scope means all that the app was given.
const scope = "https://graph.microsoft.com/.default"

// client is what the checks need of msgraphsdk.GraphServiceClient, whose package imports all the others.
type client struct{ adapter kiota.RequestAdapter }

func (c client) base() map[string]string { return map[string]string{"baseurl": c.adapter.GetBaseUrl()} }

func (c client) communications() *communications.CommunicationsRequestBuilder {
	return communications.NewCommunicationsRequestBuilderInternal(c.base(), c.adapter)
}

func (c client) subscriptions() *subscriptions.SubscriptionsRequestBuilder {
	return subscriptions.NewSubscriptionsRequestBuilderInternal(c.base(), c.adapter)
}

// presence is a person's at another address than /communications/presences: their builders are those of the packages
// users and me, which are too large to be built for this.
func (c client) presence(path string) *communications.PresencesPresenceItemRequestBuilder {
	return communications.NewPresencesPresenceItemRequestBuilder(c.adapter.GetBaseUrl()+path, c.adapter)
}

// app is a client of the sample's app.
func app() client {
	return connect(secret(env("AZURE_AUTHORITY_HOST")), env("GRAPH_BASE_URL_TLS"), nil)
}

// person is a client of the person whose token the runner gives.
func person() client {
	return connect(token(env("PRESENCED_DELEGATED_TOKEN")), env("GRAPH_BASE_URL_TLS"), nil)
}

// throttled is a client of the server that throttles; the statuses are all its answers', also those under the retries.
func throttled(seen *statuses) client {
	authority := env("PRESENCED_THROTTLED_AUTHORITY_HOST")
	return connect(secret(authority), env("PRESENCED_THROTTLED_BASE_URL_TLS"), seen)
}

func secret(authorityHost string) azcore.TokenCredential {
	return must(azidentity.NewClientSecretCredential(
		env("AZURE_TENANT_ID"), env("AZURE_CLIENT_ID"), env("AZURE_CLIENT_SECRET"),
		&azidentity.ClientSecretCredentialOptions{ClientOptions: at(authorityHost), DisableInstanceDiscovery: true}))
}

func at(authorityHost string) azcore.ClientOptions {
	return azcore.ClientOptions{Cloud: cloud.Configuration{ActiveDirectoryAuthorityHost: authorityHost}}
}

func connect(credential azcore.TokenCredential, baseURL string, seen *statuses) client {
	kiota.RegisterDefaultSerializer(func() serialization.SerializationWriterFactory {
		return kiotajson.NewJsonSerializationWriterFactory()
	})
	kiota.RegisterDefaultDeserializer(func() serialization.ParseNodeFactory { return kiotajson.NewJsonParseNodeFactory() })
	validHosts := []string{must(url.Parse(baseURL)).Hostname()}
	provider := must(authentication.NewAzureIdentityAuthenticationProviderWithScopesAndValidHosts(
		credential, []string{scope}, validHosts))
	options := core.GraphClientOptions{}
	http := core.GetDefaultClient(&options)
	if seen != nil {
		middleware := append(core.GetDefaultMiddlewaresWithOptions(&options), seen)
		http = core.GetDefaultClient(&options, middleware...)
	}
	adapter := must(core.NewGraphRequestAdapterBaseWithParseNodeFactoryAndSerializationWriterFactoryAndHttpClient(
		provider, options, nil, nil, http))
	adapter.SetBaseUrl(baseURL)
	return client{adapter}
}

// token is a credential that has a token already.
type token string

func (t token) GetToken(context.Context, policy.TokenRequestOptions) (azcore.AccessToken, error) {
	return azcore.AccessToken{Token: string(t), ExpiresOn: time.Now().Add(time.Hour)}, nil
}

// statuses is the last of the SDK's handlers: it keeps what the server answered.
type statuses struct {
	lock sync.Mutex
	all  []int
}

func (s *statuses) Intercept(pipeline kiotahttp.Pipeline, index int, request *http.Request) (*http.Response, error) {
	response, err := pipeline.Next(request, index)
	if response != nil {
		s.lock.Lock()
		s.all = append(s.all, response.StatusCode)
		s.lock.Unlock()
	}
	return response, err
}

func (s *statuses) has(status int) bool {
	s.lock.Lock()
	defer s.lock.Unlock()
	return slices.Contains(s.all, status)
}

func env(name string) string {
	value := os.Getenv(name)
	if value == "" {
		panic(fmt.Errorf("%s is not set", name))
	}
	return value
}

// must gives the value, or fails the check with the error.
func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}
