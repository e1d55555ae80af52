"""presenced set: a person's session, preferred state or message, on a data folder's server or at Graph itself.

Which pairs there are, how long they may last and what wins are Graph's rules, and its server says no; here only what a
short line leaves out is filled in.
"""

import contextlib
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any, NamedTuple

import click
from rich.console import Console
from rich.text import Text

from presenced.cli.connection import connect, run
from presenced.cli.graph_access import Where, graph, graph_of, graph_options, where_from
from presenced.cli.graph_client import GraphClient, Refused
from presenced.cli.presence_shown import shown
from presenced.cli.state_look import state_text
from presenced.cli.terminal import printable
from presenced.cli.token import Lifetime
from presenced.cli.who import ME, asked_for, check_me, find
from presenced.control import Impossible
from presenced.emulator.time_control import ClockState
from presenced.presence.durations import parse_duration
from presenced.presence.refused import Refused as NoDuration
from presenced.presence.states import PREFERRED_STATES, SESSION_STATES, State, match

_SESSION = "presenced-cli"
_CLEARABLE = ("session", "preferred", "message", "all")
_NEEDS_APP = "Presence.ReadWrite.All"
_NEEDS = f"Presence.ReadWrite, or as an application {_NEEDS_APP}"


class Duration(Lifetime):
    """Seconds, written as 90s, 15m, 1h or 1d, or as Graph does: PT1H30M."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        if isinstance(value, str) and value.strip()[:1] in ("P", "p"):
            try:
                return round(parse_duration(value.strip(), "--for"))
            except NoDuration:
                self.fail(f"{value!r} is not a duration such as 90s, 15m, 1h or PT1H30M", param, ctx)
        return super().convert(value, param, ctx)


class Wish(NamedTuple):
    """What to do: a state as a session or preferred, a message, or what to clear. ``lasts`` in seconds."""

    state: State | None
    preferred: bool
    message: str | None
    clear: str | None
    lasts: int | None
    session: str | None


@click.command("set")
@click.argument("person", metavar="ID-OR-UPN")
@click.argument("availability", required=False)
@click.argument("activity", required=False)
@click.option("--for", "lasts", type=Duration(), help="How long: 90s, 15m, 1h or PT1H30M.  [default: as Graph has it]")
@click.option("--preferred", is_flag=True, help="Make it the person's preferred state, over every session.")
@click.option("--message", help="Set the status message instead; an empty one clears it.")
@click.option("--clear", type=click.Choice(_CLEARABLE), help="Take something back instead.")
@click.option(
    "--session",
    help="Whose session it is.  [default: presenced-cli; with --graph the app of the token, as Graph wants it]",
)
@graph_options
def set_(
    person: str,
    availability: str | None,
    activity: str | None,
    lasts: int | None,
    preferred: bool,
    message: str | None,
    clear: str | None,
    session: str | None,
    **values: Any,
) -> None:
    """Set what others see of a person, by id or userPrincipalName; "me" is who a token speaks for.

    \b
    presenced set nadia@sample.example Busy InACall --for 1h
    presenced set nadia@sample.example DoNotDisturb --preferred
    presenced set nadia@sample.example --message "Back at two" --for 2h
    presenced set nadia@sample.example --clear all

    A session takes Available, Busy InACall, Busy InAConferenceCall, Away and DoNotDisturb Presenting, for 5 minutes to
    4 hours. A preferred state is Available, Busy, DoNotDisturb, BeRightBack, Away or Offline, and shows while the
    person has a session.
    """
    wish = _wish(availability, activity, preferred, message, clear, lasts, session)
    console = Console(soft_wrap=True)
    console.print(run(_set(values, person, wish, console)))


def _wish(
    availability: str | None,
    activity: str | None,
    preferred: bool,
    message: str | None,
    clear: str | None,
    lasts: int | None,
    session: str | None,
) -> Wish:
    """What is asked for, if it is one thing. Raises click.UsageError."""
    if [availability is not None, message is not None, clear is not None].count(True) != 1:
        raise click.UsageError("Say one thing: a state, such as Busy InACall; or --message TEXT; or --clear WHAT.")
    if preferred and availability is None:
        raise click.UsageError("--preferred is for a state, such as: Busy --preferred")
    if lasts is not None and clear is not None:
        raise click.UsageError("--for is for what is set, not for --clear.")
    if session is not None and (preferred or message is not None or clear in ("preferred", "message")):
        raise click.UsageError("--session is for a session's state, or for --clear session.")
    state = None
    if availability is not None:
        state = State(availability, activity or _usual(availability, preferred))
    return Wish(state, preferred, message, clear, lasts, session)


def _usual(availability: str, preferred: bool) -> str:
    """The activity that goes with an availability, where there is one only."""
    accepted = PREFERRED_STATES if preferred else SESSION_STATES
    found = [state.activity for state in accepted if state.availability.lower() == availability.lower()]
    if len(found) > 1:
        raise click.UsageError(f"{availability} needs an activity: {' or '.join(found)}.")
    return found[0] if found else availability


async def _set(values: dict[str, Any], key: str, wish: Wish, console: Console) -> Text:
    """Do it, and say what others see now. Raises Impossible."""
    where = where_from(values)
    (key,) = asked_for([key], None)
    async with _client(where) as (client, now):
        if key.lower() == ME:
            check_me(client)
            name, root = "You", "/me/presence"
        else:
            found = await find(client, [key], names=True)
            if found.missing:
                raise Impossible(f"There is nobody with the id or name {printable(key)}.")
            (person,) = found.ids
            name = found.known[person].name if person in found.known else key
            root = f"/users/{person}/presence"
        session = wish.session or (client.app_id() if where.graph is not None else None) or _SESSION
        for call in _calls(wish, session, now):
            try:
                await client.call("POST", f"{root}/{call.action}", call.body, _NEEDS)
            except Refused as error:
                if error.status != 404 or not call.may_lack:
                    raise _advised(error, wish, session) from error
        try:
            presence = shown(await client.call("GET", root))
        except Refused:
            return Text(f"Done. This token may not read what others see of {printable(name)} now.")
    line = Text(f"{printable(name)}: ")
    line.append_text(state_text(presence.availability, presence.activity, presence.is_out_of_office, console))
    if presence.message:
        line.append(f"  {printable(presence.message)}")
    if wish.state is not None and presence.availability.lower() != wish.state.availability.lower():
        line.append(_why_not(wish, presence.availability))
    return line


@contextlib.asynccontextmanager
async def _client(where: Where) -> AsyncIterator[tuple[GraphClient, float]]:
    """A client, and what the clock of its server says (seconds since 1970 UTC), as far as that is known."""
    if where.graph is not None:
        async with graph(where) as client:
            yield client, time.time()
        return
    async with connect(where.settings) as connection, graph_of(connection, where.tenant) as client:
        now = time.time()
        with contextlib.suppress(Impossible):  # a server whose clock cannot be set has the machine's
            now += (await connection.control("GET", "/clock", None, ClockState)).offset
        yield client, now


class _Call(NamedTuple):
    """An action of Graph's, and whether it is no matter that there is nothing to take back."""

    action: str
    body: dict[str, Any]
    may_lack: bool = False


def _calls(wish: Wish, session: str, now: float) -> list[_Call]:
    if wish.state is not None:
        availability, activity = wish.state
        body: dict[str, Any] = {"availability": availability, "activity": activity}
        if wish.lasts is not None:
            body["expirationDuration"] = f"PT{wish.lasts}S"
        if wish.preferred:
            return [_Call("setUserPreferredPresence", body)]
        return [_Call("setPresence", {"sessionId": session, **body})]
    if wish.message is not None:
        return [_Call("setStatusMessage", _message(wish.message, wish.lasts, now))]
    every = wish.clear == "all"
    calls = {
        "session": _Call("clearPresence", {"sessionId": session}, may_lack=every),
        "preferred": _Call("clearUserPreferredPresence", {}),
        "message": _Call("setStatusMessage", _message("", None, now)),
    }
    return [call for what, call in calls.items() if every or what == wish.clear]


def _message(content: str, lasts: int | None, now: float) -> dict[str, Any]:
    """The body of setStatusMessage. There is no action that clears one: empty content does."""
    message: dict[str, Any] = {"message": {"content": content, "contentType": "text"}}
    if lasts is not None:
        ends = datetime.fromtimestamp(round(now + lasts), UTC).strftime("%Y-%m-%dT%H:%M:%S")
        message["expiryDateTime"] = {"dateTime": ends, "timeZone": "UTC"}
    return {"statusMessage": message}


def _advised(error: Refused, wish: Wish, session: str) -> Refused:
    """A refusal with what would be accepted."""
    advice, said = "", str(error).lower()
    if error.status == 401 and error.code != "InvalidAuthenticationToken":
        advice = f" A person's token changes their own presence; an application with {_NEEDS_APP} anyone's."
    elif error.status == 404 and wish.clear == "session":
        advice = f" {printable(session)} has no session of this person; --session says whose to end."
    elif error.status == 400 and wish.state is not None and "expirationduration" in said:
        advice = " --for takes any time." if wish.preferred else " --for is 5m to 4h."
    elif error.status == 400 and wish.state is not None and "availability" in said:
        accepted = PREFERRED_STATES if wish.preferred else SESSION_STATES
        pairs = (one.availability if one.availability == one.activity else " ".join(one) for one in accepted)
        kind = "A preferred state" if wish.preferred else "A session's state"
        if "busy/" not in said:  # presenced lists them itself
            advice = f" {kind} is one of: {', '.join(pairs)}."
        if not wish.preferred and match(*wish.state, PREFERRED_STATES) is not None:
            advice += " With --preferred it is another list."
    return Refused(f"{error}{advice}", error.status, error.code)


def _why_not(wish: Wish, seen: str) -> str:
    if not wish.preferred:
        return "  (set, but another session or the preferred state counts more)"
    if seen == "Offline":
        return "  (set, but it shows only while the person has a session)"
    return ""
