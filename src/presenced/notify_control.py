"""Notify control: what the owner of a data folder may ask about subscriptions and deliveries (see control.py).

The rule: what a stopped folder cannot know is None, never a zero that looks like an answer. The counts of deliveries
are of the server's run; the backlog is on disk.
"""

from typing import Any, Literal

import msgspec

from presenced.notify.endpoint import Endpoint
from presenced.notify.notify import Notify
from presenced.store.base import Store


class DeliveriesRequest(msgspec.Struct):
    """Nothing to choose."""


class SubscriptionShown(msgspec.Struct):
    """A subscription as its owner's list shows it. Instants are seconds since 1970 UTC; ``people`` None: everybody."""

    id: str
    tenant: str
    app: str
    user: str | None
    resource: str
    people: int | None
    notification_url: str
    lifecycle_url: str | None
    rich: bool
    expires_at: float
    expires_in: float
    authorised_until: float
    paused: bool


class EndpointShown(msgspec.Struct):
    """The deliveries to one URL; those of this run are None if nothing runs. ``next_try`` is seconds since 1970 UTC."""

    url: str
    waiting: int
    delivered: int | None = None
    failed_posts: int | None = None
    dropped: int | None = None
    last_error: str | None = None
    next_try: float | None = None
    state: Literal["normal", "slow", "drop"] | None = None


class About(msgspec.Struct):
    """What a receiver of this server's notifications checks them by."""

    tenant: str
    issuer: str


def list_subscriptions(notify: Notify, tenant: str) -> list[SubscriptionShown]:
    """A tenant's subscriptions, those that end soonest first."""
    now = notify.clock.now()
    shown = [
        SubscriptionShown(
            id=one.id,
            tenant=one.tenant,
            app=one.app,
            user=one.user,
            resource=one.resource,
            people=None if one.ids is None else len(one.ids),
            notification_url=one.notification_url,
            lifecycle_url=one.lifecycle_url,
            rich=one.include_resource_data,
            expires_at=one.expires_at,
            expires_in=one.expires_at - now,
            authorised_until=one.authorised_until,
            paused=not one.authorised(now),
        )
        for one in notify.subscriptions.all()
        if one.tenant == tenant
    ]
    return sorted(shown, key=lambda one: (one.expires_at, one.id))


async def list_deliveries(notify: Notify, store: Store) -> list[EndpointShown]:
    """Every endpoint that is subscribed, or has something waiting, or had something delivered since the start."""
    waiting = await store.endpoints()
    told = {endpoint.url: endpoint for endpoint in notify.notifier.endpoints()}
    # a subscription's own, so that one that was never told anything is there too
    subscribed = {one.notification_url for one in notify.subscriptions.all()}
    running, now = notify.notifier.running, notify.clock.now()
    return [
        _shown(url, waiting.get(url, 0), told.get(url), running, now)
        for url in sorted(waiting.keys() | told.keys() | subscribed)
    ]


def _shown(url: str, waiting: int, endpoint: Endpoint | None, running: bool, now: float) -> EndpointShown:
    if not running:
        return EndpointShown(url, waiting)
    if endpoint is None:
        return EndpointShown(url, waiting, 0, 0, 0, state="normal")
    counts = msgspec.structs.asdict(endpoint.counts)
    more: dict[str, Any] = {"last_error": endpoint.last_error, "next_try": endpoint.next_try}
    return EndpointShown(url, waiting, **counts, **more, state=endpoint.state.name(now))
