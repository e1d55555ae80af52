"""Requests that no rule allows, whatever is known of the person: what they are refused with, and who says so."""

from collections.abc import Callable
from typing import Any, NamedTuple

from msgspec import UNSET

from presenced.presence.actions import (
    LONGEST_SESSION_ID,
    ClearPresence,
    SetPresence,
    SetUserPreferredPresence,
    clear_presence,
    set_presence,
    set_user_preferred_presence,
)
from presenced.presence.out_of_office import LONGEST_REPLY, AutomaticReplies, MailboxSettings, set_mailbox_settings
from presenced.presence.record import Record
from presenced.presence.status_message import ItemBody, Message, SetStatusMessage, set_status_message
from presenced.presence.time_zones import DateTimeTimeZone
from presenced.presence.work_location import (
    LONGEST_PLACE_ID,
    SetLocation,
    set_automatic_location,
    set_manual_location,
)

Action = Callable[..., Record]


class Bad(NamedTuple):
    """A request that is refused with InvalidArgument and a message that holds ``says``."""

    source: str
    action: Action
    request: Any
    says: str
    text: tuple[str | None, ...] = ()


def _session(*members: str | None) -> SetPresence:
    return SetPresence("app", *members)


def _expiring(date_time: str | None, zone: str | None = "UTC") -> SetStatusMessage:
    return SetStatusMessage(Message(ItemBody("Lunch", "text"), DateTimeTimeZone(date_time, zone)))


def _saying(content: str | None, content_type: str | None = "text") -> SetStatusMessage:
    return SetStatusMessage(Message(ItemBody(content, content_type)))


def _replies(**members: Any) -> MailboxSettings:
    return MailboxSettings(AutomaticReplies(**members))


RANGE = "The provided [ExpirationDuration] is out of range."
SESSION_ID = "[SessionId]: The SessionId field is required."

BAD_REQUESTS = [
    Bad("spec 4.5 [T11]", set_presence, SetPresence(None, "Available", "Available"), SESSION_ID),
    Bad("spec 4.5 [T11]", clear_presence, ClearPresence(), SESSION_ID),
    Bad("as of null", clear_presence, ClearPresence(""), SESSION_ID),
    Bad("spec 1.2 [M1]: not null", set_presence, _session(None, "Away"), "[Availability]"),
    Bad("spec 1.2 [M1]: not null", set_presence, _session("Away", None), "[Activity]"),
    Bad("ours", set_presence, SetPresence("x" * (LONGEST_SESSION_ID + 1), "Away", "Away"), "SessionId"),
    Bad("ours", clear_presence, ClearPresence("x" * (LONGEST_SESSION_ID + 1)), "SessionId"),
    Bad("spec 4.1 [T14]", set_presence, _session("Busy", "Busy"), "Busy/InACall"),
    Bad("spec 4.1 [G3b]: only a draft", set_presence, _session("BeRightBack", "BeRightBack"), "Available/Available"),
    Bad("spec 4.1 [G17]: never set", set_presence, _session("Available", "OutOfOffice"), "Available/Available"),
    Bad("spec 4.5 [T17]", set_presence, _session("Away", "Away", "PT4M"), RANGE),
    Bad("spec 4.5 [T17]", set_presence, _session("Away", "Away", "PT4H0.125S"), RANGE),
    Bad("spec 4.1 [G3]: PT5M to PT4H", set_presence, _session("Away", "Away", "PT4M59.875S"), RANGE),
    Bad("spec 4.1 [G3]: PT5M to PT4H", set_presence, _session("Away", "Away", "-PT5M"), RANGE),
    Bad("spec 4.1 [G3]: ISO 8601", set_presence, _session("Away", "Away", "5 minutes"), "[ExpirationDuration]"),
    Bad("spec 4.1 [G3]: ISO 8601", set_presence, _session("Away", "Away", ""), "[ExpirationDuration]"),
    Bad("spec 1.2 [M1]", set_user_preferred_presence, SetUserPreferredPresence(None, "Away"), "[Availability]"),
    Bad("spec 1.2 [M1]", set_user_preferred_presence, SetUserPreferredPresence("Away"), "[Activity]"),
    *(
        Bad(source, set_user_preferred_presence, SetUserPreferredPresence(*pair), "Offline/OffWork")
        for source, pair in [
            ("spec 5.1 [G5]: OffWork, not Offline", ("Offline", "Offline")),
            ("spec 5.1 [G5]: six pairs", ("Busy", "InACall")),
            ("spec 5.1 [G5]: six pairs", ("Busy", "InAMeeting")),
            ("spec 5.1 [G5]: six pairs", ("DoNotDisturb", "Presenting")),
            ("spec 5.1 [G5]: six pairs", ("Available", "OutOfOffice")),
            ("spec 5.1 [G5]: six pairs", ("Away", "BeRightBack")),
            ("spec 5.1 [G5]: one activity each", ("Available", "Away")),
        ]
    ),
    *(
        Bad("ours: any positive duration", set_user_preferred_presence, SetUserPreferredPresence(*pair, text), RANGE)
        for pair in [("Busy", "Busy"), ("Offline", "OffWork")]
        for text in ["PT0S", "-PT1H", "P0D", "0:00:00"]
    ),
    Bad("ISO 8601", set_user_preferred_presence, SetUserPreferredPresence("Busy", "Busy", "1"), "[ExpirationDuration]"),
    Bad("ours: null clears, nothing is a mistake", set_status_message, SetStatusMessage(), "[StatusMessage]"),
    Bad("spec 6.1 [G14]: text", set_status_message, _saying("<b>Lunch</b>", "html"), "text"),
    Bad("spec 1.1 [M1]: bodyType", set_status_message, _saying("Lunch", "markdown"), "text"),
    Bad("ours: 1024 characters", set_status_message, _saying("x" * 1025), "1024"),
    Bad("spec 6.1 [G14]: no offset", set_status_message, _expiring("2099-01-01T00:00:00Z"), "ExpiryDateTime"),
    Bad("spec 6.1 [G14]: no offset", set_status_message, _expiring("2099-01-01T00:00:00+01:00"), "ExpiryDateTime"),
    Bad("spec 6.1 [G7]: 7 digits", set_status_message, _expiring("2099-01-01T00:00:00.12345678"), "ExpiryDateTime"),
    Bad("spec 1.1 [M1]: not null", set_status_message, _expiring(None), "DateTime"),
    Bad("no day", set_status_message, _expiring("2099-02-29T00:00:00"), "ExpiryDateTime"),
    Bad(
        "no zone",
        set_status_message,
        _expiring("2099-01-01T00:00:00", "Mars/Olympus Mons"),
        "[ExpiryDateTime] names no time zone",
    ),
    Bad("ours: past", set_status_message, _expiring("2001-01-01T00:00:00"), "ExpiryDateTime"),
    *(
        bad
        for action in (set_manual_location, set_automatic_location)
        for bad in [
            Bad("spec 1.2 [M1]: not null", action, SetLocation(), "[WorkLocationType]"),
            Bad("spec 1.2 [M1]: not null", action, SetLocation(None, "a place"), "[WorkLocationType]"),
            Bad("spec 1.1 [M1]: a sentinel", action, SetLocation("unknownFutureValue"), "office, remote"),
            Bad("spec 6.4 [G8, G9]", action, SetLocation("beach"), "office, remote"),
            Bad("spaces are not letters", action, SetLocation(" office"), "office, remote"),
            Bad("spaces are not letters", action, SetLocation("time off"), "office, remote"),
            Bad("ours", action, SetLocation("office", "x" * (LONGEST_PLACE_ID + 1)), "PlaceId"),
        ]
    ),
    Bad("mailboxSettings: statuses", set_mailbox_settings, _replies(status="sometimes"), "alwaysEnabled", (None,)),
    Bad(
        "mailboxSettings: audiences", set_mailbox_settings, _replies(external_audience="some"), "contactsOnly", (None,)
    ),
    *(
        Bad("ours", set_mailbox_settings, _replies(**{name: "x" * (LONGEST_REPLY + 1)}), str(LONGEST_REPLY), ("x",))
        for name in ("internal_reply_message", "external_reply_message")
    ),
    *(
        Bad("spec 1.1 [M1]", set_mailbox_settings, _replies(**{name: DateTimeTimeZone(*bad)}), says, (None,))
        for name in ("scheduled_start_date_time", "scheduled_end_date_time")
        for bad, says in [
            ((None, "UTC"), "DateTime"),
            (("tomorrow", "UTC"), "DateTime"),
            (("2025-11-01T00:00:00Z", "UTC"), "DateTime"),
            (("2025-11-01T00:00:00", "Mars"), "names no time zone"),
        ]
    ),
    Bad(
        "no zone",
        set_mailbox_settings,
        MailboxSettings(UNSET, "Mars Standard Time"),
        "[TimeZone] names no time zone",
        (None,),
    ),
    Bad(
        "all or nothing",
        set_mailbox_settings,
        MailboxSettings(AutomaticReplies("alwaysEnabled"), "Mars"),
        "[TimeZone]",
        (None,),
    ),
]
