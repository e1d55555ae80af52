"""Emulator: what a test may do to a server, and nobody to Graph: move its clock, say what it holds, have it fail."""

import asyncio

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp

from presenced.calendar.content_lines import NotACalendar
from presenced.emulator.access import Guard
from presenced.emulator.application import Answer, Envelope, application, read_body
from presenced.emulator.instants import parse_instant
from presenced.emulator.seed import schema
from presenced.emulator.seed_file import SeedWrong, read, write
from presenced.emulator.seed_lines import Format
from presenced.emulator.seeds import Put, Seeds
from presenced.emulator.time_control import ClockState, TimeControl
from presenced.emulator.traffic import Traffic
from presenced.presence.durations import parse_duration
from presenced.presence.refused import Refused

_MEDIA_TYPES: dict[str, Format] = {
    "application/json": "json",
    "application/toml": "toml",
    "application/yaml": "yaml",
    "application/x-yaml": "yaml",
    "text/yaml": "yaml",
}
_WRITTEN = {"json": "application/json", "toml": "application/toml", "yaml": "application/yaml"}


class ClockChange(msgspec.Struct):
    """What the clock shall be: at an instant (ISO 8601, UTC if it has no offset), standing still or going on."""

    now: str | None = None
    frozen: bool | None = None


class ClockAdvance(msgspec.Struct):
    """By how much the clock is moved on: an ISO 8601 duration."""

    by: str


class Emulator:
    """The control API's parts. ``network`` and ``owner`` are its applications, with and without a guard."""

    def __init__(self, time: TimeControl, seeds: Seeds, traffic: Traffic, envelope: Envelope, guard: Guard) -> None:
        self.time = time
        self.seeds = seeds
        self.traffic = traffic
        self.network: ASGIApp
        self.owner: ASGIApp
        self.network, self.owner = application(self._routes(Answer(envelope)), envelope, guard)

    def _routes(self, answer: Answer) -> list[BaseRoute]:
        return [
            Route("/clock", answer.of(self._clock), methods=["GET"]),
            Route("/clock", answer.to(self._set_clock, ClockChange), methods=["PATCH", "POST"]),
            Route("/clock/advance", answer.to(self._advance_clock, ClockAdvance), methods=["POST"]),
            Route("/clock/reset", answer.of(self._reset_clock), methods=["POST"]),
            Route("/seed", answer.of(self._export), methods=["GET"]),
            Route("/seed", answer.of(self._seed), methods=["PUT"]),
            Route("/seed/schema", answer.of(self._schema), methods=["GET"]),
            Route("/reset", answer.of(self._reset), methods=["POST"]),
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

    async def _seed(self, request: Request) -> Put:
        media_type = request.headers.get("content-type", "application/json").partition(";")[0].strip().lower()
        # what curl calls the body if nobody says what it is
        form = _MEDIA_TYPES.get("application/json" if media_type == "application/x-www-form-urlencoded" else media_type)
        if form is None:
            raise Refused("InvalidArgument", f"A seed is one of {', '.join(_MEDIA_TYPES)}, as Content-Type says.")
        body = await read_body(request)
        try:
            seed, text = await asyncio.to_thread(read, body, form)
            try:
                return await self.seeds.put(seed)
            except SeedWrong as wrong:
                raise await asyncio.to_thread(wrong.located, text, form) from None
        except SeedWrong as wrong:
            raise Refused("InvalidArgument", f"The seed cannot be used: {wrong}") from wrong

    async def _export(self, request: Request) -> Response:
        formats: dict[str, Format] = {"json": "json", "toml": "toml", "yaml": "yaml"}
        form = formats.get(request.query_params.get("format", "json"))
        if form is None:
            raise Refused("InvalidArgument", "The provided [format] is none of json, toml, yaml.")
        try:
            seed = await self.seeds.export()
        except NotACalendar as error:
            raise Refused("InvalidArgument", str(error)) from error
        return Response(await asyncio.to_thread(write, seed, form), media_type=_WRITTEN[form])

    async def _schema(self, request: Request) -> object:
        return schema()

    async def _reset(self, request: Request) -> None:
        await self.seeds.reset()


def _instant(text: str) -> float:
    at = parse_instant(text)
    if at is None:
        message = "The provided [now] is no instant. Use ISO 8601, such as 2026-11-24T17:00:00Z."
        raise Refused("InvalidArgument", message)
    return at
