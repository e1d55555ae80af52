"""A server in the hands of a test, and what the tests of faults and logs ask of it."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
from tests.conftest import JONAS, NADIA
from tests.running import Server, running

TENANT = "5ca1ab1e-0000-4000-8000-000000000001"


class Controlled:
    """A server that takes control, with a client for its control API and one for Graph as an application."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.control = httpx.Client(base_url=f"{server.http}/presenced", timeout=90)
        self.graph = server.client("--lifetime", "24h")
        self.nadia = server.client("--lifetime", "24h", "--user", NADIA)

    def begin(self) -> None:
        """Forget everything of the test before."""
        assert self.control.post("/reset").status_code == 204

    def close(self) -> None:
        for client in (self.control, self.graph, self.nadia):
            client.close()

    def add(self, effect: dict[str, Any], times: int | None = None, **match: Any) -> str:
        """Add a fault; its id."""
        answer = self.control.post("/faults", json={"effect": effect, "match": match, "times": times})
        assert answer.status_code == 200, answer.text
        return str(answer.json()["id"])

    def counts(self, number: str) -> tuple[int, int]:
        """How often a fault was met, and struck."""
        shown = self.control.get(f"/faults/{number}").json()
        return shown["matched"], shown["struck"]

    def read(self, *ids: str) -> httpx.Response:
        """One bulk read."""
        return self.graph.post("/communications/getPresencesByUserId", json={"ids": ids or [NADIA]})

    def set_state(self, activity: str = "InACall", duration: str = "PT4H", person: str = JONAS) -> None:
        state = activity if activity in ("Available", "Away") else "Busy"
        body = {"sessionId": "s", "availability": state, "activity": activity, "expirationDuration": duration}
        self.graph.post(f"/users/{person}/presence/setPresence", json=body).raise_for_status()

    def log(self, of: str = "requests", **query: Any) -> list[dict[str, Any]]:
        entries: list[dict[str, Any]] = self.control.get(f"/log/{of}", params=query).json()[of]
        return entries

    def wait(
        self, of: str, count: int = 1, within: str = "PT60S", after: int = 0, **match: Any
    ) -> list[dict[str, Any]]:
        """Wait for entries."""
        asked = {"for": of, "match": match, "count": count, "within": within, "after": after}
        answer = self.control.post("/wait", json=asked)
        assert answer.status_code == 200, answer.text
        entries: list[dict[str, Any]] = answer.json()[of]
        return entries

    def subscribe(self, url: str, *people: str, by: httpx.Client | None = None, **more: Any) -> httpx.Response:
        """Nadia subscribes to people, for 55 minutes."""
        ids = ",".join(f"'{person}'" for person in people or [JONAS])
        now = datetime.fromisoformat(self.control.get("/clock").json()["now"])
        body = {
            "changeType": "updated",
            "notificationUrl": url,
            "resource": f"communications/presences?$filter=id in ({ids})",
            "expirationDateTime": (now + timedelta(minutes=55)).isoformat(),
            "clientState": "do not tell",
        }
        return (by or self.nadia).post("/subscriptions", json=body | more)


@contextmanager
def controlled(data: Path, *options: str) -> Iterator[Controlled]:
    """A server with the sample, under control, until the end of the block."""
    with running(data, "--sample", "--control", *options) as server:
        made = Controlled(server)
        yield made
        made.close()
