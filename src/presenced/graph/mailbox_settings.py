"""Mailbox settings: automatic replies and the time zone, which is how a person gets out of office.

Sources: the pages user-get-mailboxsettings and user-update-mailboxsettings, and the automaticRepliesSetting resource.
Served of the resource is what bears on presence; other members are accepted and not kept. A person's token reaches
that person's mailbox only, as in Exchange.
"""

import re

import msgspec
from selectolax.lexbor import LexborHTMLParser

from presenced.graph.body import decode
from presenced.graph.call import Answer, Call, context
from presenced.graph.errors import GraphError
from presenced.graph.operation import Operation, Parts
from presenced.graph.query import Query, read_query
from presenced.identity.directory import no_such_person
from presenced.presence.out_of_office import (
    AutomaticReplies,
    MailboxSettings,
    check_mailbox_settings,
    set_mailbox_settings,
)
from presenced.presence.record import OutOfOffice, Record
from presenced.presence.time_zones import DateTimeTimeZone, utc

_BLOCKS = "br, p, div, li, tr, h1, h2, h3, h4, h5, h6"
_UNSEEN = ["head", "style", "script", "title"]


class _Replies(msgspec.Struct, rename="camel"):
    status: str
    external_audience: str
    internal_reply_message: str
    external_reply_message: str
    scheduled_start_date_time: DateTimeTimeZone | None
    scheduled_end_date_time: DateTimeTimeZone | None


class _Settings(msgspec.Struct, rename="camel"):
    automatic_replies_setting: _Replies
    time_zone: str


_MEMBERS = tuple(field.encode_name for field in msgspec.structs.fields(_Settings))


def _read_select(call: Call) -> Query:
    return read_query(call.query, _MEMBERS, "mailboxSettings", ("$select", "$expand"))


async def _get(parts: Parts, call: Call, query: Query) -> Answer:
    person = await _person(parts, call)
    return Answer(200, _entity(call, person, await parts.service.record(call.caller.tenant, person), query))


def _read_update(call: Call) -> MailboxSettings:
    request = decode(call.body, call.content_type, MailboxSettings)
    check_mailbox_settings(request)
    return request


async def _update(parts: Parts, call: Call, request: MailboxSettings) -> Answer:
    person = await _person(parts, call)
    replies = request.automatic_replies_setting
    reply = replies.internal_reply_message if isinstance(replies, AutomaticReplies) else None
    message = plain_text(reply) if isinstance(reply, str) else None
    record = await parts.service.change(
        call.caller.tenant,
        person,
        lambda record, now: set_mailbox_settings(record, request, message, now),
    )
    if request.time_zone is not msgspec.UNSET:
        await parts.calendars.refill(call.caller.tenant, person)  # days begin at other instants now
    return Answer(200, _entity(call, person, record, Query()))


async def _person(parts: Parts, call: Call) -> str:
    """The id of the person whose mailbox it is; their name will do, as everywhere under /users but presence."""
    found = await parts.directory.find(call.caller.tenant, call.key)
    if found is None:
        raise no_such_person(call.key)
    if call.caller.user is not None and call.caller.user != found.id:
        raise GraphError(403, "ErrorAccessDenied", "Access is denied. Check credentials and try again.")
    return found.id


def plain_text(reply: str) -> str | None:
    """What a reader sees of a reply, which may be HTML; None if that is nothing."""
    if "<" not in reply and "&" not in reply:
        return reply.strip() or None
    page = LexborHTMLParser(reply)
    page.strip_tags(_UNSEEN)
    for block in page.css(_BLOCKS):
        block.insert_after("\n")
    lines = (re.sub(r"[^\S\n]+", " ", line).strip() for line in page.text().splitlines())
    return "\n".join(line for line in lines if line) or None


def _entity(call: Call, person: str, record: Record, query: Query) -> bytes:
    replies = record.out_of_office or OutOfOffice(status="disabled")
    shown = _Settings(
        _Replies(
            replies.status,
            replies.external_audience,
            replies.internal_reply or "",
            replies.external_reply or "",
            None if replies.starts_at is None else utc(replies.starts_at),
            None if replies.ends_at is None else utc(replies.ends_at),
        ),
        record.time_zone or "UTC",
    )
    fragment = f"users('{person}')/mailboxSettings{query.fragment}"
    return context(call, fragment) + b"," + query.select(msgspec.json.encode(shown))[1:]


_TEMPLATES = ("me/mailboxsettings", "users/{id}/mailboxsettings")
_FORBIDDEN = ("ErrorAccessDenied", "Access is denied. Check credentials and try again.")

_GET, _UPDATE = "getMailboxSettings", "updateMailboxSettings"
OPERATIONS = (
    # presence is what they are for here, so they count as it
    Operation(
        _GET, "GET", _TEMPLATES, _GET, _get, _read_select, budget="presence", forbidden=_FORBIDDEN, gives=_Settings
    ),
    Operation(
        _UPDATE,
        "PATCH",
        _TEMPLATES,
        _UPDATE,
        _update,
        _read_update,
        budget="presence",
        forbidden=_FORBIDDEN,
        takes=MailboxSettings,
        gives=_Settings,
    ),
)
