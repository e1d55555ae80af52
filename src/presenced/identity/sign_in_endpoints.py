"""The endpoints people meet with a browser: authorize, the sign-in form, device login, logout (spec B.3, B.4)."""

import base64
import uuid
from collections.abc import Awaitable, Callable, Mapping
from urllib.parse import quote, urlencode

import structlog
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from presenced.identity.authorization_codes import Authorized
from presenced.identity.authorization_request import FIELDS, AuthorizationRequest, Target
from presenced.identity.browser_sessions import SignedIn
from presenced.identity.delegated_answer import client_info, granted, read_scopes
from presenced.identity.device_codes import DeviceSignIn
from presenced.identity.entra_errors import (
    EntraError,
    form_not_own,
    interaction_required,
    locked,
    login_required,
    malformed_request,
    sign_in_declined,
    transient,
    user_code_unknown,
)
from presenced.identity.identity import Identity
from presenced.identity.issuer import User
from presenced.identity.jws import Jws, Malformed
from presenced.identity.pages import PRIVATE, Line, message, page
from presenced.identity.person_sign_in import sign_in, still_signed_in
from presenced.identity.tenant_of import tenant_of
from presenced.identity.token_request import parse_fields, read_form
from presenced.store.base import StoreUnavailable

_log = structlog.get_logger()

Answering = Callable[[Identity, Request], Awaitable[Response]]


def sign_in_routes(identity: Identity) -> list[Route]:
    """The routes, over these parts."""

    def at(path: str, answering: Answering, *methods: str) -> Route:
        async def endpoint(request: Request) -> Response:
            try:
                return await answering(identity, request)
            except EntraError as error:
                return _refusal(error)
            except StoreUnavailable:
                return _refusal(transient())

        return Route(path, endpoint, methods=list(methods), name=answering.__name__)

    return [
        at("/{tenant}/oauth2/v2.0/authorize", authorize, "GET", "POST"),
        at("/{tenant}/login", login, "POST"),
        at("/{tenant}/oauth2/v2.0/logout", logout, "GET", "POST"),
        at("/devicelogin", device_login, "GET", "POST"),
    ]


async def authorize(identity: Identity, request: Request) -> Response:
    """The authorization endpoint: straight back to the app if this browser's person is known, else the page."""
    tenant = tenant_of(identity, request)
    fields = await _fields(request)
    target = Target.read(fields, tenant, identity.apps)
    try:
        asked = _asked(identity, request, fields, target)
        people = await _people(identity, request, tenant)
        known = [user for user in people if asked.login_hint in ("", (user[1].user_principal_name or "").lower())]
        # To a program on this machine only after a click: nothing says which program listens (RFC 8252 section 8.6).
        # What is registered for a page as well may still ask for silence, as pages do in a hidden frame.
        allowed = {None: "native" not in target.platforms, "none": target.platforms != {"native"}}
        if len(known) == 1 and allowed.get(asked.prompt, False):
            return _authorized(identity, tenant, asked, known[0])
        if asked.prompt == "none":
            raise interaction_required() if known else login_required()
        return _sign_in_page(identity, request, tenant, fields, asked, [] if asked.prompt == "login" else people)
    except EntraError as error:
        return _told(target, error)


async def login(identity: Identity, request: Request) -> Response:
    """What the sign-in page's forms send."""
    tenant = tenant_of(identity, request)
    fields = await read_form(request)
    if not identity.sessions.is_own_form(request, fields.get("form_value", "")):
        raise form_not_own()
    if "user_code" in fields:
        return await _login_for_device(identity, request, tenant, fields)
    wanted = _unpacked(fields.get("request", ""))
    target = Target.read(wanted, tenant, identity.apps)
    try:
        asked = _asked(identity, request, wanted, target)
        if "cancel" in fields:
            raise sign_in_declined()
    except EntraError as error:
        return _told(target, error)
    people = [] if asked.prompt == "login" else await _people(identity, request, tenant)
    try:
        user = await _who(identity, tenant, fields, people)
    except EntraError as error:
        return _sign_in_page(identity, request, tenant, wanted, asked, people, error, _typed(fields))
    response = _authorized(identity, tenant, asked, user)
    _remember(identity, request, response, tenant, user)
    return response


async def device_login(identity: Identity, request: Request) -> Response:
    """Where somebody types the code that a device shows."""
    if request.method != "POST":
        return _device_page(identity, request)
    fields = await read_form(request)
    if not identity.sessions.is_own_form(request, fields.get("form_value", "")):
        raise form_not_own()
    try:
        waiting = _waiting(identity, request, fields.get("user_code", ""))
    except EntraError as error:
        return _device_page(identity, request, error)
    people = await _people(identity, request, waiting.tenant)
    return _device_sign_in_page(identity, request, waiting, people)


async def logout(identity: Identity, request: Request) -> Response:
    """End the browser's session; then to the app, if it registered the address (OIDC RP-initiated logout)."""
    tenant = tenant_of(identity, request)
    fields = await _fields(request)
    uri = fields.get("post_logout_redirect_uri", "")
    app_id = fields.get("client_id") or _audience(identity, fields.get("id_token_hint", ""))
    apps = identity.apps.list(tenant) if app_id is None else [identity.apps.get(tenant, app_id)]
    response: Response
    if uri and any(app is not None and app.platforms_of(uri) for app in apps):
        response = _redirect(uri, {"state": fields["state"]} if "state" in fields else {})
    else:
        lines = [Line("You may close this window.")]
        if uri:
            lines.append(Line("The app's address to go back to is not registered, so it is not used.", quiet=True))
        response = message("You are signed out", *lines)
    identity.sessions.end(request, response)
    return response


async def _login_for_device(identity: Identity, request: Request, tenant: str, fields: Mapping[str, str]) -> Response:
    waiting = _waiting(identity, request, fields["user_code"])
    if waiting.tenant != tenant:
        raise user_code_unknown()
    if "cancel" in fields:
        waiting.declined = True
        return message("Not signed in", "The device is told. You may close this window.")
    people = await _people(identity, request, tenant)
    try:
        user = await _who(identity, tenant, fields, people)
        if identity.device_codes.find(waiting.user_code) is not waiting:  # expired or decided meanwhile
            raise user_code_unknown()
    except EntraError as error:
        return _device_sign_in_page(identity, request, waiting, people, error, _typed(fields))
    waiting.person, waiting.stamp = user[0], identity.passwords.stamp(tenant, user[0])
    response = message(
        "You are signed in",
        f"as {_display_name(user)} to {_app_name(identity, waiting)} on your device. You may close this window.",
    )
    _remember(identity, request, response, tenant, user)
    return response


def _asked(identity: Identity, request: Request, fields: Mapping[str, str], target: Target) -> AuthorizationRequest:
    asked = AuthorizationRequest.read(fields, target)
    hosts = identity.base_urls.hosts(request.scope)
    granted(target.app, read_scopes(identity, target.app.tenant, hosts, asked.scope))
    return asked


async def _people(identity: Identity, request: Request, tenant: str) -> list[User]:
    """Who of a tenant has signed in with this browser and still counts as signed in."""
    here = [one for one in identity.sessions.people(request) if one.tenant == tenant]
    found = [await still_signed_in(identity, tenant, one.person, one.stamp) for one in here]
    return [user for user in found if user is not None]


async def _who(identity: Identity, tenant: str, fields: Mapping[str, str], people: list[User]) -> User:
    """Who signs in by this form: one of ``people``, or whoever knows their name and password. Raises EntraError."""
    if "continue_as" in fields:
        for user in people:
            if user[0] == fields["continue_as"]:
                return user
        raise login_required()
    return await sign_in(identity, tenant, _typed(fields), fields.get("password", ""))


def _typed(fields: Mapping[str, str]) -> str:
    """The name in a form: typed, or else chosen."""
    return fields.get("username", "").strip() or fields.get("person", "")


def _packed(wanted: Mapping[str, str]) -> str:
    """An authorization request as one field of a form. Apart, browsers would change what line breaks it has."""
    return base64.urlsafe_b64encode(urlencode(wanted).encode()).decode()


def _unpacked(packed: str) -> dict[str, str]:
    """That request again. Raises EntraError. It is checked anew: whoever sends the form can write it."""
    try:
        return parse_fields(base64.urlsafe_b64decode(packed.encode()))
    except ValueError as error:
        raise malformed_request("The form's field 'request' is damaged.") from error


def _waiting(identity: Identity, request: Request, user_code: str) -> DeviceSignIn:
    """The device that waits for this code. Wrong ones are counted by where they come from. Raises EntraError."""
    guesser = request.client.host if request.client else ""
    if identity.guesses.locked("devicelogin", guesser):
        raise locked()
    waiting = identity.device_codes.find(user_code)
    if waiting is None:
        identity.guesses.failed("devicelogin", guesser)
        raise user_code_unknown()
    return waiting


def _authorized(identity: Identity, tenant: str, asked: AuthorizationRequest, user: User) -> Response:
    target, person = asked.target, user[0]
    authorized = Authorized(
        tenant=tenant,
        app=target.app.id,
        person=person,
        stamp=identity.passwords.stamp(tenant, person),
        scope=asked.scope,
        redirect_uri=target.redirect_uri,
        platforms=target.platforms,
        challenge=asked.challenge,
        nonce=asked.nonce,
    )
    answer = {"code": identity.codes.issue(authorized)}
    if asked.client_info:
        answer["client_info"] = client_info(person, tenant)
    return _answered(target, answer)


def _told(target: Target, error: EntraError) -> Response:
    """Tell the app what is wrong."""
    _log.info("sign_in_refused", number=error.number, error=error.error)
    return _answered(target, {"error": error.error, "error_description": f"AADSTS{error.number}: {error.text}"})


def _answered(target: Target, answer: dict[str, str]) -> Response:
    """The answer to the app, in the mode it asked for."""
    if target.state is not None:
        answer = {**answer, "state": target.state}
    if target.mode == "form_post":
        uri = target.redirect_uri
        return page("form_post.html", "Back to the app", redirect_uri=uri, action=uri, fields=answer)
    return _redirect(target.redirect_uri, answer, fragment=target.mode == "fragment")


def _redirect(uri: str, answer: dict[str, str], *, fragment: bool = False) -> Response:
    if answer:
        uri += ("#" if fragment else "&" if "?" in uri else "?") + urlencode(answer, quote_via=quote)
    response = RedirectResponse("", 302, PRIVATE)
    # Starlette would escape it anew; what is registered is ASCII, and what is added is escaped
    response.headers["Location"] = uri
    return response


def _remember(identity: Identity, request: Request, response: Response, tenant: str, user: User) -> None:
    identity.sessions.add(request, response, SignedIn(tenant, user[0], identity.passwords.stamp(tenant, user[0])))


def _sign_in_page(
    identity: Identity,
    request: Request,
    tenant: str,
    wanted: Mapping[str, str],
    asked: AuthorizationRequest,
    people: list[User],
    error: EntraError | None = None,
    typed: str = "",
) -> Response:
    kept = {"request": _packed({name: wanted[name] for name in FIELDS if name in wanted})}
    typed = typed or asked.login_hint
    return _form(
        identity,
        request,
        tenant,
        kept,
        asked.target.app.name,
        people,
        typed,
        error,
        redirect_uri=asked.target.redirect_uri,
    )


def _device_sign_in_page(
    identity: Identity,
    request: Request,
    waiting: DeviceSignIn,
    people: list[User],
    error: EntraError | None = None,
    typed: str = "",
) -> Response:
    kept = {"user_code": waiting.user_code}
    return _form(
        identity, request, waiting.tenant, kept, _app_name(identity, waiting), people, typed, error, on_device=True
    )


def _form(
    identity: Identity,
    request: Request,
    tenant: str,
    kept: dict[str, str],
    app: str,
    people: list[User],
    typed: str,
    error: EntraError | None,
    *,
    on_device: bool = False,
    redirect_uri: str | None = None,
) -> Response:
    suggested = identity.suggest(identity.apps, tenant)
    form_value = identity.sessions.form_value(request)
    name = typed.lower()
    is_suggested = any(profile.user_principal_name == name for profile in suggested.people)
    response = page(
        "sign_in.html",
        "Sign in",
        status=200 if error is None else 400,
        redirect_uri=redirect_uri,
        action=f"/{tenant}/login",
        fields={**kept, "form_value": form_value},
        app=app,
        on_device=on_device,
        error=error and error.text,
        people=[{"id": user[0], "name": _display_name(user)} for user in people],
        suggested=suggested.people,
        known_password=suggested.password,
        name=name,
        typed="" if is_suggested else typed,
    )
    identity.sessions.set_form_value(request, response, form_value)
    return response


def _device_page(identity: Identity, request: Request, error: EntraError | None = None) -> Response:
    form_value = identity.sessions.form_value(request)
    response = page(
        "device.html",
        "Sign in on a device",
        status=200 if error is None else 400,
        form_value=form_value,
        error=error and error.text,
    )
    identity.sessions.set_form_value(request, response, form_value)
    return response


def _refusal(error: EntraError) -> Response:
    """A page that says what is wrong, when there is no app to be told."""
    correlation_id = str(uuid.uuid4())
    _log.info("sign_in_refused", number=error.number, error=error.error, correlation_id=correlation_id)
    return message(
        "Sorry, this sign-in cannot go on",
        f"AADSTS{error.number}: {error.text}",
        Line(f"Correlation ID: {correlation_id}", quiet=True),
        status=error.status,
    )


async def _fields(request: Request) -> dict[str, str]:
    if request.method == "POST":
        return await read_form(request)
    try:
        return parse_fields(request.scope["query_string"])
    except ValueError as error:
        raise malformed_request("The query is not in UTF-8, or has too many fields.") from error


def _audience(identity: Identity, id_token: str) -> str | None:
    """The app that an id token of this server's was for, however old; None if it is none."""
    try:
        jws = Jws.parse(id_token)
    except Malformed:
        return None
    key = None if jws.kid is None else identity.keys.find(jws.kid)
    return jws.text_claim("aud") if key is not None and jws.signed_by(key, ("RS256",)) else None


def _app_name(identity: Identity, waiting: DeviceSignIn) -> str:
    app = identity.apps.get(waiting.tenant, waiting.app)
    return app.name if app else waiting.app


def _display_name(user: User) -> str:
    return user[1].display_name or user[1].user_principal_name or user[0]
