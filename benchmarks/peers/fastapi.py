"""FastAPI: what presenced would cost if it were written the usual way. The app is in fastapi_app.py."""

import sys
from pathlib import Path

from benchmarks.plan import Plan
from benchmarks.process import Process, free_port
from benchmarks.question import Entries, Question, asked, http_plan


class FastAPI:
    """The app under uvicorn with uvloop and httptools, as presenced is."""

    name = "FastAPI"
    what = "POST; a dict of people, pydantic response models, uvicorn with uvloop and httptools; no tokens, no limits"

    def __init__(self) -> None:
        self._port = free_port()
        self._pid = 0

    def start(self, log: Path, entries: Entries) -> Process:
        """Start it with everyone's presence and wait until it listens."""
        people = log.with_suffix(".people")
        people.write_bytes(
            b"{" + b",".join(b'"%b":%b' % (key.encode(), entry) for key, entry in entries.items()) + b"}"
        )
        options = ["--port", str(self._port), "--loop", "uvloop", "--http", "httptools", "--no-access-log"]
        server = Process(
            [sys.executable, "-m", "uvicorn", "benchmarks.peers.fastapi_app:app", *options],
            log,
            {"PEOPLE": str(people)},
        )
        server.wait_for_port(self._port)
        self._pid = server.pid
        return server

    def plan(self, questions: list[Question], entries: Entries) -> Plan:
        """The questions, without tokens: this app would not look at them."""
        return http_plan(self._port, self._pid, asked(questions), questions, entries)
