"""The contract: schemathesis reads the OpenAPI document and sends thousands of requests made from it to a real server.

No answer is a 500, has a status that the document does not name for the operation, or a body, header or content type
other than it says; without a token nothing is answered; what was deleted is gone. Links are followed from answer to
request. The same cases each time. For a long look: CONTRACT_EXAMPLES (an operation's, 40), CONTRACT_SECONDS (for
links, 25) and CONTRACT_SEED, which draws other cases.
"""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from tests.conftest import NADIA
from tests.running import clean_environment, running

from presenced.identity.permissions import APPLICATION, DELEGATED
from presenced.openapi.document import document

ROOT = Path(__file__).parents[2]
EXAMPLES = os.environ.get("CONTRACT_EXAMPLES", "40")
SECONDS = os.environ.get("CONTRACT_SECONDS", "25")
SEED = os.environ.get("CONTRACT_SEED")
SERVER = ("--sample", "--throttle-presence", "0", "--no-throttle-subscriptions")

# Not checked: that whatever fits the schemas is done, and whatever does not is refused. Rules are finer than schemas (a
# time in the past, a name that is taken), and the server takes more than it says (any letter case, unknown members).
LEFT_OUT = ("positive_data_acceptance", "negative_data_rejection")


class _Endpoint(BaseHTTPRequestHandler):
    """Takes notifications, and says so when it is asked."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        token = parse_qs(urlsplit(self.path).query).get("validationToken", [""])[0].encode()
        self.send_response(200 if token else 202)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Content-Length", str(len(token)))
        self.end_headers()
        self.wfile.write(token)

    def log_message(self, *_: object) -> None:
        """Nothing is said of each request."""


@pytest.fixture
def receiver() -> Iterator[str]:
    endpoint = ThreadingHTTPServer(("127.0.0.1", 0), _Endpoint)
    thread = threading.Thread(target=endpoint.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{endpoint.server_port}/notifications"
    endpoint.shutdown()
    thread.join()
    endpoint.server_close()


def operations() -> dict[str, set[str]]:
    """The statuses of success of each operation, by the name schemathesis gives it."""
    paths = document("http://localhost").get("paths", {})
    return {
        f"{method.upper()} {path}": {status for status in operation["responses"] if status.startswith("2")}
        for path, methods in paths.items()
        for method, operation in methods.items()
    }


# What takes the id of something that must have been made before; the tests of each resource do these.
ONLY_BY_LINKS = {
    "DELETE /users/{id}",
    "GET /subscriptions/{id}",
    "PATCH /subscriptions/{id}",
    "DELETE /subscriptions/{id}",
    "POST /subscriptions/{id}/reauthorize",
}

# What a token of each kind can never do: an application is nobody, and has no subscriptions.
NEVER: dict[str, Callable[[str], bool]] = {
    "application": lambda name: " /me" in name or " /subscriptions" in name,
    "person": lambda name: False,
}


@pytest.fixture
def contract(tmp_path: Path, receiver: str) -> Callable[..., dict[str, Any]]:
    """Runs schemathesis against a server of its own, with a token of a kind; what was answered, by operation."""

    def run(kind: str, *options: str) -> dict[str, Any]:
        with running(tmp_path / "data", *SERVER) as server:
            permissions = APPLICATION if kind == "application" else DELEGATED
            wanted = [text for permission in permissions for text in ("--permission", permission)]
            who = [] if kind == "application" else ["--user", NADIA]
            token = server.command("token", *who, *wanted, "--lifetime", "1d").strip()
            statuses = tmp_path / "statuses.json"
            done = subprocess.run(
                [
                    str(Path(sys.executable).with_name("schemathesis")),
                    *("run", f"{server.http}/openapi.json", "--no-color", "--output-truncate", "false"),
                    *("--header", f"Authorization: Bearer {token}", "--exclude-checks", ",".join(LEFT_OUT)),
                    *("--request-timeout", "60", "--warnings", "off", *options),
                ],
                cwd=tmp_path,
                env=clean_environment(
                    PYTHONPATH=str(ROOT),
                    PYTHONHASHSEED="0",
                    SCHEMATHESIS_HOOKS="tests.openapi.hooks",
                    CONTRACT_RECEIVER=receiver,
                    CONTRACT_STATUSES=str(statuses),
                ),
                capture_output=True,
                text=True,
                check=False,
                timeout=4 * 3600,
            )
        print(done.stdout[-3000:])  # noqa: T201  pytest shows it when the test fails, or with -rP
        assert done.returncode == 0, f"{done.stdout}\n{done.stderr}\n{server.output[-4000:]}"
        assert "a request failed" not in server.output
        answered: dict[str, Any] = json.loads(statuses.read_text())
        return answered

    return run


@pytest.mark.timeout(4 * 3600)
@pytest.mark.parametrize("kind", NEVER)
def test_every_answer_is_as_the_document_says(contract: Callable[..., dict[str, Any]], kind: str) -> None:
    drawn = ("--seed", SEED, "--generation-database", "none") if SEED else ("--generation-deterministic",)
    phases = ("--phases", "examples,coverage,fuzzing", "--max-examples", EXAMPLES)
    answered = contract(kind, *phases, *drawn)
    # so that it is not all refusals that were as the document says
    refused = [
        name
        for name, success in operations().items()
        if not NEVER[kind](name) and success.isdisjoint(answered.get(name, {}))
    ]
    assert set(refused) <= ONLY_BY_LINKS, f"never done: {refused}"


@pytest.mark.timeout(4 * 3600)
@pytest.mark.parametrize("kind", NEVER)
def test_what_links_lead_to_is_as_the_document_says(contract: Callable[..., dict[str, Any]], kind: str) -> None:
    """The seeds are the same each time; how many of them there is time for is up to the machine."""
    answered = contract(
        kind, "--phases", "stateful", "--max-examples", "50", "--max-time", SECONDS, "--seed", SEED or "1",
        "--generation-database", "none",
    )  # fmt: skip
    assert answered  # which links, and how far, is up to the machine, so nothing is said of that
