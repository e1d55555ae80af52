"""Redis: one key per person with the same JSON, asked with MGET. No HTTP, no tokens, no limits."""

import shutil
from pathlib import Path

import redis

from benchmarks.connection import Connection
from benchmarks.plan import Exchange, Plan, WrongAnswer
from benchmarks.process import Process, ServerFailed, free_port
from benchmarks.question import Entries, Question


class Redis:
    """A Redis that keeps nothing on disk. The load generator speaks its protocol; only the server's CPU is counted."""

    name = "Redis"
    what = "MGET of one key per person, holding the same JSON; protocol without HTTP, tokens or limits; no persistence"

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._port = free_port()
        self._pid = 0

    def start(self, log: Path) -> Process:
        """Start it and wait until it listens."""
        self._folder.mkdir()
        command = shutil.which("redis-server")
        if command is None:
            raise ServerFailed("redis-server is not installed; ./scripts/bench installs it.")
        options = {
            "port": str(self._port),
            "bind": "127.0.0.1",
            "dir": str(self._folder),
            "save": "",
            "appendonly": "no",
        }
        server = Process(
            [command, *(word for name, value in options.items() for word in (f"--{name}", value))],
            log,
        )
        server.wait_for_port(self._port)
        self._pid = server.pid
        return server

    def load(self, entries: Entries) -> None:
        """Set everyone's key."""
        people = list(entries)
        with redis.Redis(port=self._port) as client:
            for start in range(0, len(people), 1000):
                client.mset({person: entries[person] for person in people[start : start + 1000]})

    def plan(self, questions: list[Question], entries: Entries) -> Plan:
        """The questions as MGET. Raises WrongAnswer."""
        exchanges = [Exchange(_command(question), _answer(question, entries)) for question in questions]
        connection = Connection(self._port)
        try:
            for exchange in exchanges:
                if connection.ask(exchange.request, len(exchange.answer)) != exchange.answer:
                    raise WrongAnswer("Redis does not return what was set")
        finally:
            connection.close()
        return Plan(self._port, self._pid, exchanges, framed=False)


def _command(question: Question) -> bytes:
    words = ("MGET", *question)
    return b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%b\r\n" % (len(word), word.encode()) for word in words)


def _answer(question: Question, entries: Entries) -> bytes:
    found = [entries[person] for person in question]
    return b"*%d\r\n" % len(found) + b"".join(b"$%d\r\n%b\r\n" % (len(entry), entry) for entry in found)
