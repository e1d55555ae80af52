"""presenced as people run it: a folder on disk, tokens checked, Graph's limit of 1,500 calls in 30 seconds."""

import itertools
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec

from benchmarks import http
from benchmarks.plan import Plan, WrongAnswer
from benchmarks.process import Process, run
from benchmarks.question import Entries, Question, asked, http_plan

_COMMAND = str(Path(sys.executable).parent / "presenced")
_STATES = (("Busy", "InACall"), ("Busy", "InAConferenceCall"), ("Away", "Away"), ("DoNotDisturb", "Presenting"))
"""Session states that do not fade, so that answers stay the same while they are compared."""
_BUSY_PEOPLE = 200
_BULK = 650


class Presenced:
    """A data folder, the tokens of its apps, and the server on it once it is started."""

    name = "presenced"
    what = "POST getPresencesByUserId; token checked and call counted against Graph's limit, per app"

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.port = 0
        self._pid = 0
        self._tokens: list[str] = []

    def import_people(self, file: Path) -> None:
        """Add people to the directory, while no server runs."""
        self._run("users", "import", str(file))

    def add_apps(self, count: int) -> None:
        """Register apps and get a token for each: the limit is per app, so the calls take turns between many."""

        # The server runs: two commands on a stopped folder would lock each other out.
        with ThreadPoolExecutor(2) as pool:
            self._tokens = list(pool.map(lambda number: self.new_token(f"reader {number}"), range(count)))

    def start(self, log: Path, settings: dict[str, str] | None = None) -> Process:
        """Start the server with its defaults, but for settings in the environment."""
        server = Process([_COMMAND, "serve", "--port", "0", "--data", str(self._folder)], log, settings)
        try:
            self.port = int(server.wait_for_line(r"http://[^\s/]+:(\d+)"))
        except BaseException:
            server.__exit__(None, None, None)
            raise
        self._pid = server.pid
        return server

    def set_presences(self, people: list[str]) -> None:
        """Give some people a state through the API, so that answers differ."""
        token = self.new_token("writer", "Presence.ReadWrite.All")
        body = {"sessionId": "benchmark", "expirationDuration": "PT4H"}
        http.ask_all(
            self.port,
            [
                http.post(
                    f"/v1.0/users/{person}/presence/setPresence",
                    body | {"availability": availability, "activity": activity},
                    token,
                )
                for person, (availability, activity) in zip(
                    people[:_BUSY_PEOPLE], itertools.cycle(_STATES), strict=False
                )
            ],
        )

    def entries(self, people: list[str]) -> Entries:
        """Everyone's presence as the server shows it. It also has the server render all of them once."""
        questions = [people[start : start + _BULK] for start in range(0, len(people), _BULK)]
        entries: Entries = {}
        for question, answer in zip(questions, http.ask_all(self.port, asked(questions, self._tokens)), strict=True):
            value = msgspec.json.decode(answer, type=_Answer).value
            if [msgspec.json.decode(entry)["id"] for entry in value] != question:
                raise WrongAnswer(f"other people than asked for: {answer[:300]!r}...")
            entries.update(zip(question, map(bytes, value), strict=True))
        return entries

    def plan(self, questions: list[Question], entries: Entries) -> Plan:
        """The questions, each with the next app's token."""
        return http_plan(self.port, self._pid, asked(questions, self._tokens), questions, entries)

    def new_token(self, app: str, permission: str = "Presence.Read.All") -> str:
        """A token of a new app."""
        added = self._run("apps", "add", app, "--permission", permission, "--json")
        return self._run("token", "--app", msgspec.json.decode(added)["id"]).strip()

    def _run(self, *arguments: str) -> str:
        return run([_COMMAND, *arguments, "--data", str(self._folder)])


class _Answer(msgspec.Struct):
    value: list[msgspec.Raw]
