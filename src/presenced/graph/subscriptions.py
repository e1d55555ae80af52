"""Subscriptions: being told of presence, as Graph's subscription resource has it.

Sources: the pages subscription-post-subscriptions, -list, -get, -update, -delete and -reauthorize, "Get presence change
notifications", and for the refusals what users of Graph were answered (spec A.8). Graph's rules by default: delegated
permission only, one subscription for each user and application, 650 people, at most an hour. The setting ``extensions``
lifts them.
"""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import msgspec
from msgspec import UNSET

from presenced.graph.body import decode_optional
from presenced.graph.call import NO_CONTENT, Answer, Call, context
from presenced.graph.errors import GraphError
from presenced.graph.operation import Operation, Parts
from presenced.graph.query import Query, read_query
from presenced.graph.subscription_requests import NewSubscription, SubscriptionChange, invalid, read_change, read_new
from presenced.identity.caller import Caller
from presenced.notify.addresses import AddressRefused, check_url
from presenced.notify.certificate import CertificateRefused, read_certificate
from presenced.notify.handshake import ValidationFailed, validate
from presenced.notify.notification import date_time
from presenced.notify.subscription import MOST_IDS, NoPresence, Subscription, parse_resource
from presenced.notify.subscriptions import Owner

SHORTEST_LIFE, LONGEST_LIFE = 45 * 60.0, 60 * 60.0
LONGEST_EXTENDED_LIFE = 3 * 86400.0
"""Seconds. A shorter life is raised to the shortest, a longer one refused."""

_LONGEST_RESOURCE, _LONGEST_EXTENDED_RESOURCE = 64 * 1024, 1 << 20
_MOST_EXTENDED_IDS = 20_000
_MOST_OF_OWNER = 1000
_TWICE = (
    "Operation: Create; Exception:[Status Code: Conflict; Reason: A subscripton already exists. "
    "It must be deleted before a another can be made.]"
)
_FORBIDDEN = (
    "Operation: {}; Exception: [Status Code: Forbidden; Reason: The request is not authorized for this user or "
    "application.]"
)


class _Shown(msgspec.Struct, rename="camel"):
    """A subscription as it is answered: never with its certificate, which is its owner's to know."""

    id: str
    resource: str
    application_id: str
    change_type: str
    client_state: str | None
    notification_url: str
    notification_query_options: str | None
    lifecycle_notification_url: str | None
    expiration_date_time: str
    creator_id: str
    include_resource_data: bool
    latest_supported_tls_version: str
    encryption_certificate: str | None
    encryption_certificate_id: str | None
    notification_url_app_id: str | None
    notification_content_type: str = "application/json"


async def _create(parts: Parts, call: Call, new: NewSubscription) -> Answer:
    notify, caller = parts.notify, call.caller
    ids = _target(parts, str(new.resource))
    now = notify.clock.now()
    expires_at = _expiry(parts, str(new.expiration_date_time), now)
    if new.encryption_certificate:
        _check_certificate(new.encryption_certificate, now)
    urls = [str(new.notification_url), *([new.lifecycle_notification_url] if new.lifecycle_notification_url else [])]
    _check_urls(parts, urls)
    owner = _owner(caller)
    # where one owner may have several, only the same one twice is in its own way
    making = (*owner, str(new.resource).strip("/").lower()) if notify.extensions else owner
    async with notify.subscriptions.being_made(making) as first:
        owned = notify.subscriptions.of(owner)
        if not first or (owned and not notify.extensions):
            raise GraphError(409, "ExtensionError", _TWICE)
        if len(owned) >= _MOST_OF_OWNER:
            reason = f"At most {_MOST_OF_OWNER} subscriptions can be held by one user or application."
            text = f"Operation: Create; Exception: [Status Code: Forbidden; Reason: {reason}]"
            raise GraphError(403, "ExtensionError", text)
        for known in owned:
            if known.resource.strip("/").lower() == str(new.resource).strip("/").lower():
                text = f"Subscription Id {known.id} already exists for the requested combination"
                raise GraphError(409, "ExtensionError", text)
        for url in urls:
            await _validate(parts, call, url)
        subscription = Subscription(
            str(uuid4()),
            caller.tenant,
            caller.app,
            caller.user,
            caller.user or caller.app,
            str(new.resource),
            ids,
            str(new.notification_url),
            expires_at,
            now,
            caller.expires_at,
            new.lifecycle_notification_url or None,
            new.client_state,
            bool(new.include_resource_data),
            new.encryption_certificate or None,
            new.encryption_certificate_id,
            new.latest_supported_tls_version or "v1_2",
            new.notification_url_app_id,
        )
        await notify.notifier.begin(subscription)
    return Answer(201, _entity(call, subscription, Query()))


async def _list(parts: Parts, call: Call, request: None) -> Answer:
    shown = [_shown(one, listed=True) for one in parts.notify.subscriptions.of(_owner(call.caller))]
    return Answer(200, context(call, "subscriptions") + b',"value":' + msgspec.json.encode(shown) + b"}")


def _read_select(call: Call) -> Query:
    members = tuple(field.encode_name for field in msgspec.structs.fields(_Shown))
    return read_query(call.query, members, "subscription", ("$select", "$expand"))


async def _get(parts: Parts, call: Call, query: Query) -> Answer:
    return Answer(200, _entity(call, _find(parts, call), query))


async def _update(parts: Parts, call: Call, change: SubscriptionChange) -> Answer:
    """Change or renew a subscription, which also authorises it anew."""
    before = _find(parts, call)
    now = parts.notify.clock.now()
    given: dict[str, Any] = {}
    if isinstance(change.expiration_date_time, str):
        given["expires_at"] = _expiry(parts, change.expiration_date_time, now)
    if isinstance(change.encryption_certificate, str):
        _check_certificate(change.encryption_certificate, now)
        given["certificate"] = change.encryption_certificate
    if change.encryption_certificate_id is not UNSET:
        given["certificate_id"] = change.encryption_certificate_id
    url = change.notification_url
    if isinstance(url, str) and url != before.notification_url:
        _check_urls(parts, [url])
        async with parts.notify.subscriptions.being_made((before.id,)) as first:
            if not first:  # one handshake at a time for each owner
                raise GraphError(409, "ExtensionError", "Another notificationUrl of yours is being validated.")
            await _validate(parts, call, url)
        given["notification_url"] = url
    return Answer(200, _entity(call, await _authorise(parts, call, given), Query()))


async def _delete(parts: Parts, call: Call, request: None) -> Answer:
    gone = await parts.notify.subscriptions.remove(_find(parts, call).id)
    if gone is None:
        raise _not_found()
    await parts.notify.notifier.forget(gone)
    return NO_CONTENT


def _read_nothing(call: Call) -> None:
    decode_optional(call.body, call.content_type, dict[str, Any])


async def _reauthorize(parts: Parts, call: Call, request: None) -> Answer:
    await _authorise(parts, call, {})
    return NO_CONTENT


async def _authorise(parts: Parts, call: Call, given: dict[str, Any]) -> Subscription:
    """Keep the subscription with what is ``given``, authorised by the caller's token from now on."""
    before = _find(parts, call)  # it may have been deleted while its new endpoint was asked
    authorised = {
        "authorised_at": parts.notify.clock.now(),
        "authorised_until": call.caller.expires_at,
        "reminded": False,
    }
    replaced = before

    def change(now: Subscription) -> Subscription:
        nonlocal replaced
        replaced = now
        return msgspec.structs.replace(now, **authorised, **given)

    changed = await parts.notify.subscriptions.change(before.id, change)
    if changed is None:
        raise _not_found()
    await parts.notify.notifier.resume(replaced, changed)
    return changed


def _find(parts: Parts, call: Call) -> Subscription:
    found = parts.notify.subscriptions.get(call.key.lower())
    if found is None or (found.tenant, found.app, found.user) != _owner(call.caller):
        raise _not_found()
    return found


def _not_found() -> GraphError:
    return GraphError(404, "ResourceNotFound", "The object was not found.")


def _owner(caller: Caller) -> Owner:
    return caller.tenant, caller.app, caller.user


def _target(parts: Parts, resource: str) -> tuple[str, ...] | None:
    longest = _LONGEST_EXTENDED_RESOURCE if parts.notify.extensions else _LONGEST_RESOURCE
    if len(resource) > longest:
        raise invalid(f"resource is longer than {longest} characters.")
    try:
        ids = parse_resource(resource).ids
    except NoPresence as refused:
        raise invalid(str(refused)) from None
    if ids is None and not parts.notify.extensions:
        raise invalid("communications/presences without a filter can only be subscribed to with extensions = true.")
    most = _MOST_EXTENDED_IDS if parts.notify.extensions else MOST_IDS
    if ids is not None and len(ids) > most:
        reason = f"At most {most} people can be in one subscription; {len(ids)} were sent."
        text = f"Operation: Create; Exception: [Status Code: Forbidden; Reason: {reason}]"
        raise GraphError(403, "ExtensionError", text)
    return ids


def _expiry(parts: Parts, text: str, now: float) -> float:
    try:
        when = datetime.fromisoformat(text)
        at = when.replace(tzinfo=when.tzinfo or UTC).timestamp()
    except (ValueError, OverflowError):
        raise invalid("expirationDateTime is not a date and time such as 2026-11-23T11:00:00.0000000Z.") from None
    if at <= now:
        raise GraphError(400, "ExtensionError", "Subscription expiration must be in the future.")
    longest = LONGEST_EXTENDED_LIFE if parts.notify.extensions else LONGEST_LIFE
    if at > now + longest + 60:  # clocks differ a little, and clients ask for exactly an hour
        text = f"Subscription expiration can only be {longest / 60:.0f} minutes in the future."
        raise GraphError(400, "ExtensionError", text)
    return max(at, now + SHORTEST_LIFE)


def _check_certificate(text: str, now: float) -> None:
    try:
        read_certificate(text, now)
    except CertificateRefused as refused:
        raise GraphError(400, "ValidationError", str(refused)) from None


def _check_urls(parts: Parts, urls: list[str]) -> None:
    for url in urls:
        try:
            check_url(url, parts.notify.rules)
        except AddressRefused as refused:
            raise invalid(refused.message) from None


async def _validate(parts: Parts, call: Call, url: str) -> None:
    owner = call.caller.tenant, call.caller.app
    generation = parts.notify.notifier.generation
    try:
        await validate(parts.notify.client, url, parts.notify.notifier.interceptor, owner)
    except ValidationFailed as failed:
        raise GraphError(400, failed.code, failed.message) from None
    if parts.notify.notifier.generation != generation:
        raise GraphError(503, "ServiceNotAvailable", "The server was reset while the endpoint was validated.")


def _entity(call: Call, subscription: Subscription, query: Query) -> bytes:
    shown = query.select(msgspec.json.encode(_shown(subscription)))
    return context(call, f"subscriptions{query.fragment}/$entity") + b"," + shown[1:]


def _shown(one: Subscription, *, listed: bool = False) -> _Shown:
    return _Shown(
        id=one.id,
        resource=one.resource,
        application_id=one.app,
        change_type="updated",
        client_state=None if listed else one.client_state,
        notification_url=one.notification_url,
        notification_query_options=None,
        lifecycle_notification_url=one.lifecycle_url,
        expiration_date_time=date_time(one.expires_at),
        creator_id=one.creator,
        include_resource_data=one.include_resource_data,
        latest_supported_tls_version=one.tls_version,
        encryption_certificate=None,
        encryption_certificate_id=one.certificate_id,
        notification_url_app_id=one.notification_url_app_id,
    )


def _operation(
    name: str,
    method: str,
    template: str,
    run: Callable[[Parts, Call, Any], Awaitable[Answer]],
    read: Callable[[Call], Any],
    budget: str,
    word: str,
    **more: Any,
) -> Operation:
    return Operation(
        name,
        method,
        (template,),
        "subscriptions",
        run,
        read,
        needs_extended="subscriptionsExtended",
        budget=budget,
        forbidden=("ExtensionError", _FORBIDDEN.format(word)),
        **more,
    )


_ALL, _ONE, _WRITE = "subscriptions", "subscriptions/{id}", "writeSubscription"

OPERATIONS = (
    _operation(
        "createSubscription", "POST", _ALL, _create, read_new, _WRITE, "Create", takes=NewSubscription, gives=_Shown
    ),
    _operation(
        "listSubscriptions", "GET", _ALL, _list, _read_nothing, "listSubscriptions", "Read", gives=_Shown, many=True
    ),
    _operation("getSubscription", "GET", _ONE, _get, _read_select, "readSubscription", "Read", gives=_Shown),
    _operation(
        "updateSubscription",
        "PATCH",
        _ONE,
        _update,
        read_change,
        _WRITE,
        "Update",
        takes=SubscriptionChange,
        gives=_Shown,
    ),
    _operation("deleteSubscription", "DELETE", _ONE, _delete, _read_nothing, _WRITE, "Delete"),
    _operation(
        "reauthorizeSubscription",
        "POST",
        f"{_ONE}/reauthorize",
        _reauthorize,
        _read_nothing,
        "reauthorizeSubscription",
        "Update",
    ),
)
