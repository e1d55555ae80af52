"""Client: an app that has proved who it is to the token endpoint (RFC 6749 section 2.3, RFC 7523 section 2.2)."""

import base64
import binascii
import hashlib
from typing import NamedTuple
from urllib.parse import unquote_plus

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from joserfc.jwk import RSAKey

from presenced.identity.apps import App, Apps
from presenced.identity.entra_errors import (
    app_not_found,
    malformed_request,
    parameter_missing,
    proof_missing,
    wrong_assertion,
    wrong_secret,
)
from presenced.identity.issuer import Proof
from presenced.identity.jws import Jws, Malformed
from presenced.identity.token_request import TokenRequest

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
ASSERTION_ALGORITHMS = ("RS256", "PS256")
# MSAL's assertions live 10 minutes; Entra's documentation asks for a short life. One for a year would be a password.
LONGEST_ASSERTION = 24 * 3600.0
_TO_BASE64URL = str.maketrans("+/", "-_")


class Client(NamedTuple):
    """The app, and how it proved that it is it: ``public`` if it did not."""

    app: App
    proof: Proof


def authenticate(request: TokenRequest, apps: Apps, now: float) -> Client:
    """Who asks for a token, by certificate, secret, or without proof. Raises EntraError."""
    basic = _basic(request.authorization)
    client_id = request.form.get("client_id") or (basic[0] if basic else "")
    if not client_id:
        raise parameter_missing("client_id")
    if basic and basic[0] != client_id:
        raise malformed_request("The client_id in the body is not the one in the Authorization header.")
    app = apps.get(request.tenant, client_id)
    if app is None:
        raise app_not_found(client_id, request.tenant)
    if "client_assertion" in request.form:
        if request.form.get("client_assertion_type") != ASSERTION_TYPE:
            raise wrong_assertion("The client_assertion_type is not jwt-bearer.")
        _check_assertion(request.form["client_assertion"], app, request.audiences, now)
        return Client(app, "certificate")
    # RFC 6749 has the two halves of Basic form-encoded, and some clients do not: take the secret either way.
    secrets = basic[1] if basic else (request.form.get("client_secret", ""),)
    if not any(secrets):
        return Client(app, "public")
    if not any(apps.verify_secret(app, secret) for secret in secrets):
        raise wrong_secret(app.id)
    return Client(app, "secret")


def authenticate_confidential(request: TokenRequest, apps: Apps, now: float) -> Client:
    """As ``authenticate``, for grants that need a proof. Raises EntraError."""
    client = authenticate(request, apps, now)
    if client.proof == "public":
        raise proof_missing()
    return client


def _basic(authorization: str) -> tuple[str, tuple[str, str]] | None:
    """The client id, and the secret as sent and unescaped."""
    scheme, _, credentials = authorization.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        client_id, colon, secret = base64.b64decode(credentials.strip(), validate=True).decode().partition(":")
    except (binascii.Error, ValueError) as error:
        raise malformed_request("The Authorization header is not Basic authentication.") from error
    if not colon:
        raise malformed_request("The Authorization header is not Basic authentication.")
    return unquote_plus(client_id), (secret, unquote_plus(secret))


def _check_assertion(text: str, app: App, audiences: frozenset[str], now: float) -> None:
    """Check that the holder of one of the app's certificates made this, for this server, and not long ago.

    An assertion may come again until it expires: MSAL sends the same one for its whole life, so ``jti`` is not
    remembered. That leaves it as good as a short-lived secret for this one server, which is why the audience matters.
    """
    try:
        jws = Jws.parse(text)
        expires, not_before = jws.instant("exp"), jws.instant("nbf")
    except Malformed as error:
        raise wrong_assertion("The assertion is not a well formed JWT.") from error
    certificate = _certificate(jws, app)
    if certificate is None:
        raise wrong_assertion("The key was not found: x5t names no certificate of this application.")
    key = certificate.public_key()
    if not isinstance(key, RSAPublicKey) or not jws.signed_by(RSAKey.import_key(key), ASSERTION_ALGORITHMS):
        raise wrong_assertion("The signature is not by that certificate's key.")
    if not certificate.not_valid_before_utc.timestamp() <= now <= certificate.not_valid_after_utc.timestamp():
        raise wrong_assertion("The certificate is expired or not yet valid.")
    if not (str(jws.claims.get("iss")).lower() == str(jws.claims.get("sub")).lower() == app.id):
        raise wrong_assertion("iss and sub must both be the client_id.")
    claimed = jws.claims.get("aud")
    if not isinstance(claimed, str) or claimed not in audiences:
        raise wrong_assertion(
            "The audience is not this server's token endpoint or issuer. Behind a proxy, set the public URL."
        )
    if expires is None or now >= expires:
        raise wrong_assertion("The assertion is expired, or has no exp.")
    if expires > now + LONGEST_ASSERTION:
        raise wrong_assertion("The assertion is valid for more than 24 hours.")
    if not_before is not None and now < not_before:
        raise wrong_assertion("The assertion is not yet valid.")


def _certificate(jws: Jws, app: App) -> x509.Certificate | None:
    """The registered certificate that the header names by hash: x5t (SHA-1, MSAL's default) or x5t#S256."""
    names = [jws.header.get("x5t") or "", jws.header.get("x5t#S256") or ""] if _hashable(jws) else []
    # MSAL for Python pads it, and MSAL for Go writes it in base64 instead of base64url
    named = {name.rstrip("=").translate(_TO_BASE64URL) for name in names}
    for der in app.certificates:
        # SHA-1 only finds the certificate here; what is trusted is the registered certificate's key.
        thumbprints = {_base64url(hashlib.sha1(der).digest()), _base64url(hashlib.sha256(der).digest())}  # noqa: S324
        if thumbprints & named:
            return x509.load_der_x509_certificate(der)
    return None


def _hashable(jws: Jws) -> bool:
    return all(isinstance(jws.header.get(name, ""), str) for name in ("x5t", "x5t#S256"))


def _base64url(digest: bytes) -> str:
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
