package main

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/confidential"
	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/public"
	"github.com/google/uuid"
)

const (
	readPresence = "https://graph.microsoft.com/Presence.Read.All"
	readSelf     = "https://graph.microsoft.com/User.Read"
)

// signInChecks are all grants that azidentity and MSAL offer without a browser.
var signInChecks = []check{
	{"azure-identity-go/sign-in-client-secret", azureSecret},
	{"azure-identity-go/sign-in-client-certificate", azureCertificate},
	{"azure-identity-go/sign-in-client-assertion", azureAssertion},
	{"azure-identity-go/sign-in-device-code", azureDeviceCode},
	{"azure-identity-go/sign-in-on-behalf-of", azureOnBehalfOf},
	{"azure-identity-go/sign-in-username-password", azurePassword},
	{"msal-go/sign-in-client-secret", msalSecret},
	{"msal-go/sign-in-client-certificate", msalCertificate},
	{"msal-go/sign-in-client-assertion", msalAssertion},
	{"msal-go/sign-in-device-code", msalDeviceCode},
	{"msal-go/sign-in-authorization-code", msalCode},
	{"msal-go/sign-in-authorization-code-pkce", msalCodeOfProgram},
	{"msal-go/sign-in-on-behalf-of", msalOnBehalfOf},
	{"msal-go/sign-in-refresh-token", msalRefresh},
	{"msal-go/sign-in-username-password", msalPassword},
}

// works fails unless Graph reads presence with this token.
func works(bearer string) {
	presences := connect(token(bearer), env("GRAPH_BASE_URL_TLS"), nil)
	found := must(ask(presences, []string{nadia}))
	same(*found[0].GetId(), nadia)
	same(*found[0].GetAvailability(), "Busy")
}

func here() azcore.ClientOptions { return at(env("AZURE_AUTHORITY_HOST")) }

func tenant() string { return env("AZURE_TENANT_ID") }

func get(credential azcore.TokenCredential, scope string) string {
	return must(credential.GetToken(ctx, policy.TokenRequestOptions{Scopes: []string{scope}})).Token
}

func azureSecret() { works(get(secret(env("AZURE_AUTHORITY_HOST")), scope)) }

func azureCertificate() {
	certificates, key := certificate()
	options := azidentity.ClientCertificateCredentialOptions{ClientOptions: here(), DisableInstanceDiscovery: true}
	works(get(must(azidentity.NewClientCertificateCredential(
		tenant(), env("PRESENCED_CERTIFICATE_CLIENT_ID"), certificates, key, &options)), scope))
}

func azureAssertion() {
	options := azidentity.ClientAssertionCredentialOptions{ClientOptions: here(), DisableInstanceDiscovery: true}
	made := func(context.Context) (string, error) { return assertion(), nil }
	works(get(must(azidentity.NewClientAssertionCredential(
		tenant(), env("PRESENCED_CERTIFICATE_CLIENT_ID"), made, &options)), scope))
}

func azureDevice() *azidentity.DeviceCodeCredential {
	return must(azidentity.NewDeviceCodeCredential(&azidentity.DeviceCodeCredentialOptions{
		ClientOptions:            here(),
		DisableInstanceDiscovery: true,
		TenantID:                 tenant(),
		ClientID:                 env("PRESENCED_DELEGATED_CLIENT_ID"),
		UserPrompt: func(_ context.Context, message azidentity.DeviceCodeMessage) error {
			return attempt(func() { newBrowser().enterCode(message.VerificationURL, message.UserCode) })
		},
	}))
}

func azureDeviceCode() {
	credential := azureDevice()
	record := must(credential.Authenticate(ctx, &policy.TokenRequestOptions{Scopes: []string{readPresence}}))
	same([]string{record.Username, record.TenantID}, []string{env("PRESENCED_USER"), tenant()})
	works(get(credential, readPresence))
	get(credential, readSelf) // silently, by the refresh token
}

func azureOnBehalfOf() {
	options := azidentity.OnBehalfOfCredentialOptions{ClientOptions: here(), DisableInstanceDiscovery: true}
	works(get(must(azidentity.NewOnBehalfOfCredentialWithSecret(
		tenant(), env("PRESENCED_SITE_CLIENT_ID"), forSite(), env("PRESENCED_SITE_CLIENT_SECRET"), &options)), scope))
}

func azurePassword() {
	options := azidentity.UsernamePasswordCredentialOptions{ClientOptions: here(), DisableInstanceDiscovery: true}
	//lint:ignore SA1019 deprecated, but offered
	works(get(must(azidentity.NewUsernamePasswordCredential(
		tenant(), env("PRESENCED_DELEGATED_CLIENT_ID"), env("PRESENCED_USER"), env("PRESENCED_PASSWORD"), &options)), readPresence))
}

func authority() string {
	return must(url.JoinPath(env("AZURE_AUTHORITY_HOST"), tenant()))
}

func confidentialApp(id string, credential confidential.Credential) confidential.Client {
	return must(confidential.New(authority(), id, credential, confidential.WithInstanceDiscovery(false)))
}

func site() confidential.Client {
	id, own := env("PRESENCED_SITE_CLIENT_ID"), must(confidential.NewCredFromSecret(env("PRESENCED_SITE_CLIENT_SECRET")))
	return confidentialApp(id, own)
}

func program() public.Client {
	return must(public.New(env("PRESENCED_DELEGATED_CLIENT_ID"),
		public.WithAuthority(authority()), public.WithInstanceDiscovery(false)))
}

func byItself(app confidential.Client) string {
	return must(app.AcquireTokenByCredential(ctx, []string{scope})).AccessToken
}

func msalSecret() {
	own := must(confidential.NewCredFromSecret(env("AZURE_CLIENT_SECRET")))
	works(byItself(confidentialApp(env("AZURE_CLIENT_ID"), own)))
}

func msalCertificate() {
	own := must(confidential.NewCredFromCert(certificate()))
	works(byItself(confidentialApp(env("PRESENCED_CERTIFICATE_CLIENT_ID"), own)))
}

func msalAssertion() {
	own := confidential.NewCredFromAssertionCallback(
		func(context.Context, confidential.AssertionRequestOptions) (string, error) { return assertion(), nil })
	works(byItself(confidentialApp(env("PRESENCED_CERTIFICATE_CLIENT_ID"), own)))
}

// device signs a person in to an app of people's own, for these scopes.
func device(app public.Client, scopes ...string) public.AuthResult {
	code := must(app.AcquireTokenByDeviceCode(ctx, scopes))
	newBrowser().enterCode(code.Result.VerificationURL, code.Result.UserCode)
	return must(code.AuthenticationResult(ctx))
}

// forSite is a person's token for the app in the middle.
func forSite() string {
	return device(program(), "api://"+env("PRESENCED_SITE_CLIENT_ID")+"/access_as_user").AccessToken
}

func msalDeviceCode() {
	answer := device(program(), readPresence)
	same(answer.Account.PreferredUsername, env("PRESENCED_USER"))
	works(answer.AccessToken)
}

func msalCode() {
	app := site()
	back := env("PRESENCED_SITE_REDIRECT_URI")
	address := must(app.AuthCodeURL(ctx, env("PRESENCED_SITE_CLIENT_ID"), back, []string{readPresence}))
	answer := must(app.AcquireTokenByAuthCode(ctx, newBrowser().signIn(address), back, []string{readPresence}))
	same(answer.Account.PreferredUsername, env("PRESENCED_USER"))
	works(answer.AccessToken)
	must(app.AcquireTokenSilent(ctx, []string{readPresence}, confidential.WithSilentAccount(answer.Account)))
}

func msalCodeOfProgram() {
	app, back := program(), "http://localhost:12345"
	verifier := uuid.NewString() + uuid.NewString()
	digest := sha256.Sum256([]byte(verifier))
	address := must(url.Parse(must(app.AuthCodeURL(ctx, env("PRESENCED_DELEGATED_CLIENT_ID"), back, []string{readPresence}))))
	query := address.Query()
	query.Set("code_challenge", base64.RawURLEncoding.EncodeToString(digest[:]))
	query.Set("code_challenge_method", "S256")
	address.RawQuery = query.Encode()
	code := newBrowser().signIn(address.String())
	works(must(app.AcquireTokenByAuthCode(ctx, code, back, []string{readPresence}, public.WithChallenge(verifier))).AccessToken)
}

func msalOnBehalfOf() {
	works(must(site().AcquireTokenOnBehalfOf(ctx, forSite(), []string{scope})).AccessToken)
}

func msalRefresh() {
	app := program()
	first := device(app, readSelf)
	second := must(app.AcquireTokenSilent(ctx, []string{readPresence}, public.WithSilentAccount(first.Account)))
	same(second.AccessToken != first.AccessToken, true)
	works(second.AccessToken)
}

func msalPassword() {
	answer := must(program().AcquireTokenByUsernamePassword(
		ctx, []string{readPresence}, env("PRESENCED_USER"), env("PRESENCED_PASSWORD")))
	works(answer.AccessToken)
}

func certificate() ([]*x509.Certificate, crypto.PrivateKey) {
	certificates, key, err := azidentity.ParseCertificates(must(os.ReadFile(env("PRESENCED_CERTIFICATE_FILE"))), nil)
	done(err)
	return certificates, key
}

// assertion is one as a workload that has a key makes it.
func assertion() string {
	certificates, key := certificate()
	thumbprint := sha1.Sum(certificates[0].Raw)
	id, now := env("PRESENCED_CERTIFICATE_CLIENT_ID"), time.Now().Unix()
	signed := part(map[string]any{"alg": "RS256", "typ": "JWT", "x5t": base64.RawURLEncoding.EncodeToString(thumbprint[:])}) +
		"." + part(map[string]any{
		"iss": id, "sub": id, "aud": authority() + "/v2.0", "iat": now, "nbf": now, "exp": now + 600, "jti": uuid.NewString(),
	})
	digest := sha256.Sum256([]byte(signed))
	signature := must(rsa.SignPKCS1v15(rand.Reader, key.(*rsa.PrivateKey), crypto.SHA256, digest[:]))
	return strings.Join([]string{signed, base64.RawURLEncoding.EncodeToString(signature)}, ".")
}

func part(content map[string]any) string {
	return base64.RawURLEncoding.EncodeToString(must(json.Marshal(content)))
}
