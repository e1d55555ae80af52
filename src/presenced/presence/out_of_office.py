"""Out of office: automatic replies, as Graph's mailboxSettings hold them.

Sources: the automaticRepliesSetting resource and the page user-update-mailboxsettings; what readers of presence see of
it is outOfOfficeSettings (resolve.py).
"""

from collections.abc import Mapping
from typing import get_args

import msgspec
from msgspec import UNSET, UnsetType

from presenced.presence.record import AutomaticRepliesStatus, ExternalAudience, OutOfOffice, Record
from presenced.presence.refused import Refused
from presenced.presence.settle import settle
from presenced.presence.time_zones import DateTimeTimeZone, find_zone, instant

LONGEST_REPLY = 16_384
"""Characters."""

_STATUSES: dict[str, AutomaticRepliesStatus] = {name.casefold(): name for name in get_args(AutomaticRepliesStatus)}
_AUDIENCES: dict[str, ExternalAudience] = {name.casefold(): name for name in get_args(ExternalAudience)}


class AutomaticReplies(msgspec.Struct, rename="camel"):
    """What to set of automatic replies: members left out stay."""

    status: str | UnsetType | None = UNSET
    external_audience: str | UnsetType | None = UNSET
    internal_reply_message: str | UnsetType | None = UNSET
    external_reply_message: str | UnsetType | None = UNSET
    scheduled_start_date_time: DateTimeTimeZone | UnsetType | None = UNSET
    scheduled_end_date_time: DateTimeTimeZone | UnsetType | None = UNSET


class MailboxSettings(msgspec.Struct, rename="camel"):
    """The body of PATCH mailboxSettings, cut to what bears on presence."""

    automatic_replies_setting: AutomaticReplies | UnsetType | None = UNSET
    time_zone: str | UnsetType | None = UNSET


def check_mailbox_settings(request: MailboxSettings) -> None:
    """Raises Refused(InvalidArgument) for what nobody's mailbox settings can be."""
    if isinstance(request.time_zone, str) and find_zone(request.time_zone) is None:
        raise Refused("InvalidArgument", "The provided [TimeZone] names no time zone that is known.")
    if isinstance(request.automatic_replies_setting, AutomaticReplies):
        _changed(OutOfOffice(status="disabled"), request.automatic_replies_setting, None)


def set_mailbox_settings(record: Record, request: MailboxSettings, message: str | None, now: float) -> Record:
    """Change automatic replies and the time zone. ``message`` is the new internal reply as plain text, if there is one.

    Raises Refused(InvalidArgument).
    """
    check_mailbox_settings(request)
    replies, zone = record.out_of_office, record.time_zone
    asked = request.automatic_replies_setting
    if asked is None:
        replies = None
    elif asked is not UNSET:
        before = replies or OutOfOffice(status="disabled")
        replies = _changed(before, asked, before.message if asked.internal_reply_message is UNSET else message)
        if (
            replies.status == "scheduled"
            and replies.starts_at is not None
            and replies.ends_at is not None
            and replies.ends_at <= replies.starts_at
        ):
            raise Refused(
                "InvalidArgument", "The provided [ScheduledEndDateTime] is not after [ScheduledStartDateTime]."
            )
    if request.time_zone is not UNSET:
        zone = request.time_zone
    return settle(record, msgspec.structs.replace(record, out_of_office=replies, time_zone=zone), now)


def _changed(before: OutOfOffice, asked: AutomaticReplies, message: str | None) -> OutOfOffice:
    given: dict[str, object] = {"message": message}
    if asked.status is not UNSET:
        given["status"] = _word(asked.status or "disabled", "Status", _STATUSES)
    if asked.external_audience is not UNSET:
        given["external_audience"] = _word(asked.external_audience or "none", "ExternalAudience", _AUDIENCES)
    for field, name, reply in (
        ("internal_reply", "InternalReplyMessage", asked.internal_reply_message),
        ("external_reply", "ExternalReplyMessage", asked.external_reply_message),
    ):
        if reply is not UNSET:
            if reply is not None and len(reply) > LONGEST_REPLY:
                raise Refused("InvalidArgument", f"The provided [{name}] is longer than {LONGEST_REPLY} characters.")
            given[field] = reply or None
    for field, name, edge in (
        ("starts_at", "ScheduledStartDateTime", asked.scheduled_start_date_time),
        ("ends_at", "ScheduledEndDateTime", asked.scheduled_end_date_time),
    ):
        if edge is not UNSET:
            given[field] = None if edge is None else instant(edge, name)
    return msgspec.structs.replace(before, **given)


def _word(text: str, field: str, words: Mapping[str, str]) -> str:
    word = words.get(text.casefold())
    if word is None:
        raise Refused("InvalidArgument", f"The provided [{field}] is none of {', '.join(words.values())}.")
    return word
