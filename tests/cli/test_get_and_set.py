"""presenced get and set: of a folder with and without a server, and of an API with a URL, a CA and a token only."""

import json
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from tests.cli.terminals import terminal
from tests.conftest import JONAS, NADIA, TOMAS
from tests.running import PRESENCED, Server, clean_environment, command, running

WAIT = 60.0
ELIF = "5ca1ab1e-0000-4000-8000-000000000105"
NOBODY = "fa8bf3dc-eca7-46b7-bad1-000000000000"

Run = subprocess.CompletedProcess[str]


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server of this module's, since the commands change people."""
    with running(tmp_path_factory.mktemp("presence") / "data", "--sample", "--tls") as server:
        yield server


def token_of(server: Server, *options: str) -> str:
    return server.command("token", *options).strip()


def at_graph(server: Server, *arguments: str, token: str, **more: Any) -> Run:
    """A command that has a URL, a CA and a token, and no data folder of its own."""
    assert server.https
    ca = server.data / "tls" / "ca.pem"
    environment = clean_environment(PRESENCED_TOKEN=token, HOME="/nonexistent")
    more.setdefault("check", False)
    return command(*arguments, "--graph", f"{server.https}/v1.0", "--ca", str(ca), env=environment, **more)


def rows(printed: str) -> list[str]:
    """The lines of a table, without its header."""
    return [" ".join(line.split()) for line in printed.splitlines()[1:]]


def failed(run: Run, *words: str) -> None:
    """It said on one line what to do."""
    assert run.returncode in (1, 2), run
    last = run.stderr.strip().splitlines()[-1]
    for word in words:
        assert word in last, run.stderr
    assert last.startswith("Error: ")
    if run.returncode == 1:
        assert len(run.stderr.strip().splitlines()) == 1
    assert "Traceback" not in run.stderr


@pytest.mark.parametrize("kind", ["stopped", "running"])
def test_of_a_folder(own: Server, tmp_path: Path, kind: str) -> None:
    data = own.data
    if kind == "stopped":
        data = tmp_path / "data"
        with running(data, "--sample"):
            pass
    shown = command("get", "Nadia@sample.example", ELIF.upper(), NOBODY, "hiro@sample.example", "--data", str(data))
    assert rows(shown.stdout) == [
        "Nadia Petrova ● Busy, in a meeting",
        "Elif Kaya ⊖ Do not disturb Heads down on the release. remote",
        f"{NOBODY} ? Unknown",
        "Hiro Tanaka ← Offline, out of office",
    ]
    assert "\x1b" not in shown.stdout
    lines = command("get", "tomas@sample.example", NADIA, NADIA, "--json", "--data", str(data)).stdout.splitlines()
    assert [(json.loads(line)["id"], json.loads(line)["activity"]) for line in lines] == [
        (TOMAS, "Away"),
        (NADIA, "InAMeeting"),
    ]
    done = command("set", "jonas@sample.example", "busy", "inacall", "--for", "10m", "--data", str(data)).stdout
    assert done == "Jonas Weber: ● Busy, in a call\n"
    assert rows(command("get", JONAS, "--data", str(data)).stdout) == ["Jonas Weber ● Busy, in a call"]
    assert command("set", JONAS, "--clear", "session", "--data", str(data)).stdout == "Jonas Weber: ⊗ Offline\n"


def test_of_graph_itself_with_a_token(own: Server) -> None:
    token = token_of(own)
    read = at_graph(own, "get", "nadia@sample.example", TOMAS, token=token)
    assert rows(read.stdout) == ["Nadia Petrova ● Busy, in a meeting", "Tomas Rivera ◷ Away"]
    written = at_graph(own, "set", TOMAS, "DoNotDisturb", "--preferred", "--for", "PT1H", token=token)
    assert written.stdout == "Tomas Rivera: ⊖ Do not disturb\n"
    assert at_graph(own, "set", TOMAS, "--clear", "preferred", token=token).stdout == "Tomas Rivera: ◷ Away\n"
    for run in (read, written):
        assert token not in run.stdout + run.stderr

    # a person's token: oneself only; the session is the app's, as Graph documents
    person = token_of(own, "--user", "ines@sample.example")
    assert "Ines Costa" in at_graph(own, "get", "me", token=person).stdout
    assert "in a conference call" in at_graph(own, "set", "me", "Busy", "InAConferenceCall", token=person).stdout
    with own.client() as client:
        gone = {"sessionId": "5ca1ab1e-0000-4000-8000-00000000a002"}
        client.post("/users/5ca1ab1e-0000-4000-8000-000000000109/presence/clearPresence", json=gone).raise_for_status()
    failed(at_graph(own, "set", NADIA, "Away", token=person), "Unauthorized", "Presence.ReadWrite.All")


def test_the_token_by_standard_input_and_trust_by_variable(own: Server) -> None:
    environment = clean_environment(SSL_CERT_FILE=str(own.data / "tls" / "ca.pem"), PRESENCED_GRAPH=own.https)
    run = command("get", NADIA, "--token", "-", env=environment, input=f"Bearer {token_of(own)}\n")
    assert "Nadia Petrova" in run.stdout
    clash = command("get", "--file", "-", "--token", "-", env=environment, input=token_of(own), check=False)
    failed(clash, "Standard input")


def test_what_is_set(own: Server) -> None:
    def set_(*arguments: str) -> str:
        return own.command("set", ELIF, *arguments).strip()

    assert set_("--message", "Back\nat [bold]two", "--for", "2h") == "Elif Kaya: ⊖ Do not disturb  Back at [bold]two"
    with own.client("--user", ELIF) as client:
        message = client.get("/me/presence").json()["statusMessage"]
    assert message["message"]["content"] == "Back\nat [bold]two"
    assert message["expiryDateTime"]["timeZone"] == "UTC"
    assert set_("--message", "") == "Elif Kaya: ⊖ Do not disturb"
    assert set_("Busy", "InACall", "--session", "my-desk").endswith(
        "another session or the preferred state counts more)"
    )
    refused = command("set", ELIF, "--clear", "session", "--data", str(own.data), check=False)
    failed(refused, "NotFound", "--session")
    assert set_("--clear", "session", "--session", "my-desk") == "Elif Kaya: ⊖ Do not disturb"
    assert set_("--clear", "all") == "Elif Kaya: ✓ Available"
    assert set_("DoNotDisturb", "--preferred") == "Elif Kaya: ⊖ Do not disturb"
    offline = own.command("set", JONAS, "Away", "--preferred")
    assert "only while the person has a session" in offline
    own.command("set", JONAS, "--clear", "all")


def test_a_message_ends_by_the_clock_of_the_server(tmp_path: Path) -> None:
    with running(tmp_path / "data", "--sample", "--control") as server:
        server.command("clock", "freeze", "2030-01-01T12:00:00Z")
        server.command("set", ELIF, "--message", "Until two", "--for", "2h")
        with server.client("--user", ELIF) as client:
            ends = client.get("/me/presence").json()["statusMessage"]["expiryDateTime"]
    assert ends["dateTime"].startswith("2030-01-01T14:00:00")


BAD_SETS = [
    (["Busy"], "InACall or InAConferenceCall"),
    (["Busy", "Sleeping"], "Busy/InACall"),
    (["BeRightBack"], "With --preferred it is another list"),
    (["Away", "--for", "4m"], "--for is 5m to 4h"),
    (["Away", "--for", "5h"], "--for is 5m to 4h"),
    (["Away", "--for", "soon"], "not a duration"),
    (["Away", "--for", "PTX"], "not a duration"),
    (["Presenting", "Presenting", "--preferred"], "Offline/OffWork"),
    ([], "Say one thing"),
    (["Away", "--message", "x"], "Say one thing"),
    (["--message", "x", "--clear", "all"], "Say one thing"),
    (["--message", "x", "--preferred"], "--preferred is for a state"),
    (["--clear", "all", "--for", "1h"], "--for is for what is set"),
    (["--message", "x", "--session", "s"], "--session is for"),
    (["--clear", "everything"], "--clear"),
    (["--message", "x" * 1025], "InvalidArgument"),
    (["Away", "--session", "x" * 5000], "InvalidArgument"),
    (["Away", "--token", "x"], "for --graph"),
]


@pytest.mark.parametrize(("arguments", "words"), BAD_SETS, ids=lambda value: str(value)[:40])
def test_what_cannot_be_set(own: Server, arguments: list[str], words: str) -> None:
    before = own.command("get", NADIA, "--json")
    failed(command("set", NADIA, *arguments, "--data", str(own.data), check=False), words)
    assert own.command("get", NADIA, "--json") == before


@pytest.mark.parametrize("person", ["", " ", "x" * 300, "a\x1b[2Jb@sample.example", "me", "a/../b@x.example", "nobody"])
def test_who_is_not_there(own: Server, person: str) -> None:
    for arguments in (["get", person], ["set", person, "Away"]):
        run = command(*arguments, "--data", str(own.data), check=False)
        assert run.returncode == 1
        assert "nobody" in run.stderr.lower() or "userPrincipalName" in run.stderr
        assert "\x1b" not in run.stderr
        assert "Traceback" not in run.stderr


def test_some_are_not_there(own: Server) -> None:
    run = command("get", "x@sample.example", NADIA, "y@sample.example", "--data", str(own.data), check=False)
    assert run.returncode == 1
    assert rows(run.stdout) == ["Nadia Petrova ● Busy, in a meeting"]
    assert "name x@sample.example" in run.stderr
    assert "name y@sample.example" in run.stderr


def test_1300_ids(own: Server, tmp_path: Path) -> None:
    """Three calls, by arguments and by a file, in the order asked."""
    ids = [f"00000000-0000-4000-8000-{number:012d}" for number in range(1299)] + [NADIA]
    lines = own.command("get", *ids, "--json").splitlines()
    assert [json.loads(line)["id"] for line in lines] == ids
    file = tmp_path / "people"
    file.write_text("\ufeff# people\n\n" + "\r\n".join(ids))
    shown = at_graph(own, "get", "--file", str(file), token=token_of(own)).stdout.splitlines()
    assert len(shown) == 1301
    assert "Nadia Petrova" in shown[-1]


@pytest.mark.parametrize("content", [b"", b"\n# nobody\n", b"\xff\xfe", b"a\x00b\n", b"x" * 400], ids=range(5))
def test_files_that_name_nobody(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "people"
    file.write_bytes(content)
    failed(command("get", "--file", str(file), "--data", str(tmp_path / "data"), check=False))
    failed(command("get", "--file", str(tmp_path / "none"), "--data", str(tmp_path / "data"), check=False), "No such")


def test_429_is_waited_out(tmp_path: Path) -> None:
    """The clock stands still: whoever does not wait for the server gets nothing."""
    with running(tmp_path / "data", "--sample", "--control", "--throttle-presence", "2") as server:
        server.command("clock", "freeze")
        with server.client() as client:
            for _ in range(2):
                assert client.get(f"/users/{NADIA}/presence").status_code == 200
            server.command("clock", "advance", "PT29.5S")
            waiting = subprocess.Popen(
                [PRESENCED, "get", NADIA, "--data", str(server.data)],
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                env=clean_environment(),
            )
            assert waiting.stderr is not None
            assert waiting.stderr.readline() == "Too many requests: trying again in 1 s.\n"
            server.command("clock", "advance", "PT30S")
            printed, _ = waiting.communicate(timeout=WAIT)
            assert waiting.returncode == 0
            assert "Nadia Petrova" in printed


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--graph", "http://127.0.0.1:9"], "does not answer"),
        (["--graph", "https://localhost:9/v1.0"], "does not answer"),
        (["--graph", "http://graph.example/v1.0"], "this machine only"),
        (["--graph", "graph.microsoft.com"], "not the address"),
        (["--graph", "ftp://localhost/v1.0"], "not the address"),
        (["--graph", "https://me:secret@localhost/v1.0"], "not the address"),
        (["--graph", "https://localhost:99999999"], "no address"),
        (["--graph", "https://localhost/v1.0?x=1"], "not the address"),
        (["--graph", "https://localhost", "--tenant", NOBODY], "--tenant is for a data folder"),
        (["--graph", "http://127.0.0.1:9", "--ca", "/nonexistent"], "--ca"),
        (["--graph", "http://127.0.0.1:9", "--ca", __file__], "cannot be used"),
    ],
)
def test_where_nothing_is(options: list[str], words: str) -> None:
    environment = clean_environment(PRESENCED_TOKEN="a.secret.token")
    for arguments in (["get", NADIA], ["set", NADIA, "Away"], ["board", NADIA]):
        run = command(*arguments, *options, env=environment, check=False)
        failed(run, words)
        assert "secret" not in run.stderr


@pytest.mark.parametrize("token", ["", "two words", "naïve", "a\nb", "x" * 70_000, "\x1b[2J"], ids=range(6))
def test_what_is_no_token(token: str) -> None:
    run = command("get", NADIA, "--graph", "http://127.0.0.1:9", "--token", "-", input=token, check=False)
    failed(run, "token")
    assert not token or token not in run.stderr


def test_a_wrong_token_and_a_poor_one(own: Server) -> None:
    for token in ("wrong", token_of(own)[:-6] + "aaaaaa"):
        run = at_graph(own, "get", NADIA, token=token)
        failed(run, "The token was refused", "PRESENCED_TOKEN")
        assert token not in run.stderr
    poor = token_of(own, "--permission", "Presence.Read.All")
    assert rows(at_graph(own, "get", NADIA, token=poor).stdout) == [f"{NADIA} ● Busy, in a meeting"]
    failed(at_graph(own, "get", "nadia@sample.example", token=poor), "User.Read.All", "say ids")
    failed(at_graph(own, "set", NADIA, "Away", token=poor), "Presence.ReadWrite.All")
    no_reader = token_of(own, "--permission", "Presence.ReadWrite", "--user", JONAS)
    assert "may not read" in at_graph(own, "set", "me", "Away", token=no_reader).stdout
    own.command("set", JONAS, "--clear", "session", "--session", "5ca1ab1e-0000-4000-8000-00000000a002")
    untrusted = command("get", NADIA, "--graph", own.https, env=clean_environment(PRESENCED_TOKEN="x"), check=False)
    failed(untrusted, "not trusted", "--ca")


def test_a_token_for_this_machine_goes_by_no_proxy(own: Server) -> None:
    with answering((200, {}, b"{}")) as (proxy, seen):
        environment = clean_environment(PRESENCED_TOKEN=token_of(own), HTTP_PROXY=proxy, http_proxy=proxy)
        assert "Nadia Petrova" in command("get", NADIA, "--graph", own.http, env=environment).stdout
    assert seen == []


@contextmanager
def answering(*answers: tuple[int, dict[str, str], bytes]) -> Iterator[tuple[str, list[str]]]:
    """A server that is no presenced: its address, and the paths it was asked for. The last answer is for all others."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            status, headers, body = answers[min(len(asked), len(answers) - 1)]
            body = body.replace(b"ADDRESS", self.headers["Host"].encode())
            asked.append(self.path)
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_GET  # noqa: N815

        def log_message(self, *_: Any) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", asked
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


ODD = [
    (404, {}, b"<html>nothing here</html>"),
    (200, {}, b"<html>welcome</html>"),
    (200, {}, b"[" * 100_000),
    (200, {}, b'"text"'),
    (302, {"Location": "http://127.0.0.1:9/"}, b""),
    (500, {}, b""),
    (400, {}, b'{"error": {"code": "Bad\\u001b[2J", "message": "\\u001b]0;title\\u0007"}}'),
    (400, {}, b'{"error": "no"}'),
    (429, {"Retry-After": "100000"}, b'{"error": {"code": "TooManyRequests", "message": "later"}}'),
]


@pytest.mark.parametrize("odd", ODD, ids=range(len(ODD)))
def test_answers_that_are_not_graphs(odd: tuple[int, dict[str, str], bytes]) -> None:
    with answering(odd) as (address, _):
        environment = clean_environment(PRESENCED_TOKEN="a.b.c", PRESENCED_GRAPH=address)
        for arguments in (["get", NADIA, "--json"], ["get", NADIA], ["set", NADIA, "Away"], ["board"]):
            run = command(*arguments, env=environment, check=False)
            failed(run)
            assert "\x1b" not in run.stderr


@pytest.mark.parametrize(
    "body",
    [
        b"{}",
        b'{"value": 7}',
        b'{"value": [1, {}]}',
        b'{"value": [{"id": 7, "availability": {}}]}',
    ],
)
def test_answers_without_what_was_asked(body: bytes) -> None:
    with answering((200, {}, body)) as (address, _):
        run = command("get", NADIA, env=clean_environment(PRESENCED_TOKEN="a.b.c", PRESENCED_GRAPH=address))
    assert rows(run.stdout) == [f"{NADIA} ? Unknown"]


def test_words_of_an_answer_are_only_shown() -> None:
    """Nothing in them is obeyed, as markup or by the terminal."""
    words = {"availability": "[red]x\x1b[2J[/]", "activity": "[/]", "workLocation": {"workLocationType": "[/red]\x07"}}
    body = json.dumps({"value": [{"id": NADIA, "statusMessage": {"message": {"content": "[/]\nx"}}} | words]}).encode()
    with answering((200, {}, body)) as (address, _):
        run = command("get", NADIA, env=clean_environment(PRESENCED_TOKEN="a.b.c", PRESENCED_GRAPH=address))
    assert rows(run.stdout) == [f"{NADIA} ? Unknown, [/] [/] x [/red]?"]


def test_a_next_page_elsewhere_does_not_get_the_token() -> None:
    with answering((200, {}, b'{"value": []}')) as (other, stolen):
        page = json.dumps({"value": [], "@odata.nextLink": f"{other}/v1.0/users?x"}).encode()
        with answering((200, {}, page)) as (address, _):
            run = command("board", env=clean_environment(PRESENCED_TOKEN="a.b.c", PRESENCED_GRAPH=address), check=False)
    failed(run, "next page")
    assert stolen == []


def test_a_next_page_that_is_always_the_same_is_read_once() -> None:
    page = b'{"value": [], "@odata.nextLink": "http://ADDRESS/v1.0/users?again"}'
    with answering((200, {}, page)) as (address, asked):
        run = command("board", env=clean_environment(PRESENCED_TOKEN="a.b.c", PRESENCED_GRAPH=address), check=False)
    failed(run, "same next page")
    assert len(asked) == 2


def test_an_api_has_one_spelling() -> None:
    """Its links to next pages are its own, however --graph is written."""
    page, end = b'{"value": [], "@odata.nextLink": "http://ADDRESS/v1.0/users?x"}', b'{"value": []}'
    with answering((200, {}, page), (200, {}, end)) as (address, asked):
        spelt = address.replace("127.0.0.1", "LocalHost")
        command("board", env=clean_environment(PRESENCED_TOKEN="a.b.c", PRESENCED_GRAPH=spelt))
    assert asked[1] == "/v1.0/users?x"


def test_a_date_to_wait_for(own: Server) -> None:
    """Retry-After may be a date; one that is past is one second."""
    busy = (429, {"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"}, b"{}")
    with answering(busy, (200, {}, b'{"value": []}')) as (address, asked):
        environment = clean_environment(PRESENCED_TOKEN="a.b.c", PRESENCED_GRAPH=address)
        run = command("get", NADIA, "--json", env=environment)
    assert run.stderr == "Too many requests: trying again in 1 s.\n"
    assert asked == ["/v1.0/communications/getPresencesByUserId"] * 2


def test_colours_on_a_terminal_only_and_not_with_no_color(own: Server) -> None:
    arguments = ("get", NADIA, TOMAS, "--data", str(own.data))
    with terminal(*arguments) as coloured:
        coloured.end()
        assert "● Busy, in a meeting" in coloured.output
        assert "\x1b[31m" in coloured.colours()
    with terminal(*arguments, NO_COLOR="1") as plain:
        plain.end()
        assert "◷ Away" in plain.output
        assert not {code for code in plain.colours() if code != "\x1b[1m"}
    with terminal(
        *arguments, PYTHONIOENCODING="ascii", LANG="C", PYTHONUTF8="0", PYTHONCOERCECLOCALE="0"
    ) as ascii_only:
        assert ascii_only.end() == 0
        assert "# Busy, in a meeting" in ascii_only.output
        assert ": Away" in ascii_only.output


def test_a_server_that_stops_while_it_is_asked(tmp_path: Path) -> None:
    server = Server(tmp_path / "data", "--sample", "--tls")
    token, http = token_of(server), server.http
    server.stop()
    run = command("get", NADIA, "--graph", http, env=clean_environment(PRESENCED_TOKEN=token), check=False)
    failed(run, "does not answer")
