"""Emulator: what a test may do to a server that Graph allows nobody: move its clock, have it fail, see its traffic."""

from collections.abc import Collection
from datetime import UTC, datetime

import msgspec
from starlette.requests import Request
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp

from presenced.clock import SettableClock
from presenced.emulator.application import Answer, Envelope, application
from presenced.emulator.time_control import ClockState, TimeControl
from presenced.emulator.traffic import Traffic
from presenced.identity.tenants import Tenants
from presenced.notify.notifier import Notifier
from presenced.presence.durations import parse_duration
from presenced.presence.refused import Refused
from presenced.service import Service
from presenced.store.base import Store


class ClockChange(msgspec.Struct):
    """What the clock shall be: at an instant (ISO 8601, UTC if it has no offset), standing still or going on."""

    now: str | None = None
    frozen: bool | None = None


class ClockAdvance(msgspec.Struct):
    """By how much the clock is moved on: an ISO 8601 duration."""

    by: str


class Emulator:
    """The control API's parts. ``network`` and ``owner`` are its applications, with and without a guard."""

    def __init__(
        self,
        clock: SettableClock,
        store: Store,
        service: Service,
        notifier: Notifier,
        tenants: Tenants,
        operations: Collection[str],
        envelope: Envelope,
        admin_token: str | None,
    ) -> None:
        self.traffic = Traffic(clock, store, service, tenants, operations)
        notifier.intercept(self.traffic)
        self.time = TimeControl(clock, store, service, notifier)
        self.network: ASGIApp
        self.owner: ASGIApp
        self.network, self.owner = application(self._routes(Answer(envelope)), envelope, admin_token)

    def _routes(self, answer: Answer) -> list[BaseRoute]:
        return [
            Route("/clock", answer.of(self._clock), methods=["GET"]),
            Route("/clock", answer.to(self._set_clock, ClockChange), methods=["PATCH", "POST"]),
            Route("/clock/advance", answer.to(self._advance_clock, ClockAdvance), methods=["POST"]),
            Route("/clock/reset", answer.of(self._reset_clock), methods=["POST"]),
            *self.traffic.routes(answer),
        ]

    async def _clock(self, request: Request) -> ClockState:
        return self.time.state()

    async def _set_clock(self, change: ClockChange) -> ClockState:
        return await self.time.change(at=None if change.now is None else _instant(change.now), frozen=change.frozen)

    async def _advance_clock(self, advance: ClockAdvance) -> ClockState:
        return await self.time.advance(parse_duration(advance.by, "by"))

    async def _reset_clock(self, request: Request) -> ClockState:
        await self.time.reset()
        return self.time.state()


def _instant(text: str) -> float:
    try:
        at = datetime.fromisoformat(text)
        return at.replace(tzinfo=at.tzinfo or UTC).timestamp()
    except (ValueError, OverflowError):
        message = "The provided [now] is no instant. Use ISO 8601, such as 2026-11-24T17:00:00Z."
        raise Refused("InvalidArgument", message) from None
