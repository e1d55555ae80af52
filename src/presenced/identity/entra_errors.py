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


def _echo(text: str) -> str:
    """What the caller sent, so that they find their mistake, in a form that can do nothing in a terminal or a log."""
    return "".join(letter if letter.isprintable() else "?" for letter in text[:_MAX_ECHO])
