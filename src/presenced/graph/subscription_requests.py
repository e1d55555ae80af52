"""What is asked of subscriptions: the bodies of POST and PATCH, and what is refused of them without looking further.

Sources: the subscription resource, the pages subscription-post-subscriptions and -update, and the texts that users of
Graph were answered (spec A.8).
"""

from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from presenced.graph.body import decode
from presenced.graph.call import Call
from presenced.graph.errors import GraphError

LONGEST_TEXT = 128
"""Characters of clientState, encryptionCertificateId and notificationUrlAppId."""

_TLS_VERSIONS = ("v1_0", "v1_1", "v1_2", "v1_3")
_WEB_PUSH = ("vapidPublicKey", "webPushEncryptionP256dhPublicKey", "webPushEncryptionSecret")


class NewSubscription(msgspec.Struct, rename="camel"):
    """The body of POST /subscriptions."""

    change_type: str | None = None
    notification_url: str | None = None
    lifecycle_notification_url: str | None = None
    resource: str | None = None
    expiration_date_time: str | None = None
    client_state: str | None = None
    include_resource_data: bool | None = None
    encryption_certificate: str | None = None
    encryption_certificate_id: str | None = None
    latest_supported_tls_version: str | None = None
    notification_url_app_id: str | None = None
    vapid_public_key: Any = None
    web_push_encryption_p256dh_public_key: Any = msgspec.field(default=None, name="webPushEncryptionP256dhPublicKey")
    web_push_encryption_secret: Any = None


class SubscriptionChange(msgspec.Struct, rename="camel"):
    """The body of PATCH /subscriptions/{id}."""

    expiration_date_time: str | UnsetType | None = UNSET
    notification_url: str | UnsetType | None = UNSET
    lifecycle_notification_url: str | UnsetType | None = UNSET
    encryption_certificate: str | UnsetType | None = UNSET
    encryption_certificate_id: str | UnsetType | None = UNSET


def read_new(call: Call) -> NewSubscription:
    new = decode(call.body, call.content_type, NewSubscription)
    for name, value in (("changeType", new.change_type), ("notificationUrl", new.notification_url),
                        ("resource", new.resource), ("expirationDateTime", new.expiration_date_time)):  # fmt: skip
        if not value:
            raise invalid(f"{name} is a required property for subscription creation")
    if new.vapid_public_key or new.web_push_encryption_p256dh_public_key or new.web_push_encryption_secret:
        raise invalid(f"{', '.join(_WEB_PUSH)} are for Web Push, which a webhook is not.")
    if str(new.change_type).strip().lower() != "updated":
        raise invalid("changeType can only be 'updated' for presence.")
    for name, value in (
        ("clientState", new.client_state),
        ("encryptionCertificateId", new.encryption_certificate_id),
        ("notificationUrlAppId", new.notification_url_app_id),
    ):
        _check_length(name, value)
    version = new.latest_supported_tls_version
    if version is not None and version not in _TLS_VERSIONS:
        raise invalid(f"latestSupportedTlsVersion is none of {', '.join(_TLS_VERSIONS)}.")
    if new.include_resource_data and not (new.encryption_certificate and new.encryption_certificate_id):
        raise invalid(
            "encryptionCertificate and encryptionCertificateId are required when includeResourceData is true."
        )
    return new


def read_change(call: Call) -> SubscriptionChange:
    change = decode(call.body, call.content_type, SubscriptionChange)
    if change.lifecycle_notification_url is not UNSET:
        raise invalid("lifecycleNotificationUrl cannot be changed. Delete the subscription and create another.")
    for name, value in (
        ("expirationDateTime", change.expiration_date_time),
        ("notificationUrl", change.notification_url),
        ("encryptionCertificate", change.encryption_certificate),
    ):
        if value is None or value == "":
            raise invalid(f"{name} cannot be emptied.")
    if change.encryption_certificate_id is not UNSET:
        if not change.encryption_certificate_id:
            raise invalid("encryptionCertificateId cannot be emptied.")
        _check_length("encryptionCertificateId", change.encryption_certificate_id)
    return change


def _check_length(name: str, value: str | None) -> None:
    if value is not None and len(value) > LONGEST_TEXT:
        raise invalid(f"{name} is longer than {LONGEST_TEXT} characters.")


def invalid(message: str) -> GraphError:
    return GraphError(400, "InvalidRequest", message)
