"""presenced run: a server for a command, which has the terminal, gets the signals and says the exit code."""

import json
import os
import pty
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx
import pytest
from tests.conftest import NADIA
from tests.running import PRESENCED, clean_environment, command
from tests.testing.waiting import is_gone, wait_until

_UNKNOWN = "00000000-0000-4000-8000-00000000dead"
_WAIT = 60.0


def run(*arguments: str, **more: str) -> "subprocess.CompletedProcess[str]":
    """`presenced run` to its end."""
    return command("run", *arguments, check=False, env=clean_environment(**more))


CALL = f"""
import os, httpx, subprocess
token = subprocess.run([{PRESENCED!r}, "token"], check=True, capture_output=True, text=True).stdout.strip()
for base in (os.environ["GRAPH_BASE_URL"], os.environ["GRAPH_BASE_URL_TLS"]):
    presence = httpx.get(f"{{base}}/users/{NADIA}/presence", headers={{"Authorization": f"Bearer {{token}}"}})
    print(presence.json()["activity"])
subprocess.run([{PRESENCED!r}, "clock", "freeze", "2026-11-24T12:00:00Z"], check=True)
told = subprocess.run([{PRESENCED!r}, "env", "--json"], check=True, capture_output=True, text=True).stdout
print(told.replace("\\n", ""))
print(os.environ["PRESENCED_DATA"])
"""


def test_the_command_finds_a_server_that_is_gone_afterwards() -> None:
    ran = run("--", sys.executable, "-c", CALL)
    assert ran.returncode == 0, ran.stderr
    *said, told, data = ran.stdout.splitlines()
    assert said == ["InAMeeting", "InAMeeting", "2026-11-24T12:00:00.000000Z (standing still)"]
    with pytest.raises(httpx.ConnectError):
        httpx.get(json.loads(told)["GRAPH_BASE_URL"])
    assert not Path(data).exists()


def test_the_environment_is_that_of_presenced_env() -> None:
    code = f"""
import json, os, subprocess
told = json.loads(subprocess.run([{PRESENCED!r}, "env", "--json"], check=True, capture_output=True).stdout)
assert told and {{name: os.environ.get(name) for name in told}} == told, told
"""
    assert run("--", sys.executable, "-c", code).returncode == 0
    assert run("--no-tls", "--", sys.executable, "-c", code).returncode == 0


def test_what_is_said_to_presenced_outside_is_not_said_inside() -> None:
    """Else a test script that sets presence would set that of real people."""
    elsewhere = {"PRESENCED_GRAPH": "http://127.0.0.1:9/v1.0", "PRESENCED_TOKEN": "theirs"}
    ran = run("--", PRESENCED, "get", "nadia@sample.example", **elsewhere)
    assert ran.returncode == 0, ran.stderr
    assert "Nadia" in ran.stdout or "nadia" in ran.stdout


def test_a_command_after_its_name_has_its_own_options() -> None:
    ran = run(sys.executable, "-c", "import sys; print(sys.argv[1:])", "--tls", "-h", "--", "x")
    assert ran.stdout == "['--tls', '-h', '--', 'x']\n"


def test_input_and_output_are_the_commands() -> None:
    code = "import sys; sys.stdout.buffer.write(sys.stdin.buffer.read()); print('wrong', file=sys.stderr)"
    every_byte = bytes(range(256)) * 100
    ran = subprocess.run(
        [PRESENCED, "run", "--", sys.executable, "-c", code],
        input=every_byte,
        capture_output=True,
        env=clean_environment(),
        timeout=120,
        check=True,
    )
    assert (ran.stdout, ran.stderr) == (every_byte, b"wrong\n")


@pytest.mark.parametrize(
    ("code", "expected"), [("exit(0)", 0), ("exit(3)", 3), ("import os; os.kill(os.getpid(), 9)", 128 + 9)]
)
def test_the_exit_code_is_the_commands(code: str, expected: int) -> None:
    assert run("--", sys.executable, "-c", code).returncode == expected


def test_commands_that_cannot_be_run(tmp_path: Path) -> None:
    missing = run("--", "no-such-command")
    assert (missing.returncode, "no-such-command" in missing.stderr) == (127, True)
    file = tmp_path / "file"
    file.touch(0o600)
    forbidden = run("--", str(file))
    assert (forbidden.returncode, str(file) in forbidden.stderr) == (126, True)
    nothing = run()
    assert (nothing.returncode, "COMMAND" in nothing.stderr) == (2, True)
    for failed in (missing, forbidden, nothing):
        assert "Traceback" not in failed.stderr


def test_settings_are_the_servers(tmp_path: Path) -> None:
    code = f"""
import os, httpx, subprocess
token = subprocess.run([{PRESENCED!r}, "token"], check=True, capture_output=True, text=True).stdout.strip()
url = os.environ["GRAPH_BASE_URL"] + "/communications/getPresencesByUserId"
for _ in range(2):
    answer = httpx.post(url, headers={{"Authorization": f"Bearer {{token}}"}}, json={{"ids": [{_UNKNOWN!r}]}})
    print(answer.status_code, answer.json().get("value"))
"""
    config = tmp_path / "presenced.toml"
    config.write_text("[throttle]\npresence = 1\n")
    ran = run("--unknown-ids", "omit", "--", sys.executable, "-c", code, PRESENCED_CONFIG=str(config))
    assert ran.stdout.splitlines() == ["200 []", "429 None"], ran.stderr


def test_a_server_that_cannot_start_is_said(tmp_path: Path) -> None:
    ran = run("--notify-ca", str(tmp_path / "no-such-file"), "--", "echo", "not run")
    assert (ran.returncode, ran.stdout) == (125, "")
    assert "cannot be sent with these settings" in ran.stderr
    assert "Traceback" not in ran.stderr


WAITING = """
import json, os, signal, sys
heard = []
def hear(number, _):
    heard.append(number)
    os.write(1, b"%d\\n" % number)
for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1):
    signal.signal(number, hear)
server = json.load(open(os.environ["PRESENCED_DATA"] + "/server.json"))["pid"]
print("ready", server, os.environ["PRESENCED_DATA"], os.getpid(), flush=True)
while not {heard} <= set(heard):
    signal.pause()
sys.exit(7)
"""


def waiting(numbers: set[int]) -> list[str]:
    return [PRESENCED, "run", "--", sys.executable, "-c", WAITING.replace("{heard}", str(numbers))]


@contextmanager
def waiting_process(numbers: set[int]) -> Iterator["subprocess.Popen[str]"]:
    """`presenced run` of a program that waits for these signals; gone at the end, however that comes."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)  # whoever runs the tests with nohup ignores it
    try:
        process = subprocess.Popen(
            waiting(numbers), stdout=subprocess.PIPE, text=True, env=clean_environment(), start_new_session=True
        )
    finally:
        signal.signal(signal.SIGHUP, before)
    try:
        yield process
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1])
def test_signals_are_passed_on(number: signal.Signals) -> None:
    with waiting_process({int(number)}) as process:
        assert process.stdout is not None
        _, server, data, _ = process.stdout.readline().split()
        process.send_signal(number)
        assert process.stdout.readline() == f"{int(number)}\n"
        assert process.wait(_WAIT) == 7
    assert is_gone(int(server))
    assert not Path(data).exists()


def test_ctrl_c_reaches_the_command_once() -> None:
    process, terminal = pty.fork()
    if process == 0:
        os.execve(PRESENCED, waiting({int(signal.SIGINT), int(signal.SIGUSR1)}), clean_environment())  # noqa: S606
    with os.fdopen(terminal, "r+b", buffering=0) as opened:
        ready = opened.readline().split()
        for _ in range(10):  # of two that come at the same instant, a process may see one
            os.write(terminal, b"\x03")
            assert opened.readline().strip() == b"^C2"
        os.kill(process, signal.SIGUSR1)  # comes after a SIGINT that would be passed on
        assert opened.readline().strip() == b"10"
        assert os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]) == 7
    assert is_gone(int(ready[1]))


def test_a_killed_run_leaves_no_server() -> None:
    with waiting_process({int(signal.SIGTERM)}) as process:
        assert process.stdout is not None
        _, server, data, _ = process.stdout.readline().split()
        process.kill()
        process.wait(_WAIT)
        wait_until(lambda: is_gone(int(server)) and not Path(data).exists())


def test_a_server_that_ends_meanwhile_is_said() -> None:
    code = """
import json, os, signal
server = json.load(open(os.environ["PRESENCED_DATA"] + "/server.json"))["pid"]
os.kill(server, signal.SIGKILL)
"""
    ran = run("--", sys.executable, "-c", code)
    assert ran.returncode == 125
    assert "killed by signal 9" in ran.stderr
    assert "Traceback" not in ran.stderr
