"""Who may import whom (docs/architecture.md): the rules stay pure, and only app and cli see everything."""

import ast
from pathlib import Path

import pytest

import presenced

ROOT = Path(presenced.__file__).parent

ALLOWED = {
    "presence": {"presence"},
    "store": {"store", "presence"},
    "entries": {"_entries"},
    "view": {"entries", "store", "presence"},
    "clock": set(),
    "service": {"store", "view", "presence", "clock"},
    "identity": {"identity", "store", "presence", "clock"},
    "calendar": {"calendar", "store", "presence", "clock"},
    "notify": {"notify", "identity", "store", "presence", "clock"},
    "graph": {"notify", "graph", "service", "entries", "identity", "calendar", "store", "presence", "clock"},
    "web": {"web", "service", "notify", "notify_control", "identity", "store", "presence", "clock"},
    "emulator": {"emulator", "service", "view", "calendar", "notify", "identity", "store", "presence", "clock"},
    "openapi": {"openapi", "graph", "identity", "presence"},
    "settings": {"identity", "notify"},
    "folder": set(),
    "tls": set(),
    "http_server": {"graph"},
    "apps_control": {"identity"},
    "control": {"apps_control", "emulator", "identity", "calendar", "notify", "notify_control", "presence", "store"},
    "notify_control": {"notify", "store"},
    "listen": {"listen", "identity", "notify"},
    "environment": set(),
    "testing": {"testing", "cli", "emulator", "environment", "folder"},  # the server's process alone sees the command
}
PURE = {
    "presence": {"msgspec", "re", "math", "typing", "collections", "datetime", "zoneinfo", "icalendar", "presenced"}
}


def rooms() -> list[str]:
    return sorted({path.relative_to(ROOT).parts[0].removesuffix(".py") for path in ROOT.rglob("*.py")})


def imports(room: str) -> set[str]:
    files = [ROOT / f"{room}.py"] if (ROOT / f"{room}.py").exists() else sorted((ROOT / room).rglob("*.py"))
    found = set()
    for file in files:
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.ImportFrom):
                assert node.level == 0, f"{file}: a relative import"
                found.add(node.module or "")
            elif isinstance(node, ast.Import):
                found.update(alias.name for alias in node.names)
    return found


def test_every_room_has_its_rule() -> None:
    assert set(rooms()) - {"__init__", "app", "cli"} == set(ALLOWED)


@pytest.mark.parametrize("room", ALLOWED)
def test_rooms_import_only_what_they_may(room: str) -> None:
    own = {name.split(".")[1] for name in imports(room) if name.startswith("presenced.")}
    assert own <= ALLOWED[room]


def test_the_rules_are_pure() -> None:
    assert {name.split(".")[0] for name in imports("presence")} <= PURE["presence"]


def test_files_stay_small() -> None:
    long = {str(path): count for path in ROOT.rglob("*.py") if (count := len(path.read_text().splitlines())) > 400}
    assert not long
