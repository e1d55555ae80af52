"""Traffic: what comes and goes, in the hands of a test: faults in it, a log of it, waiting for it.

It is what graph/ and notify/ have between them and their clients and subscribers, by their protocols.
"""

import re
from collections.abc import Collection
from datetime import datetime
from typing import Any, NamedTuple

import msgspec
import structlog
from starlette.requests import Request
from starlette.routing import BaseRoute, Route

from presenced.clock import Clock
from presenced.emulator import secrets
from presenced.emulator.application import Answer
from presenced.emulator.fault import FaultShown, NewFault
from presenced.emulator.faults import Faults, check_match
from presenced.emulator.instants import iso
from presenced.emulator.log_entries import DeliveryEntry, NotificationShown, RequestEntry
from presenced.emulator.recorder import SIGN_IN
from presenced.emulator.rings import MOST_ENTRIES, Rings
from presenced.emulator.waiting import Wait, Waiting, check_wait, count_notifications, count_request
from presenced.identity.tenants import Tenants
from presenced.notify.interception import Post
from presenced.notify.notification import Item
from presenced.presence.record import guid
from presenced.presence.refused import Refused
from presenced.service import Service
from presenced.store.base import Store

log = structlog.get_logger()

_PERSON = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII)
_SHOWN = 100
"""Entries told of, unless more are asked for."""


class RequestsShown(msgspec.Struct):
    """Requests, oldest first, and the number of the last there is."""

    requests: list[RequestEntry]
    latest: int


class DeliveriesShown(msgspec.Struct):
    """Deliveries in the same way."""

    deliveries: list[DeliveryEntry]
    latest: int


class FaultsShown(msgspec.Struct):
    """The faults in force, oldest first."""

    faults: list[FaultShown]


class Removed(msgspec.Struct):
    """How many there were."""

    removed: int


class _Item(msgspec.Struct, rename="camel"):
    """What is told of a notification, from its JSON."""

    subscription_id: str = ""
    resource: str = ""
    lifecycle_event: str | None = None


class _Asked(NamedTuple):
    """Which entries are asked for."""

    tenant: str | None
    after: int | None
    limit: int


class Traffic:
    """Faults, logs and those who wait for their entries. ``operations`` are the names of Graph's that there are."""

    def __init__(
        self, clock: Clock, store: Store, service: Service, tenants: Tenants, operations: Collection[str]
    ) -> None:
        self._clock = clock
        self._tenants = tenants
        self._operations = operations
        self.faults = Faults(clock, store, service, tenants, operations)
        self.generation = 0
        self.requests: Rings[RequestEntry] = Rings()
        self.deliveries: Rings[DeliveryEntry] = Rings()
        self._waiting_for_requests = Waiting(self.requests, "requests", count_request)
        self._waiting_for_deliveries = Waiting(self.deliveries, "notifications", count_notifications)
        # the protocols of graph/interception.py and notify/interception.py
        self.strike = self.faults.strike
        self.of_notification = self.faults.of_notification
        self.of_handshake = self.faults.of_handshake

    def clear(self) -> None:
        """Forget faults and logs, and what is under way."""
        self.generation += 1
        self.faults.start_over()
        self.requests.clear()
        self.deliveries.clear()

    def hang_up(self) -> None:
        """Have nobody wait any longer: the server stops."""
        self._waiting_for_requests.stop()
        self._waiting_for_deliveries.stop()

    def latest(self, tenant: str, limit: int) -> list[Any]:
        """The last requests of a tenant, newest first, in short, for the board."""
        return [
            {
                "number": one.number,
                "at": datetime.fromisoformat(one.at).timestamp(),
                "method": one.method,
                "path": one.path[:500],
                "operation": one.operation,
                "status": one.status,
                "duration": one.duration,
                "user": one.user,
                "app": one.app,
                "faults": one.faults,
            }
            for one in reversed(self.requests.since(0, tenant)[-limit:])
        ]

    # --- what is told by graph/ and notify/ -------------------------------------------------------------------------

    @property
    def armed(self) -> bool:
        """Whether anything could go wrong with a request."""
        return self.faults.armed

    def answered_part(self, answered: Any) -> None:
        """Keep a part of a batch (graph/interception.py: AnsweredPart)."""
        part, answer, caller = answered.part, answered.answer, answered.caller
        headers = {name.lower(): value for name, value in answer.headers}
        faults = headers.get("presenced-fault")
        entry = RequestEntry(
            number=self.requests.next_number(),
            at=iso(self._clock.now()),
            method=part.method[:16],
            path=f"{part.path}?{secrets.masked_query(part.query)}"[:8192] if part.query else part.path[:8192],
            operation=answered.operation,
            status=answer.status,
            duration=round(answered.duration, 6),
            tenant=caller.tenant,
            app=caller.app,
            user=caller.user,
            part=True,
            faults=faults.split(", ") if faults else [],
            request_id=answered.request_id,
            request_headers={"content-type": part.content_type[:4096]} if part.content_type else {},
            request_body=secrets.masked_json(part.body, len(part.body)),
            request_size=len(part.body),
            response_headers=headers,
            response_body=secrets.masked_json(answer.body, len(answer.body)),
            response_size=len(answer.body),
        )
        self.requests.add(entry, 2000 + len(entry.path) + len(entry.request_body) + len(entry.response_body))

    def posted(self, post: Post) -> None:
        """Keep a POST to a webhook."""
        try:
            self._keep(post)
        except Exception:  # of the log; who is to be told is told all the same
            log.exception("a delivery could not be kept in the log")

    def _keep(self, post: Post) -> None:
        answer = post.answer
        kind = "" if answer is None else answer.content_type
        entry = DeliveryEntry(
            number=self.deliveries.next_number(),
            at=iso(self._clock.now()),
            kind="handshake" if post.handshake else "notification",
            url=secrets.masked_url(post.url),
            status=None if answer is None else answer.status,
            duration=round(post.seconds, 6),
            tenant=post.tenant,
            app=post.app,
            notifications=[_shown(item) for item in post.items],
            faults=list(post.faults),
            problem=post.error,
            request_headers={name.lower(): value for name, value in post.headers.items()},
            request_body=secrets.masked_json(post.body, len(post.body)),
            request_size=len(post.body),
            response_headers={"content-type": kind} if kind else {},
            response_body="" if answer is None else secrets.cut(answer.body, len(answer.body)),
        )
        size = 1000 + len(entry.url) + len(entry.request_body) + len(entry.response_body)
        self.deliveries.add(entry, size + 500 * len(entry.notifications))

    # --- the owner's ------------------------------------------------------------------------------------------------

    def routes(self, answer: Answer) -> list[BaseRoute]:
        """What is asked under /presenced."""
        return [
            Route("/faults", answer.to(self.faults.add, NewFault), methods=["POST"]),
            Route("/faults", answer.of(self._list_faults), methods=["GET"]),
            Route("/faults", answer.of(self._clear_faults), methods=["DELETE"]),
            Route("/faults/{id}", answer.of(self._get_fault), methods=["GET"]),
            Route("/faults/{id}", answer.of(self._remove_fault), methods=["DELETE"]),
            Route("/log/requests", answer.of(self._list_requests), methods=["GET"]),
            Route("/log/requests", answer.of(self._clear_requests), methods=["DELETE"]),
            Route("/log/deliveries", answer.of(self._list_deliveries), methods=["GET"]),
            Route("/log/deliveries", answer.of(self._clear_deliveries), methods=["DELETE"]),
            Route("/wait", answer.to(self._wait, Wait), methods=["POST"]),
        ]

    async def _list_faults(self, request: Request) -> FaultsShown:
        return FaultsShown(self.faults.list())

    async def _clear_faults(self, request: Request) -> Removed:
        return Removed(self.faults.clear())

    async def _get_fault(self, request: Request) -> FaultShown:
        return self.faults.get(request.path_params["id"])

    async def _remove_fault(self, request: Request) -> FaultShown:
        return self.faults.remove(request.path_params["id"])

    async def _list_requests(self, request: Request) -> RequestsShown:
        return RequestsShown(*self._part(self.requests, request))

    async def _clear_requests(self, request: Request) -> Removed:
        return Removed(self.requests.clear())

    async def _list_deliveries(self, request: Request) -> DeliveriesShown:
        return DeliveriesShown(*self._part(self.deliveries, request))

    async def _clear_deliveries(self, request: Request) -> Removed:
        return Removed(self.deliveries.clear())

    async def _wait(self, asked: Wait) -> RequestsShown | DeliveriesShown:
        check_wait(asked)
        check_match(asked.match, (*self._operations, *SIGN_IN), self._tenants.find)
        if asked.what == "requests":
            requests = await self._waiting_for_requests.wait(asked)
            return RequestsShown(requests, requests[-1].number)
        deliveries = await self._waiting_for_deliveries.wait(asked)
        return DeliveriesShown(deliveries, deliveries[-1].number)

    def _part(self, log: Rings[Any], request: Request) -> tuple[list[Any], int]:
        asked = self._read(request)
        entries = log.since(0, asked.tenant)
        latest = entries[-1].number if entries else 0
        if asked.after is None:
            return entries[-asked.limit :], latest
        return [one for one in entries if one.number > asked.after][: asked.limit], latest

    def _read(self, request: Request) -> _Asked:
        query = dict(request.query_params)
        for name in query:
            if name not in _Asked._fields:
                message = f"There is no {name[:64]!r} to ask by; there are tenant, after and limit."
                raise Refused("InvalidArgument", message)
        tenant = query.get("tenant")
        if tenant is not None:
            tenant = guid(tenant) or self._tenants.find(tenant)
            if tenant is None:
                raise Refused("InvalidArgument", "There is no such tenant; use its id or a domain of its.")
        after = _number(query["after"], "after", 0, (1 << 62)) if "after" in query else None
        return _Asked(tenant, after, _number(query.get("limit", str(_SHOWN)), "limit", 1, MOST_ENTRIES))


def _number(text: str, name: str, least: int, most: int) -> int:
    if text.isascii() and text.isdigit() and len(text) <= 19 and least <= int(text) <= most:
        return int(text)
    raise Refused("InvalidArgument", f"{name} is a number from {least} to {most}.")


def _shown(item: Item) -> NotificationShown:
    said = msgspec.json.decode(item.content, type=_Item)
    person = _PERSON.search(said.resource.lower())
    return NotificationShown(
        said.subscription_id, item.app, None if person is None else person[0], said.lifecycle_event
    )
