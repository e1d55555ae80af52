"""Plan: what the load generator sends to one server, and the answers that it must get."""

from pathlib import Path

import msgspec


class WrongAnswer(Exception):
    """A server answered something else than it should. The run ends: a wrong answer has no price."""


class Exchange(msgspec.Struct, frozen=True):
    """A request ready to be sent, and the body that answers it."""

    request: bytes
    answer: bytes


class Plan(msgspec.Struct, frozen=True):
    """The exchanges to make in turn. ``framed`` says that answers carry their own length, as HTTP's do."""

    port: int
    pid: int
    exchanges: list[Exchange]
    framed: bool = True

    def save(self, path: Path) -> None:
        """Write the plan for the load generator's process."""
        path.write_bytes(msgspec.msgpack.encode(self))

    @classmethod
    def read(cls, path: Path) -> "Plan":
        """The plan in the file."""
        return msgspec.msgpack.decode(path.read_bytes(), type=cls)


class Outcome(msgspec.Struct, frozen=True):
    """What a run measured: per call, the server's CPU; by the clock on the wall, calls per second."""

    calls: int
    cpu_us: float
    per_second: float
