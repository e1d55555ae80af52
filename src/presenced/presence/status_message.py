"""Status message: setStatusMessage, and how long a message lasts.

Sources: the presence-setstatusmessage page and the presenceStatusMessage resource: plain text only, ``expiryDateTime``
optional and without an offset, ``publishedDateTime`` set by the server. A message is cleared by empty content
(observed; there is no clearStatusMessage).
"""

import msgspec
from msgspec import UNSET, UnsetType

from presenced.presence.record import Record, StatusMessage
from presenced.presence.refused import Refused, required
from presenced.presence.settle import settle
from presenced.presence.time_zones import DateTimeTimeZone, instant

LONGEST_MESSAGE = 1024
"""Characters. Graph's limit is not published; Teams' own box takes 280, and clients add markup of theirs to that."""


class ItemBody(msgspec.Struct, rename="camel"):
    """A text (itemBody)."""

    content: str | None = None
    content_type: str | None = None


class Message(msgspec.Struct, rename="camel"):
    """A status message as it is sent (presenceStatusMessage)."""

    message: ItemBody | None = None
    expiry_date_time: DateTimeTimeZone | None = None


class SetStatusMessage(msgspec.Struct, rename="camel"):
    """The body of setStatusMessage."""

    status_message: Message | UnsetType | None = UNSET


def check_set_status_message(request: SetStatusMessage) -> StatusMessage | None:
    """The message ``request`` asks for, as if published at instant 0; None clears. Raises Refused(InvalidArgument)."""
    asked = request.status_message
    if asked is UNSET:
        raise required("StatusMessage")
    if asked is None or asked.message is None:
        return None
    kind = asked.message.content_type
    if kind is not None and kind.lower() != "text":
        raise Refused("InvalidArgument", "The provided [ContentType] is not supported: a status message is text.")
    content = asked.message.content or ""
    if len(content) > LONGEST_MESSAGE:
        raise Refused("InvalidArgument", f"The provided [Content] is longer than {LONGEST_MESSAGE} characters.")
    expiry = None if asked.expiry_date_time is None else instant(asked.expiry_date_time, "ExpiryDateTime")
    return StatusMessage(content, 0.0, expiry) if content.strip() else None


def set_status_message(record: Record, request: SetStatusMessage, now: float) -> Record:
    """Publish a message in place of the one there is, or clear it. Raises Refused(InvalidArgument)."""
    message = check_set_status_message(request)
    if message is not None:
        if message.expires_at is not None and message.expires_at <= now:
            raise Refused("InvalidArgument", "The provided [ExpiryDateTime] is in the past.")
        message = StatusMessage(message.content, now, message.expires_at)
    return settle(record, msgspec.structs.replace(record, status_message=message), now)
