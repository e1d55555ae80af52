"""presenced calendar: on a stopped folder and a running server alike, from files, standard input and addresses."""

import contextlib
import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from tests.calendar.ics import OTHER, vcalendar, vevent
from tests.conftest import NADIA
from tests.running import clean_environment, command, running

UPN = "nadia@sample.example"


@pytest.fixture(scope="module", params=["stopped", "running"])
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    data = tmp_path_factory.mktemp(request.param) / "data"
    with running(data, "--sample"):
        pass
    with running(data) if request.param == "running" else contextlib.nullcontext():
        yield data


@pytest.fixture(scope="module")
def stopped(tmp_path_factory: pytest.TempPathFactory) -> Path:
    data = tmp_path_factory.mktemp("addresses") / "data"
    with running(data, "--sample"):
        pass
    return data


def calendar() -> str:
    """Two events: one this time tomorrow, with another person, and one whole day."""
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    return vcalendar(
        vevent(f"DTSTART:{tomorrow:%Y%m%dT%H%M%SZ}", "DURATION:PT30M", OTHER),
        vevent(f"DTSTART;VALUE=DATE:{tomorrow + timedelta(days=7):%Y%m%d}", "X-MICROSOFT-CDO-BUSYSTATUS:OOF"),
    )


def test_a_file_and_standard_input(folder: Path, tmp_path: Path) -> None:
    file = tmp_path / "nadia.ics"
    file.write_text(calendar(), newline="")
    options = ("--user", UPN, "--data", str(folder))
    imported = command("calendar", "import", str(file), *options)
    assert imported.stdout.startswith("2 events until ")
    assert imported.stdout.endswith(" (UTC), a meeting.\n")
    assert imported.stderr == ""
    with file.open() as text:
        again = command("calendar", "import", "-", "--user", NADIA.upper(), "--data", str(folder), stdin=text)
    assert again.stdout.partition("next:")[2] == imported.stdout.partition("next:")[2]
    assert command("calendar", "remove", *options).stdout == f"The calendar of {UPN} is forgotten.\n"
    assert command("calendar", "remove", *options).stdout == f"{UPN} has no calendar.\n"


@pytest.mark.parametrize(
    ("text", "summary"),
    [
        (vcalendar(), "No events until "),
        (vcalendar(vevent("DTSTART:20200101T090000Z", "DURATION:P3650D")), "1 event until "),
    ],
)
def test_what_is_next_if_nothing_is(folder: Path, text: str, summary: str) -> None:
    run = command("calendar", "import", "-", "--user", UPN, "--data", str(folder), input=text)
    assert run.stdout.startswith(summary)
    assert "next" not in run.stdout


def test_no_calendar_is_taken(folder: Path, tmp_path: Path) -> None:
    def refused(source: str, *options: str, text: str = "") -> str:
        run = command("calendar", "import", source, *options, "--data", str(folder), check=False, input=text)
        assert (run.returncode, run.stdout) == (1, "")
        assert run.stderr.count("\n") == 1
        return run.stderr

    user = ("--user", UPN)
    assert refused("-", *user) == "Error: standard input: This is empty.\n"
    assert "line 3: an event without DTSTART" in refused("-", *user, text=vcalendar(vevent()))
    assert "no.ics cannot be read: No such file" in refused(str(tmp_path / "no.ics"), *user)
    assert "cannot be read: Is a directory" in refused(str(tmp_path), *user)
    (tmp_path / "large.ics").write_bytes(b"BEGIN:VCALENDAR\n" * 700_000)
    assert "large.ics: This is larger than 10 MB." in refused(str(tmp_path / "large.ics"), *user)
    assert "nobody with the id or name nobody@example.com" in refused(
        "-", "--user", "nobody@example.com", text=vcalendar()
    )
    assert "no tenant" in refused("-", *user, "--tenant", "77777777-0000-4000-8000-000000000001", text=vcalendar())
    assert "not the id of a tenant" in refused("-", *user, "--tenant", "x", text=vcalendar())


def test_the_user_must_be_named(folder: Path) -> None:
    for arguments in (("import", "-"), ("remove",)):
        run = command("calendar", *arguments, "--data", str(folder), check=False, input="")
        assert run.returncode == 2
        assert "--user" in run.stderr


# --- addresses ----------------------------------------------------------------------------------------------------


class Web(BaseHTTPRequestHandler):
    """A web server with a calendar, and what else is found at addresses."""

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        if path == "/kim.ics":
            self._answer(200, calendar().encode(), ("Content-Type", "text/calendar"))
        elif path.startswith("/redirect/"):
            times = int(path.rpartition("/")[2])
            self._answer(302, b"", ("Location", f"/redirect/{times - 1}" if times else "/kim.ics"))
        elif path == "/elsewhere":
            self._answer(302, b"", ("Location", "file:///etc/passwd"))
        elif path == "/login":
            self._answer(200, b"\n<!DOCTYPE html><title>Sign in</title>", ("Content-Type", "text/html"))
        elif path == "/large":
            self._answer(200, b"BEGIN:VCALENDAR\n" * 700_000)
        elif path == "/password" and self.headers["Authorization"] == "Basic a2ltOnNlY3JldA==":
            self._answer(200, b"no calendar")
        elif path == "/broken":
            self.send_response(200)
            self.send_header("Content-Length", "1000")
            self.end_headers()
            self.wfile.write(b"BEGIN:VCALENDAR\n")
        else:
            self._answer(404, b"not here")

    def _answer(self, status: int, body: bytes, *headers: tuple[str, str]) -> None:
        self.send_response(status)
        for name, value in (*headers, ("Content-Length", str(len(body)))):
            self.send_header(name, value)
        self.end_headers()
        with contextlib.suppress(ConnectionError):  # who has read enough hangs up
            self.wfile.write(body)

    def log_message(self, *arguments: object) -> None:
        pass


@pytest.fixture(scope="module")
def web() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Web) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


def fetch(folder: Path, address: str) -> tuple[int, str, str]:
    run = command(
        *("calendar", "import", address, "--user", UPN, "--data", str(folder)),
        check=False,
        env=clean_environment(NO_PROXY="127.0.0.1,localhost,invalid", no_proxy="127.0.0.1,localhost,invalid"),
    )
    return run.returncode, run.stdout, run.stderr


@pytest.mark.parametrize("path", ["/kim.ics", "/kim.ics?token=secret", "/redirect/4"])
def test_an_address(stopped: Path, web: str, path: str) -> None:
    code, output, errors = fetch(stopped, f"http://{web}{path}")
    assert (code, errors) == (0, "")
    assert output.startswith("2 events until ")


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("http://{web}/nowhere", "http://{web}/nowhere answered 404 Not Found."),
        ("http://{web}/login", "http://{web}/login: This is a web page, not a calendar. Does the calendar's address"),
        ("http://{web}/large", "http://{web}/large is larger than 10 MB."),
        ("http://{web}/redirect/5", "leads on to other addresses more than 5 times."),
        ("http://{web}/elsewhere", "http://{web}/elsewhere cannot be fetched: "),
        ("http://{web}/broken", "http://{web}/broken cannot be fetched: "),
        ("http://kim:secret@{web}/password", "http://{web}/password: This is not an iCalendar file"),
        ("http://kim:wrong@{web}/password", "http://{web}/password answered 404"),
        ("webcal://{web}/kim.ics", "https://{web}/kim.ics cannot be fetched: "),  # it speaks no TLS
        ("HTTPS://{web}/kim.ics", "https://{web}/kim.ics cannot be fetched: "),
        ("http://127.0.0.1:1/kim.ics", "http://127.0.0.1:1/kim.ics cannot be fetched: "),
        ("https://calendar.invalid/kim.ics", "https://calendar.invalid/kim.ics cannot be fetched: "),
        ("http:///kim.ics", "is not an address: it names no host."),
        ("http://127.0.0.1:99999/", "is not an address: Port out of range"),
    ],
)
def test_addresses_without_a_calendar(stopped: Path, web: str, address: str, words: str) -> None:
    code, output, errors = fetch(stopped, address.format(web=web))
    assert (code, output) == (1, "")
    assert words.format(web=web) in errors
    assert errors.startswith("Error: ")
    assert errors.count("\n") == 1
    assert "secret@" not in errors


def test_presence_follows_what_was_imported(tmp_path: Path) -> None:
    """Into a stopped folder, and seen of the server that opens it then."""
    data = tmp_path / "data"
    with running(data, "--sample"):
        pass
    now = datetime.now(UTC) - timedelta(minutes=5)
    text = vcalendar(vevent(f"DTSTART:{now:%Y%m%dT%H%M%SZ}", "DURATION:PT2H", "X-MICROSOFT-CDO-BUSYSTATUS:OOF"))
    command("calendar", "import", "-", "--user", UPN, "--data", str(data), input=text)
    with running(data) as server, server.client() as client:
        settings = client.get(f"/users/{NADIA}/presence").json()["outOfOfficeSettings"]
        assert settings["isOutOfOffice"] is True
        server.command("calendar", "remove", "--user", UPN)
        settings = client.get(f"/users/{NADIA}/presence").json()["outOfOfficeSettings"]
        assert settings["isOutOfOffice"] is False
        listed = [json.loads(line)["id"] for line in server.command("users", "list", "--json").splitlines()]
        assert NADIA in listed
