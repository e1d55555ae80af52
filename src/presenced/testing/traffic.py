"""Traffic: faults in what comes and goes, the log of it, and waiting for it (docs/faults.md).

Entries and faults are dicts, with the members that the control API's JSON has.
"""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any, Literal

import msgspec

from presenced.testing.awaited import awaited
from presenced.testing.control import Control

Duration = timedelta | str
"""A duration, as text such as PT5S."""
Header = str | tuple[str, str]
"""The name of a header, or name and value."""
Entry = dict[str, Any]


class Faults:
    """What shall go wrong. Everything raises ControlError for what cannot be."""

    def __init__(self, control: Control) -> None:
        self._control = control

    def add(
        self,
        *,
        status: Literal[429, 500, 503, 504] | None = None,
        retry_after: Duration | None = None,
        latency: Duration | None = None,
        cut: Literal["before", "after", "within"] | None = None,
        stale: bool | None = None,
        notification: Literal["lost", "late", "doubled", "reordered"] | None = None,
        delay: Duration | None = None,
        handshake: Literal["refused", "timeout"] | None = None,
        operation: str | None = None,
        tenant: str | None = None,
        app: str | None = None,
        person: str | None = None,
        header: Header | None = None,
        nth: int | None = None,
        share: float | None = None,
        seed: int | None = None,
        times: int | None = None,
    ) -> Entry:
        """Have one effect (the first eight arguments) on what is meant (the next eight), at most so many ``times``."""
        effect = {
            "status": status,
            "retryAfter": _text(retry_after),
            "latency": _text(latency),
            "cut": cut,
            "stale": stale,
            "notification": notification,
            "delay": _text(delay),
            "handshake": handshake,
        }
        match = _match(operation, tenant, app, person, header) | {"nth": nth, "share": share, "seed": seed}
        fault = {"effect": _said(effect), "match": _said(match), "times": times}
        return _entry(self._control.ask("POST", "/presenced/faults", _said(fault)))

    def list(self) -> list[Entry]:
        """Those in force, each with how often it was met (``matched``) and how often it struck (``struck``)."""
        return list(self._control.ask("GET", "/presenced/faults")["faults"])

    def get(self, fault: str) -> Entry:
        """One, by its id."""
        return _entry(self._control.ask("GET", f"/presenced/faults/{fault}"))

    def remove(self, fault: str) -> Entry:
        """Remove one, by its id."""
        return _entry(self._control.ask("DELETE", f"/presenced/faults/{fault}"))

    def clear(self) -> None:
        """Remove them all."""
        self._control.ask("DELETE", "/presenced/faults")


class Log:
    """The last requests, or the last POSTs to webhooks (``what``: requests, deliveries)."""

    def __init__(self, control: Control, what: Literal["requests", "deliveries"]) -> None:
        self._control = control
        self._what = what

    def entries(self, *, tenant: str | None = None, after: int | None = None, limit: int = 100) -> list[Entry]:
        """Entries, oldest first: the last ones, or those that came next ``after`` a number."""
        asked = _said({"tenant": tenant, "after": after, "limit": limit})
        return list(self._control.ask("GET", f"/presenced/log/{self._what}", params=asked)[self._what])

    def clear(self) -> None:
        """Forget them."""
        self._control.ask("DELETE", f"/presenced/log/{self._what}")

    def wait(
        self,
        count: int = 1,
        *,
        operation: str | None = None,
        tenant: str | None = None,
        app: str | None = None,
        person: str | None = None,
        header: Header | None = None,
        status: int | None = None,
        kind: Literal["notification", "handshake"] | None = None,
        after: int = 0,
        within: Duration = timedelta(seconds=10),
    ) -> list[Entry]:
        """The entries, once there are so many (of deliveries: so many notifications).

        Those that are there already count. ``within`` is real time, a minute at most; ControlError then says what came
        instead.
        """
        match = _match(operation, tenant, app, person, header) | {"status": status, "kind": kind}
        asked = {"for": self._what, "match": _said(match), "count": count, "after": after, "within": _text(within)}
        return list(self._control.ask("POST", "/presenced/wait", asked)[self._what])


class AsyncFaults:
    """Faults, to be awaited."""

    def __init__(self, faults: Faults) -> None:
        self.add = awaited(faults.add)
        self.list = awaited(faults.list)
        self.get = awaited(faults.get)
        self.remove = awaited(faults.remove)
        self.clear = awaited(faults.clear)


class AsyncLog:
    """A log, to be awaited."""

    def __init__(self, log: Log) -> None:
        self.entries = awaited(log.entries)
        self.clear = awaited(log.clear)
        self.wait = awaited(log.wait)


def lines(entries: Iterable[Entry]) -> str:
    """Requests in short, a line each."""
    return "\n".join(
        f"{one['at']} {one['method']} {one['path']} {one['status'] or one['problem'] or 'no answer'}"
        + (f" (fault {', '.join(one['faults'])})" if one["faults"] else "")
        for one in entries
    )


def _match(
    operation: str | None, tenant: str | None, app: str | None, person: str | None, header: Header | None
) -> dict[str, Any]:
    if header is not None:
        name, value = (header, None) if isinstance(header, str) else header
        return {**_match(operation, tenant, app, person, None), "header": _said({"name": name, "value": value})}
    return {"operation": operation, "tenant": tenant, "app": app, "person": person}


def _said(members: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value is not None}


def _text(duration: Duration | None) -> Any:
    return msgspec.to_builtins(duration)


def _entry(answer: Any) -> Entry:
    found: Entry = answer
    return found
