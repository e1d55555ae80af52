"""What the runner makes of programs that keep to the contract, or do not: what was not reported has not passed."""

from pathlib import Path

import pytest
from tests.clients.program import CHECKS, Broken, Lacking, Program


def program(folder: Path, install: str = "exit 0", run: str = "exit 0") -> Program:
    for name, script in (("install", install), ("run", run)):
        file = folder / name
        file.write_text(f"#!/bin/sh\n{script}\n")
        file.chmod(0o755)
    return Program("a-language", {"PATH": "/usr/bin:/bin"}, folder)


def test_a_toolchain_that_is_missing(tmp_path: Path) -> None:
    with pytest.raises(Lacking, match="php is not installed"):
        program(tmp_path, install="echo php is not installed; exit 3").install()


def test_an_install_that_fails(tmp_path: Path) -> None:
    with pytest.raises(Broken, match="install ended with 1:\nno network"):
        program(tmp_path, install="echo no network >&2; exit 1").install()


def test_what_is_not_reported_is_not_ok(tmp_path: Path) -> None:
    found = program(tmp_path, run="echo ok sdk/snippet; echo not ok sdk/reads: a reason; exit 1").run()
    assert found == dict.fromkeys([f"sdk/{check}" for check in CHECKS], "not reported") | {
        "sdk/snippet": None,
        "sdk/reads": "a reason",
    }


def test_sign_in_has_checks_of_its_own(tmp_path: Path) -> None:
    assert program(tmp_path, run="echo ok msal-x/sign-in-device-code").run() == {"msal-x/sign-in-device-code": None}


@pytest.mark.parametrize(
    "run", ["exit 0", "echo ok sdk/reads; exit 1", "echo not ok sdk/reads: x; exit 0", "echo ok sdk/reads; exit 2"]
)
def test_a_program_that_contradicts_itself(tmp_path: Path, run: str) -> None:
    with pytest.raises(Broken):
        program(tmp_path, run=run).run()
