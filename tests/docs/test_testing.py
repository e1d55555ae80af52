"""docs/testing.md shows the examples that tests/testing runs, and those of other languages run here."""

import os
import subprocess
from pathlib import Path

import pytest
from tests.docs.test_clients import _BLOCK, code_of
from tests.running import PRESENCED, clean_environment

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "tests" / "testing" / "examples"
SHOWN = [
    (source, code)
    for source, language, code in _BLOCK.findall((ROOT / "docs" / "testing.md").read_text("utf-8"))
    if language in ("python", "javascript", "java")
]


@pytest.mark.parametrize(("source", "code"), SHOWN)
def test_the_code_shown_is_the_code_tested(source: str, code: str) -> None:
    assert source.startswith("tests/testing/examples/")
    assert code == code_of(source)


def test_every_example_is_shown() -> None:
    assert {source.partition("#")[0].rpartition("/")[2] for source, _ in SHOWN} == {
        file.name for file in EXAMPLES.iterdir() if file.is_file()
    }


def run(*command: str, **more: str) -> str:
    """What a command prints that is to end well, with this checkout's presenced."""
    path = f"{Path(PRESENCED).parent}:{os.environ['PATH']}"
    ran = subprocess.run(
        command, env=clean_environment(PATH=path) | more, capture_output=True, text=True, check=False, timeout=240
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


def test_node() -> None:
    printed = run(PRESENCED, "run", "--", "node", "--test", str(EXAMPLES / "presence.test.mjs"))
    assert "# pass 2" in printed.replace("ℹ", "#")


def test_nodes_global_setup(tmp_path: Path) -> None:
    script = tmp_path / "program.mjs"
    script.write_text(
        f"""
        import setup from "{EXAMPLES / "global-setup.mjs"}";
        const teardown = await setup();
        console.log((await fetch(`${{process.env.GRAPH_BASE_URL}}/$metadata`)).status);
        await teardown();
        """
    )
    assert run("node", str(script)) == "200\n"


def test_java() -> None:
    options = '-Djavax.net.ssl.trustStore="$PRESENCED_TRUST_STORE" -Djavax.net.ssl.trustStorePassword=changeit'
    assert run(PRESENCED, "run", "--", "sh", "-c", f"java {options} {EXAMPLES / 'Presence.java'}") == "200\n"
