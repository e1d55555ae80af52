"""The pages tell the truth: generated ones are current, and every example in them runs."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from docs.generate import PAGES
from tests.running import PRESENCED, Server, clean_environment, command, running

ROOT = Path(__file__).parents[2]
WRITTEN = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(*languages: str) -> list[tuple[str, str]]:
    return [
        (f"{page.name}: {code.splitlines()[0]}", code)
        for page in WRITTEN
        for language, code in _BLOCK.findall(page.read_text("utf-8"))
        if language in languages
    ]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One of its own, since the examples change people."""
    with running(tmp_path_factory.mktemp("demo") / "data", "--sample", "--tls", "--control") as server:
        yield server


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_generated_pages_are_current(page: Path) -> None:
    assert page.read_text("utf-8") == PAGES[page](), "run scripts/docs"


def test_the_pages_are_written_in_known_languages() -> None:
    """So that no example escapes the tests below."""
    known = {"bash", "console", "python", "toml", "json", "text", "yaml"}
    known |= {"javascript", "go", "java", "kotlin", "xml", "csharp", "php", "powershell"}
    assert {language for page in WRITTEN for language, _ in _BLOCK.findall(page.read_text("utf-8"))} <= known


def shell_environment(server: Server) -> dict[str, str]:
    """What the reader has who started the demo: its folder, and this checkout's programs."""
    path = f"{Path(PRESENCED).parent}:{os.environ['PATH']}"
    return clean_environment(PATH=path, PRESENCED_DATA=str(server.data))


# blocks in `bash` are to be pasted while the demo runs; `console` ones start it or show a session
@pytest.mark.parametrize(("title", "code"), blocks("bash"), ids=lambda value: value[:40])
def test_shell_examples(server: Server, title: str, code: str) -> None:
    script = code.replace("PRESENCED_DATA=.demo", f"PRESENCED_DATA={server.data}")
    run = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        env=shell_environment(server),
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )
    assert run.returncode == 0, (title, run.stdout, run.stderr)
    assert '"error"' not in run.stdout, (title, run.stdout)
    if "getPresencesByUserId" in code:
        assert '"activity":"InAMeeting"' in run.stdout


# those of testing.md are tests, which tests/testing runs
PROGRAMS = [(title, code) for title, code in blocks("python") if not title.startswith("testing.md")]


@pytest.mark.parametrize(("title", "code"), PROGRAMS, ids=lambda value: value[:40])
def test_python_examples(server: Server, title: str, code: str) -> None:
    found = {name: value for name, value in server.environment().items() if value}
    environment = shell_environment(server) | found
    environment |= dict.fromkeys(("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"), found["PRESENCED_CA_FILE"])
    run = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False, timeout=120
    )
    assert run.returncode == 0, (title, run.stderr)
    assert "fa8bf3dc-eca7-46b7-bad1-db199b62afc3 Busy InAMeeting" in run.stdout


@pytest.mark.parametrize(("title", "code"), blocks("toml"), ids=lambda value: value[:40])
def test_files_of_settings(tmp_path: Path, title: str, code: str) -> None:
    file = tmp_path / "presenced.toml"
    file.write_text(code)
    command("env", "--config", str(file), "--data", str(tmp_path / "data"))


@pytest.mark.parametrize(("title", "code"), [one for one in blocks("yaml") if "# seed" in one[0]])
def test_seeds(tmp_path: Path, title: str, code: str) -> None:
    file = tmp_path / "seed.yaml"
    file.write_text(code)
    assert "no mistake" in command("seed", "--check", str(file)).stdout


def test_the_call_that_serve_prints_answers(server: Server) -> None:
    call = server.output.partition("Try it in another terminal:\n\n")[2].partition("\n\n")[0]
    run = subprocess.run(["bash", "-c", call], capture_output=True, text=True, check=True, cwd=Path.cwd())
    assert '"activity":"InAMeeting"' in run.stdout
    assert '"availability":"Away"' in run.stdout
