"""presenced board on a terminal: what it shows, as it changes, of a folder's server and of an API with a token."""

import json
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.cli.terminals import terminal
from tests.conftest import JONAS, NADIA
from tests.running import Server, clean_environment, command, running

GRAPH = ("--every", "1")


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running(tmp_path_factory.mktemp("board") / "data", "--sample", "--tls") as server:
        yield server


@pytest.fixture
def call(own: Server) -> Iterator[None]:
    """Jonas in a call, set by hand, until the end of the test."""
    yield
    own.command("set", JONAS, "--clear", "all")


def of(kind: str, server: Server) -> tuple[list[str], dict[str, str]]:
    """The options and variables for the board of a folder, or for that of an API, of which only URL, CA and token
    are known."""
    if kind == "folder":
        return ["--data", str(server.data)], {}
    ca = str(server.data / "tls" / "ca.pem")
    token = server.command("token").strip()
    variables = {"PRESENCED_TOKEN": token, "HOME": "/nonexistent"}
    return ["--graph", f"{server.https}/v1.0", "--ca", ca, "--every", "1"], variables


@pytest.mark.parametrize("kind", ["folder", "graph"])
@pytest.mark.usefixtures("call")
def test_it_changes_by_itself(own: Server, kind: str) -> None:
    options, variables = of(kind, own)
    with terminal("board", *options, **variables) as shown:
        shown.wait_for("Offline +Jonas Weber")
        assert "12 people" in shown.screen()[0]
        own.command("set", JONAS, "Busy", "InACall")
        shown.wait_for(r"● Busy, in a call +Jonas Weber .* \d+ s$")
        own.command("set", JONAS, "--message", "Back\nat \x1b[2J[red]two")
        shown.wait_for(r"Jonas Weber +Back at \?\[2J\[red\]two")
        assert len(shown.screen()) == 20
        shown.press(b"q")
        assert shown.end() == 0
        assert shown.restored()
        assert "Traceback" not in shown.output
        for value in variables.values():
            assert value == "/nonexistent" or value not in shown.output


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, b"\x03"])
def test_it_ends_and_leaves_the_terminal_as_it_was(own: Server, how: int | bytes) -> None:
    with terminal("board", "--data", str(own.data)) as shown:
        shown.wait_for("Nadia Petrova")
        if isinstance(how, bytes):
            shown.press(b"q")
        else:
            shown.process.send_signal(how)
        assert shown.end() == 0
        assert shown.restored()
        assert "Traceback" not in shown.output


def test_a_folder_survives_a_restart(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with terminal("board", "--data", str(data)) as early:
        assert early.end() == 1
        assert "No server is running" in early.output
        assert early.restored()
    with running(data, "--sample") as server, terminal("board", "--data", str(data)) as shown:
        shown.wait_for("Offline +Jonas Weber")
        for how in (signal.SIGTERM, signal.SIGKILL):
            server.stop(how)
            shown.wait_for("The server is away")
            assert "Nadia Petrova" in "\n".join(shown.screen())
            server = Server(data)
            try:
                server.command("set", JONAS, "Busy", "InACall", "--session", str(how))
                shown.wait_for("in a call +Jonas Weber")
                assert "is away" not in "\n".join(shown.screen())
                server.command("set", JONAS, "--clear", "session", "--session", str(how))
                shown.wait_for("Offline +Jonas Weber")
            except BaseException:
                server.stop()
                raise
        server.stop()
        shown.press(b"q")
        assert shown.end() == 0


def test_graph_survives_a_restart_and_a_token_that_ends_ends_it(tmp_path: Path) -> None:
    data = tmp_path / "data"
    server = Server(data, "--sample")
    port = server.http.rpartition(":")[2]
    token = server.command("token").strip()
    variables = {"PRESENCED_TOKEN": token, "PRESENCED_GRAPH": server.http}
    try:
        with terminal("board", *GRAPH, **variables) as shown:
            shown.wait_for("Nadia Petrova")
            server.stop()
            shown.wait_for("does not answer")
            server = Server(data, "--port", port)
            shown.wait_for("1 to 12 of 12")
            server.command("keys", "rotate", "--revoke")
            shown.end()
            assert shown.process.returncode == 1
            assert "The token was refused" in shown.output.rpartition("\x1b[?1049l")[2]
            assert shown.restored()
            assert token not in shown.output
    finally:
        server.stop()


def test_429_is_said_and_waited_out(tmp_path: Path) -> None:
    with running(tmp_path / "data", "--sample", "--control", "--throttle-presence", "2") as server:
        server.command("clock", "freeze")
        variables = {"PRESENCED_TOKEN": server.command("token").strip(), "PRESENCED_GRAPH": server.http}
        with terminal("board", *GRAPH, **variables) as shown:
            shown.wait_for("Too many requests: trying again in 30 s")
            assert "Nadia Petrova" in "\n".join(shown.screen())
            shown.press(b"q")  # also while it waits
            assert shown.end() == 0


def test_filters(own: Server) -> None:
    def printed(*arguments: str) -> list[str]:
        return own.command("board", *arguments).splitlines()

    busy = printed("--state", "busy", "--state", "dnd")
    assert busy[-1] == "5 people"
    assert not any("Amara" in line for line in busy)
    assert [line.split()[-1] for line in printed("--search", "ENGINEER help")[1:]][-1] == "people"
    assert "Amara Okafor" in printed("--search", "ENGINEER help")[1]
    assert printed("--search", "nobody at all")[-1] == "0 people"
    named = printed("nadia@sample.example", JONAS)
    assert ("Jonas" in named[1], "Nadia" in named[2], named[3]) == (True, True, "2 people")
    assert not any("\x1b" in line for line in named)
    with terminal("board", "--data", str(own.data), "--state", "ooo", "--search", "legal") as shown:
        shown.wait_for("Hiro Tanaka")
        assert '(out of office, "legal")' in shown.screen()[0]
        assert "1 to 1 of 1" in shown.screen()[-1]


def test_bad_input(own: Server) -> None:
    for arguments, words in (
        (["--state", "sleepy"], "'--state'"),
        (["--every", "0"], "'--every'"),
        (["--tenant", "x"], "no such tenant"),
        (["nobody@sample.example"], "None of those named"),
    ):
        for run in (
            command("board", *arguments, "--data", str(own.data), check=False),
            terminal_run("board", *arguments, "--data", str(own.data)),
        ):
            assert run.returncode in (1, 2)
            assert words in run.stderr
            assert "Traceback" not in run.stderr
    token = own.command("token", "--permission", "Presence.Read.All").strip()
    environment = clean_environment(PRESENCED_TOKEN=token, PRESENCED_GRAPH=own.http)
    poor = command("board", env=environment, check=False)
    assert "User.Read.All" in poor.stderr
    assert "say whom to show" in poor.stderr
    assert NADIA in command("board", NADIA, env=environment).stdout


class terminal_run:  # noqa: N801  it is used as command() is
    """What a command that ends says on a terminal."""

    def __init__(self, *arguments: str) -> None:
        with terminal(*arguments) as shown:
            self.returncode = shown.end()
            self.stderr = shown.output


def test_10_000_people(tmp_path: Path) -> None:
    """Only what is seen is drawn, at the size the terminal has, and keys move through all of it."""
    file = tmp_path / "people.json"
    people = [
        {"id": f"00000000-0000-4000-8000-{number:012d}", "displayName": f"Person {number:05d}"}
        for number in range(10_000)
    ]
    file.write_text(json.dumps(people))
    with running(tmp_path / "data", "--sample") as server:
        server.command("users", "import", str(file))
        with terminal("board", "--data", str(server.data), "--search", "person", lines=24, columns=80) as shown:
            shown.wait_for("1 to 20 of 10,000")
            assert "Person 00019" in "\n".join(shown.screen())
            assert "Person 00020" not in shown.output
            shown.press(b"\x1b[F")
            shown.wait_for("9,981 to 10,000 of 10,000")
            assert "Person 09999" in "\n".join(shown.screen())
            shown.press(b"\x1b[5~\x1b[A")
            shown.wait_for("9,960 to 9,979 of 10,000")
            shown.resize(10, 40)
            shown.wait_for("9,960 to 9,965 of 10,000")
            assert max(map(len, shown.screen())) <= 40
            shown.press(b"\x1b[H\x1b[B\x1b[99;99X\xff\x00")
            shown.wait_for("2 to 7 of 10,000")
            shown.resize(2, 5)
            shown.resize(30, 200)
            shown.wait_for("2 to 27 of 10,000")
            server.command("set", people[5]["id"], "Busy", "InACall")
            shown.wait_for("in a call +Person 00005")
            before = len(shown.output)
            shown.wait_for("Person 00005 .* [3-9] s$")
            # a picture a second or so: some 30 rows each, whatever there is beside them
            assert len(shown.output) - before < 200_000
            shown.press(b"q")
            assert shown.end() == 0
