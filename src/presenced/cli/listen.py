"""presenced listen: receive notifications at a desk and print them, each on one line.

What strangers post is printed as text and never obeyed: control characters are replaced, and only notifications with
this subscription's own clientState are read back or answered.
"""

import asyncio
import contextlib
import signal
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.text import Text

from presenced.cli.connection import run
from presenced.cli.desk import Desk
from presenced.cli.options import settings_from, settings_options
from presenced.cli.state_look import style_of
from presenced.cli.terminal import printable
from presenced.cli.token import Lifetime
from presenced.control import Impossible
from presenced.listen.client_state import ClientState
from presenced.listen.own_subscription import NotDone, OwnSubscription
from presenced.listen.receiver import Arrival, CannotReceive, Handshake, Odd, Post, Received, Receiver
from presenced.listen.resource_data import CannotOpen, ResourceKey
from presenced.listen.validation import NotProven, Validation

_RETRY = 15.0
"""Seconds between two looks at whether the subscription must be renewed."""


@click.command()
@settings_options("data")
@click.argument("people", nargs=-1, metavar="[ID-OR-UPN]...")
@click.option("--port", "listen_port", type=click.IntRange(0, 65535), default=0, help="[default: a free one]")
@click.option("--host", "listen_host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--url", help="The URL to subscribe with, if this is reached by another.  [default: the one listened on]")
@click.option("--app", help="The id of the app that subscribes.  [default: the first with delegated permissions]")
@click.option("--user", help="The id or userPrincipalName of who subscribes.  [default: the first of the people]")
@click.option("--tenant", help="The id of the tenant.  [default: the folder's own]")
@click.option("--rich", is_flag=True, help="Have the presence sent along, encrypted, instead of reading it back.")
@click.option("--count", type=click.IntRange(1), help="Stop after so many notifications.")
@click.option("--lifetime", type=Lifetime(), default="1h", show_default=True, help="How long the tokens used live.")
def listen(
    people: tuple[str, ...],
    listen_port: int,
    listen_host: str,
    url: str | None,
    app: str | None,
    user: str | None,
    tenant: str | None,
    rich: bool,
    count: int | None,
    lifetime: int,
    **values: Any,
) -> None:
    """Receive notifications and print them, until Ctrl-C.

    With PEOPLE it subscribes to their presence on the server that runs on --data, renews that subscription, and deletes
    it at the end. Without, it prints its URL, for a subscription of your own, and what arrives there.
    """
    if rich and not people:
        raise click.UsageError("--rich is for a subscription of one's own: name people.")
    settings = settings_from(values)
    desk = Desk(settings, tenant, app, user, lifetime)
    run(_Listening(desk, settings.data, list(people), rich, count).until_stopped(listen_host, listen_port, url))


class _Listening:
    """One run of the command."""

    def __init__(self, desk: Desk, data: Path, people: list[str], rich: bool, count: int | None) -> None:
        self._desk = desk
        self._data = data
        self._people = people
        self._key = ResourceKey() if rich and people else None
        self._left = count
        self._own: OwnSubscription | None = None
        self._validation: Validation | None = None
        self._console = Console(soft_wrap=True, highlight=False, emoji=False, markup=False)

    async def until_stopped(self, host: str, port: int, url: str | None) -> None:
        """Raises Impossible."""
        stopped = asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            asyncio.get_running_loop().add_signal_handler(number, stopped.set)
        try:
            async with Receiver(host, port) as receiver, self._desk:
                shown = f"[{host}]" if ":" in host else {"0.0.0.0": "127.0.0.1"}.get(host, host)  # noqa: S104
                url = url or f"http://{shown}:{receiver.port}/notifications"
                self._say(f"listening at {url}")
                async with self._subscribed(url):
                    await self._work(receiver, stopped)
        except CannotReceive as error:
            raise Impossible(str(error)) from error

    async def _work(self, receiver: Receiver, stopped: asyncio.Event) -> None:
        """Print and renew until told to stop."""
        tasks = [asyncio.create_task(self._print_all(receiver)), asyncio.create_task(stopped.wait())]
        if self._own is not None:
            tasks.append(asyncio.create_task(self._renew(self._own)))
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    @contextlib.asynccontextmanager
    async def _subscribed(self, url: str) -> AsyncIterator[None]:
        """Subscribed to the people, if any were named, until the end of the block."""
        if not self._people:
            yield
            return
        ids = await self._desk.find(self._people)
        state = ClientState(self._data)
        own = OwnSubscription(self._desk.client, self._desk.access, url, ids, self._key, state)
        try:
            state.open()
        except OSError as error:
            raise Impossible(f"The data folder {self._data} cannot be written: {error.strerror}.") from error
        try:
            await self._create(own)
            async with self._made(own, len(ids)):
                yield
        finally:
            state.close(left=own.may_exist)

    async def _create(self, own: OwnSubscription) -> None:
        """Make it, in the place of one that a listener left behind. Raises Impossible."""
        try:
            try:
                await own.create()
            except NotDone as error:
                if error.status != 409 or not await own.delete_abandoned():
                    raise
                self._say("what an earlier listener left behind is deleted")
                await own.create()
        except NotDone as error:
            hint = ""
            if error.status == 409:
                hint = " See: presenced subscriptions. Another --user may subscribe, or another --app."
            raise Impossible(f"The subscription was refused: {printable(str(error), 1000)}{hint}") from error

    @contextlib.asynccontextmanager
    async def _made(self, own: OwnSubscription, people: int) -> AsyncIterator[None]:
        """The block in which the subscription is there; it is deleted at the end."""
        self._own = own
        if self._key is not None:
            self._validation = await self._desk.validation(own.app)
        self._say(f"subscribed to {people} as {self._desk.user_name}, subscription {own.id}; Ctrl-C deletes it")
        try:
            yield
        finally:
            try:
                await own.delete()
                self._say("the subscription is deleted")
            except (NotDone, Impossible) as error:
                self._say(f"the subscription could not be deleted, it ends within an hour: {error}", "red")

    async def _renew(self, own: OwnSubscription) -> None:
        while True:
            # in short steps by the clock of the day: a machine that was asleep renews at once
            await asyncio.sleep(min(_RETRY, max(own.renew_at - time.time(), 1.0)))
            if time.time() < own.renew_at:
                continue
            try:
                kept = await own.renew()
                self._say("the subscription is renewed" if kept else f"the subscription was gone; now it is {own.id}")
            except (NotDone, Impossible) as error:
                self._say(f"the subscription is not renewed, trying again: {error}", "red")
                await asyncio.sleep(_RETRY)

    async def _print_all(self, receiver: Receiver) -> None:
        while self._left is None or self._left > 0:
            await self._print(await receiver.arrivals.get())

    async def _print(self, arrival: Arrival) -> None:
        if isinstance(arrival, Handshake):
            self._say("a handshake was answered")
        elif isinstance(arrival, Odd):
            self._say(f"something came that is no notification: {arrival.reason}", "red")
        else:
            await self._print_post(arrival)

    async def _print_post(self, post: Post) -> None:
        not_proven = ""
        if self._validation is not None and any(item.encrypted_content for item in post.value):
            try:
                await self._validation.check(post.validation_tokens)
            except NotProven as error:
                not_proven = str(error)
        for item in post.value:
            line = Text(_time(), style="bright_black")
            line.append("  ")
            ours = self._own is not None and self._own.sent(item)
            if item.lifecycle_event is not None:
                await self._add_lifecycle(line, item, ours)
            elif self._own is not None and not ours:
                line.append("not of this subscription: ", "red").append(printable(item.resource or "?"), "none")
            elif not_proven and item.encrypted_content is not None:
                line.append(f"not believed, {not_proven}: ", "red").append(printable(item.resource or "?"), "none")
            else:
                await self._add_change(line, item)
            line.append(f"  subscription {printable(item.subscription_id, 40)}", "bright_black")
            self._console.print(line)
            if self._left is not None:
                self._left -= 1

    async def _add_change(self, line: Text, item: Received) -> None:
        person = self._desk.person(item.resource)
        name = await self._desk.name(person) if person is not None else None
        line.append(printable(name or person or item.resource or "?"), "bold")
        line.append("  ")
        if item.encrypted_content is not None:
            if self._key is None:
                line.append("(encrypted)", "bright_black")
                return
            try:
                # an RSA operation: not on the loop, which must answer within seconds
                state = await asyncio.to_thread(self._key.open, item.encrypted_content)
            except CannotOpen as error:
                line.append(f"cannot be decrypted: {error}", "red")
                return
            if state.id != person:
                line.append("the encrypted presence is another person's", "red")
                return
            _add_state(line, state.availability, state.activity)
        elif person is not None:
            try:
                _add_state(line, *await self._desk.state(person))
            except (NotDone, Impossible) as error:
                line.append(f"changed (not read back: {printable(str(error))})", "bright_black")
        else:
            line.append("changed", "bright_black")

    async def _add_lifecycle(self, line: Text, item: Received, ours: bool) -> None:
        line.append(printable(item.lifecycle_event or "", 60), "magenta")
        if not ours or self._own is None:
            return
        try:
            if item.lifecycle_event == "reauthorizationRequired":
                await self._own.reauthorize()
                line.append(", done")
        except (NotDone, Impossible) as error:
            line.append(f", not done: {printable(str(error))}", "red")

    def _say(self, text: str, style: str = "bright_black") -> None:
        self._console.print(Text(f"{_time()}  {printable(text, 1000)}", style))


def _add_state(line: Text, availability: str, activity: str) -> None:
    shown = printable(availability, 40)
    line.append(shown, style_of(availability))
    if activity != availability:
        line.append(f", {printable(activity, 40)}", "none")


def _time() -> str:
    return time.strftime("%H:%M:%S")
