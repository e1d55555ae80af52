"""AuthorizationRequest: what an app asks of the sign-in page, checked (RFC 6749 section 4.1.1, RFC 7636).

First the app and the redirect URI. Until those are right, nothing is sent anywhere: a page says what is wrong. What is
wrong after that is told to the app, at its redirect URI.
"""

import re
from collections.abc import Mapping
from typing import Literal, NamedTuple

from presenced.identity.apps import App, Apps
from presenced.identity.entra_errors import (
    app_not_found,
    challenge_missing,
    challenge_wrong,
    parameter_missing,
    parameter_not_supported,
    parameter_too_long,
    reply_address_missing,
    reply_address_unknown,
    response_type_not_supported,
)
from presenced.identity.redirect_uris import Platform, origin_of

RESPONSE_MODES = ("query", "fragment", "form_post")
PROMPTS = ("none", "login", "select_account", "consent", "create")
_CHALLENGE = re.compile(r"[\w-]{43}", re.ASCII)
_LONGEST = {"scope": 4096, "state": 8192, "nonce": 1024, "login_hint": 256}

ResponseMode = Literal["query", "fragment", "form_post"]

FIELDS = (
    "client_id", "redirect_uri", "response_type", "response_mode", "scope", "state", "nonce", "prompt", "login_hint",
    "code_challenge", "code_challenge_method", "client_info",
)  # fmt: skip
"""What is read of a request, and what the page's form repeats. Everything else clients send changes nothing."""


class Target(NamedTuple):
    """Where the answer goes, and how."""

    app: App
    platforms: frozenset[Platform]
    redirect_uri: str
    mode: ResponseMode
    state: str | None

    @classmethod
    def read(cls, fields: Mapping[str, str], tenant: str, apps: Apps) -> "Target":
        """The target of a request. Raises EntraError, which is for a page: there is nowhere to send it."""
        client_id = fields.get("client_id", "")
        if not client_id:
            raise parameter_missing("client_id")
        app = apps.get(tenant, client_id)
        if app is None:
            raise app_not_found(client_id, tenant)
        redirect_uri = fields.get("redirect_uri", "")
        if not redirect_uri:
            raise reply_address_missing()
        platforms = app.platforms_of(redirect_uri)
        if not platforms:
            raise reply_address_unknown(redirect_uri, app.id)
        mode = fields.get("response_mode") or "query"
        if mode not in RESPONSE_MODES or (mode == "form_post" and origin_of(redirect_uri) is None):
            raise parameter_not_supported("response_mode", mode, ", ".join(RESPONSE_MODES))
        state = fields.get("state")
        if state is not None and len(state) > _LONGEST["state"]:
            raise parameter_too_long("state")
        return cls(app, platforms, redirect_uri, mode, state)  # type: ignore[arg-type]


class AuthorizationRequest(NamedTuple):
    """What is asked for."""

    target: Target
    scope: str
    prompt: str | None
    login_hint: str
    nonce: str | None
    challenge: str | None
    client_info: bool

    @classmethod
    def read(cls, fields: Mapping[str, str], target: Target) -> "AuthorizationRequest":
        """The rest of a request. Raises EntraError, which is for the app to be told."""
        for name, longest in _LONGEST.items():
            if len(fields.get(name, "")) > longest:
                raise parameter_too_long(name)
        response_type = fields.get("response_type", "")
        if not response_type:
            raise parameter_missing("response_type")
        if response_type != "code":
            raise response_type_not_supported(response_type)
        prompt = fields.get("prompt") or None
        if prompt is not None and prompt not in PROMPTS:
            raise parameter_not_supported("prompt", prompt, ", ".join(PROMPTS))
        if not fields.get("scope"):
            raise parameter_missing("scope")
        return cls(
            target,
            fields["scope"],
            prompt,
            fields.get("login_hint", "").strip().lower(),
            fields.get("nonce"),
            _challenge(fields, target.platforms),
            fields.get("client_info") == "1",
        )


def _challenge(fields: Mapping[str, str], platforms: frozenset[Platform]) -> str | None:
    """The PKCE challenge. A server with a proof of its own may do without."""
    challenge = fields.get("code_challenge")
    if not challenge:
        if platforms != {"web"} or "code_challenge_method" in fields:
            raise challenge_missing()
        return None
    method = fields.get("code_challenge_method", "plain")
    if method != "S256":
        raise parameter_not_supported("code_challenge_method", method, "S256")
    if not _CHALLENGE.fullmatch(challenge):
        raise challenge_wrong()
    return challenge
