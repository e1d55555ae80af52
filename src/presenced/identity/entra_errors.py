"""EntraError: how the token endpoint refuses, in Entra's shape, numbers and words (spec B.5).

The numbers are from Microsoft's list of AADSTS error codes; clients are told not to depend on them, and people search
for them. The OAuth word (``error``) is what client libraries act on.
"""

import uuid
from datetime import UTC, datetime
from typing import Any

_MAX_ECHO = 200


class EntraError(Exception):
    """A refusal: HTTP status, OAuth error word, AADSTS number and text."""

    def __init__(self, status: int, error: str, number: int, text: str) -> None:
        super().__init__(f"AADSTS{number}: {text}")
        self.status = status
        self.error = error
        self.number = number
        self.text = text

    def answer(self, now: float, correlation_id: str) -> dict[str, Any]:
        """The JSON body."""
        trace_id = str(uuid.uuid4())
        timestamp = datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%d %H:%M:%SZ")
        return {
            "error": self.error,
            "error_description": f"AADSTS{self.number}: {self.text} Trace ID: {trace_id} "
            f"Correlation ID: {correlation_id} Timestamp: {timestamp}",
            "error_codes": [self.number],
            "timestamp": timestamp,
            "trace_id": trace_id,
            "correlation_id": correlation_id,
            "error_uri": f"https://login.microsoftonline.com/error?code={self.number}",
        }


def tenant_not_found(tenant: str) -> EntraError:
    text = f"Tenant '{_echo(tenant)}' not found. Check to make sure you have the correct tenant ID."
    return EntraError(400, "invalid_request", 90002, text)


def personal_accounts() -> EntraError:
    text = (
        "Application is configured for use by Azure Active Directory users only. "
        "Please do not use the /consumers endpoint to serve this request."
    )
    return EntraError(400, "invalid_request", 9002332, text)


def parameter_missing(name: str) -> EntraError:
    text = f"The request body must contain the following parameter: '{name}'."
    return EntraError(400, "invalid_request", 900144, text)


def parameter_duplicated(name: str) -> EntraError:
    text = f"The request is not properly formatted. The parameter '{_echo(name)}' is duplicated."
    return EntraError(400, "invalid_request", 9000411, text)


def malformed_request(why: str, status: int = 400) -> EntraError:
    return EntraError(status, "invalid_request", 90013, f"Invalid input received from the user. {why}")


def grant_not_supported(grant: str) -> EntraError:
    text = f"The app requested an unsupported grant type '{_echo(grant)}'."
    return EntraError(400, "unsupported_grant_type", 70003, text)


def app_not_found(app: str, tenant: str) -> EntraError:
    text = (
        f"Application with identifier '{_echo(app)}' was not found in the directory '{tenant}'. "
        "You may have sent your authentication request to the wrong tenant."
    )
    return EntraError(400, "unauthorized_client", 700016, text)


def wrong_secret(app: str) -> EntraError:
    text = (
        "Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, "
        f"not the client secret ID, for a secret added to app '{app}'."
    )
    return EntraError(401, "invalid_client", 7000215, text)


def proof_missing() -> EntraError:
    text = "The request body must contain the following parameter: 'client_assertion' or 'client_secret'."
    return EntraError(401, "invalid_client", 7000218, text)


def wrong_assertion(why: str) -> EntraError:
    return EntraError(401, "invalid_client", 700027, f"Client assertion failed signature validation. [Reason - {why}]")


def resource_not_found(resource: str, tenant: str) -> EntraError:
    text = f"The resource principal named {_echo(resource)} was not found in the tenant named {tenant}."
    return EntraError(400, "invalid_resource", 500011, text)


def scope_invalid(scope: str) -> EntraError:
    text = (
        "The provided request must include a 'scope' input parameter. The provided value for the input parameter "
        f"'scope' is not valid. The scope {_echo(scope)} is not valid."
    )
    return EntraError(400, "invalid_scope", 70011, text)


def scope_not_default(scope: str) -> EntraError:
    text = (
        f"The provided value for scope {_echo(scope)} is not valid. Client credential flows must have a scope value "
        "with /.default suffixed to the resource identifier (application ID URI)."
    )
    return EntraError(400, "invalid_scope", 1002012, text)


def consent_missing(app: str, name: str) -> EntraError:
    text = (
        f"The user or administrator has not consented to use the application with ID '{app}' named '{_echo(name)}'. "
        "Send an interactive authorization request for this user and resource."
    )
    return EntraError(400, "invalid_grant", 65001, text)


def wrong_password() -> EntraError:
    # Also for a person who does not exist. Entra has AADSTS50034 for that, and with it anyone can find out who exists;
    # to a client both are invalid_grant.
    text = "Error validating credentials due to invalid username or password."
    return EntraError(400, "invalid_grant", 50126, text)


def locked() -> EntraError:
    text = "The account is locked, you've tried to sign in too many times with an incorrect user ID or password."
    return EntraError(400, "invalid_grant", 50053, text)


def transient() -> EntraError:
    text = "A transient error has occurred. Please try again. The server's log says what failed."
    return EntraError(503, "temporarily_unavailable", 90033, text)


def too_many_sign_ins() -> EntraError:
    text = "A transient error has occurred. Too many sign-ins are under way; please try again in a few minutes."
    return EntraError(503, "temporarily_unavailable", 90033, text)


def several_resources(scope: str) -> EntraError:
    text = (
        "Provided value for the input parameter scope is not valid because it contains more than one resource. "
        f"Scope {_echo(scope)} is not valid."
    )
    return EntraError(400, "invalid_scope", 28000, text)


def grant_invalid(name: str) -> EntraError:
    # One answer for what is unknown, forgotten or another app's, so that nobody learns which.
    text = f"The provided value for the '{name}' parameter is not valid: unknown, expired, or issued to another client."
    return EntraError(400, "invalid_grant", 70000, text)


def grant_expired() -> EntraError:
    text = "The refresh token has expired due to inactivity or age. Send a new interactive authorization request."
    return EntraError(400, "invalid_grant", 700082, text)


def page_token_expired() -> EntraError:
    text = (
        "The refresh token was issued to a single page app (SPA), and therefore has a fixed, limited lifetime of "
        "1.00:00:00, which cannot be extended. It is now expired and a new sign in request must be sent by the SPA "
        "to the sign in page."
    )
    return EntraError(400, "invalid_grant", 700084, text)


def grant_revoked() -> EntraError:
    text = (
        "The provided grant has expired due to it being revoked, a fresh auth token is needed. "
        "The user might have changed or reset their password, or the token was used twice."
    )
    return EntraError(400, "invalid_grant", 50173, text)


def code_redeemed() -> EntraError:
    text = (
        "OAuth2 Authorization code was already redeemed, please retry with a new valid code or use an existing "
        "refresh token."
    )
    return EntraError(400, "invalid_grant", 54005, text)


def reply_address_differs(given: str, asked: str) -> EntraError:
    text = (
        f"The reply address '{_echo(given)}' does not match the reply address '{_echo(asked)}' provided when "
        "requesting Authorization code."
    )
    return EntraError(400, "invalid_grant", 500112, text)


def verifier_wrong() -> EntraError:
    text = "The Code_Verifier does not match the code_challenge supplied in the authorization request."
    return EntraError(400, "invalid_grant", 501481, text)


def cross_origin(origin: str) -> EntraError:
    text = (
        "Cross-origin token redemption is permitted only for the 'Single-Page Application' client-type. "
        f"Request origin: '{_echo(origin)}'."
    )
    return EntraError(400, "invalid_request", 9002326, text)


def page_only() -> EntraError:
    text = "Tokens issued for the 'Single-Page Application' client-type may only be redeemed via cross-origin requests."
    return EntraError(400, "invalid_request", 9002327, text)


def authorization_pending() -> EntraError:
    text = "OAuth 2.0 device flow error. Authorization is pending. Continue polling."
    return EntraError(400, "authorization_pending", 70016, text)


def slow_down() -> EntraError:
    # The number is authorization_pending's: none is documented for this one.
    text = "OAuth 2.0 device flow error. Authorization is pending. Poll at the interval that was given, not faster."
    return EntraError(400, "slow_down", 70016, text)


def authorization_declined() -> EntraError:
    return EntraError(400, "authorization_declined", 65004, "User declined to sign in to the app.")


def device_code_expired() -> EntraError:
    text = "The provided value for the input parameter 'device_code' is not valid. This device code has expired."
    return EntraError(400, "expired_token", 70020, text)


def device_code_unknown() -> EntraError:
    text = "The provided value for the input parameter 'device_code' is not valid: unknown, or already used."
    return EntraError(400, "bad_verification_code", 70018, text)


def token_use_wrong(given: str) -> EntraError:
    text = f"The value '{_echo(given)}' of 'requested_token_use' is not supported; on_behalf_of is."
    return EntraError(400, "invalid_request", 90023, text)


def assertion_invalid(why: str) -> EntraError:
    return EntraError(400, "invalid_grant", 50013, f"Assertion failed signature validation or is not usable. {why}")


def assertion_audience(audience: str, app: str) -> EntraError:
    text = (
        "Assertion audience does not match the Client app presenting the assertion. The audience in the assertion was "
        f"'{_echo(audience)}' and the expected audience is '{app}'. Have the assertion issued for the scope "
        f"api://{app}/access_as_user."
    )
    return EntraError(400, "invalid_grant", 500131, text)


def assertion_expired() -> EntraError:
    text = "Assertion is not within its valid time range. Please get a new one from the client."
    return EntraError(400, "invalid_grant", 500133, text)


def instance_invalid(host: str) -> EntraError:
    text = f"Unknown or invalid instance. '{_echo(host)}' is not this server."
    return EntraError(400, "invalid_instance", 50049, text)


# Of the authorization endpoint.


def reply_address_missing() -> EntraError:
    return EntraError(400, "invalid_request", 900971, "No reply address provided. Add redirect_uri to the request.")


def reply_address_unknown(uri: str, app: str) -> EntraError:
    text = (
        f"The redirect URI '{_echo(uri)}' specified in the request does not match the redirect URIs configured for "
        f"the application '{app}'. Make sure the redirect URI sent in the request matches one added to the application "
        "(presenced apps add ... --redirect-uri)."
    )
    return EntraError(400, "invalid_request", 50011, text)


def response_type_not_supported(given: str) -> EntraError:
    text = f"response_type '{_echo(given)}' is not enabled for the application: only 'code' is."
    return EntraError(400, "unsupported_response_type", 700054, text)


def parameter_not_supported(name: str, given: str, supported: str) -> EntraError:
    text = f"Unsupported '{name}' value '{_echo(given)}'. Supported: {supported}."
    return EntraError(400, "invalid_request", 90023, text)


def challenge_missing() -> EntraError:
    text = (
        "Proof Key for Code Exchange is required for authorization code redemption by public clients: "
        "send code_challenge with code_challenge_method=S256."
    )
    return EntraError(400, "invalid_request", 9002325, text)


def challenge_wrong() -> EntraError:
    text = "The size or form of the code challenge parameter isn't valid: it is 43 letters, made with S256."
    return EntraError(400, "invalid_request", 50147, text)


def parameter_too_long(name: str) -> EntraError:
    return EntraError(400, "invalid_request", 90013, f"Invalid input received from the user. '{name}' is too long.")


def login_required() -> EntraError:
    text = "Silent sign-in request was sent but no user is signed in."
    return EntraError(400, "login_required", 50058, text)


def interaction_required() -> EntraError:
    text = "Silent sign-in request was sent, but signing in to this app needs the person to confirm."
    return EntraError(400, "interaction_required", 16000, text)


def sign_in_declined() -> EntraError:
    return EntraError(400, "access_denied", 65004, "User declined to sign in to the app.")


def form_not_own() -> EntraError:
    text = "The form is not from a page of this server's, or is too old, or cookies are off. Go back and try again."
    return EntraError(400, "invalid_request", 165000, text)


def user_code_unknown() -> EntraError:
    text = "That code is wrong, expired or already used. Check the code on the device."
    return EntraError(400, "invalid_request", 70018, text)


def _echo(text: str) -> str:
    """What the caller sent, so that they find their mistake, in a form that can do nothing in a terminal or a log."""
    return "".join(letter if letter.isprintable() else "?" for letter in text[:_MAX_ECHO])
