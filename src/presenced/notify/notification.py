"""Notification: what is sent, as Graph writes changeNotification and changeNotificationCollection.

Graph documents one spelling of presence notifications and was observed to send another; receivers compare with either,
to the letter (spec A.4), so which one is a setting.
"""

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Literal

import msgspec

from presenced.notify.certificate import EncryptionCertificate, read_certificate
from presenced.notify.encryption import EncryptedContent, encrypt
from presenced.notify.subscription import Subscription
from presenced.presence.states import State

Spelling = Literal["documented", "observed"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class _ResourceData(msgspec.Struct):
    type: str = msgspec.field(name="@odata.type")
    path: str = msgspec.field(name="@odata.id")
    id: str | None


class _Notification(msgspec.Struct, rename="camel", omit_defaults=True):
    subscription_id: str
    client_state: str | None
    change_type: str
    tenant_id: str
    resource: str
    subscription_expiration_date_time: str
    resource_data: _ResourceData
    organization_id: str
    encrypted_content: EncryptedContent | None = None


class _Lifecycle(msgspec.Struct, rename="camel"):
    subscription_id: str
    subscription_expiration_date_time: str
    tenant_id: str
    client_state: str | None
    lifecycle_event: str


class Item(msgspec.Struct, frozen=True, array_like=True):
    """One notification as it waits in the outbox. ``content`` is its JSON; ``rich``: it carries resource data."""

    content: bytes
    tenant: str
    app: str
    rich: bool = False


def change_item(subscription: Subscription, person: str, state: State, spelling: Spelling) -> Item:
    """A person's new state, for one subscription; encrypted in it if it wants resource data."""
    path = f"communications/presences('{person}')"
    data = _ResourceData("#Microsoft.Graph.presence", path, None)
    if spelling == "documented":
        path = f"communications/presences/{person}"
        data = _ResourceData("#microsoft.graph.presence", f"users/{person}/presence", person)
    encrypted = None
    if subscription.include_resource_data and subscription.certificate is not None:
        content = {
            "@odata.id": f"users/{person}/presence",
            "@odata.type": "#microsoft.graph.presence",
            "id": person,
            "availability": state.availability,
            "activity": state.activity,
        }
        certificate = _certificate(subscription.certificate)
        encrypted = encrypt(msgspec.json.encode(content), certificate, subscription.certificate_id or "")
    notification = _Notification(
        subscription.id,
        subscription.client_state,
        "updated",
        subscription.tenant,
        path,
        date_time(subscription.expires_at, "+00:00" if spelling == "observed" else "Z"),
        data,
        subscription.tenant,
        encrypted,
    )
    return Item(msgspec.json.encode(notification), subscription.tenant, subscription.app, encrypted is not None)


@lru_cache(1024)
def _certificate(text: str) -> EncryptionCertificate:
    """A certificate that was accepted, and its dates looked at, when it was given."""
    return read_certificate(text)


def lifecycle_item(subscription: Subscription, event: str) -> Item:
    """Something about the subscription itself (page "Reduce missing subscriptions and change notifications")."""
    notification = _Lifecycle(
        subscription.id,
        date_time(subscription.expires_at),
        subscription.tenant,
        subscription.client_state,
        event,
    )
    return Item(msgspec.json.encode(notification), subscription.tenant, subscription.app)


def collection(items: list[Item], validation_tokens: list[str]) -> bytes:
    """The body of one POST."""
    tokens = b',"validationTokens":' + msgspec.json.encode(validation_tokens) if validation_tokens else b""
    return b'{"value":[' + b",".join(item.content for item in items) + b"]" + tokens + b"}"


@lru_cache(4096)
def date_time(at: float, zone: str = "Z") -> str:
    """An instant (seconds since 1970 UTC) with seven fraction digits, as Graph writes it."""
    return (_EPOCH + timedelta(seconds=at)).strftime("%Y-%m-%dT%H:%M:%S.%f0") + zone
