"""What is taken away (docs/take-away.md): Dockerfile, compose files, devcontainer, workflow, as far as there is no
Docker engine needed: they say what is promised, and what they run works."""

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from tests.conftest import NADIA
from tests.running import PRESENCED, clean_environment, running

from presenced.settings import options

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "take-away.md").read_text("utf-8")
DOCKERFILE = re.sub(r"\\\n", " ", (ROOT / "Dockerfile").read_text("utf-8"))
_BLOCK = re.compile(r"^```yaml\n# (\S+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
FILES: dict[str, Any] = {name: yaml.safe_load(text) for name, text in _BLOCK.findall(PAGE)}
FILES["compose.yaml"] = yaml.safe_load((ROOT / "compose.yaml").read_text("utf-8"))


def said(word: str) -> list[str]:
    """What the Dockerfile says after a word, each time."""
    return re.findall(rf"^{word}\s+(.*)$", DOCKERFILE, re.MULTILINE)


def test_all_are_there() -> None:
    assert set(FILES) == {
        "compose.yaml",
        "compose.override.yaml",
        ".devcontainer/compose.yaml",
        ".github/workflows/presence.yml",
    }


def test_the_image() -> None:
    assert "--require-hashes -r requirements/run.txt" in DOCKERFILE
    (user,) = said("USER")
    assert user.partition(":")[0].isdigit()
    assert int(user.partition(":")[0]) > 0
    assert len(said("FROM")) == 2
    assert said("VOLUME") == ["/data"]
    for source in said("COPY"):
        for name in shlex.split(source)[:-1]:
            if not name.startswith(("-", "/")):
                assert (ROOT / name).exists(), name


def test_what_is_sent_to_the_builder_is_what_is_copied() -> None:
    """.dockerignore lets through what COPY takes, and no more."""
    lines = (ROOT / ".dockerignore").read_text("utf-8").split()
    assert lines[0] == "*"
    allowed = {line[1:] for line in lines if line.startswith("!")}
    taken = {name for line in said("COPY") for name in shlex.split(line)[:-1] if not name.startswith(("-", "/"))}
    assert allowed == taken


@pytest.mark.parametrize("name", [name for name in FILES if name.endswith("compose.yaml")])
def test_compose_files_are_safe(name: str) -> None:
    service = FILES[name]["services"]["presenced"]
    assert (service["read_only"], service["cap_drop"]) == (True, ["ALL"])
    assert "no-new-privileges:true" in service["security_opt"]
    assert all(port.startswith("127.0.0.1:") for port in service.get("ports", ()))
    assert not service.get("privileged")


@pytest.mark.parametrize("name", [name for name in FILES if "compose" in name])
def test_their_variables_are_settings(name: str) -> None:
    known = {option.variable for option in options().values()}
    assert set(FILES[name]["services"]["presenced"]["environment"]) <= known


def test_the_server_of_the_compose_file(tmp_path: Path) -> None:
    """Its settings, the image's, and the health check of the image, which fails when the server has stopped."""
    variables = dict(FILES["compose.yaml"]["services"]["presenced"]["environment"])
    assert variables.pop("PRESENCED_ADMIN_TOKEN") == "${PRESENCED_ADMIN_TOKEN:-}"
    assert variables == {f"PRESENCED_{name}": "true" for name in ("SAMPLE", "TLS", "CONTROL")}
    assert "PRESENCED_HOST=0.0.0.0" in DOCKERFILE
    check = json.loads(said("HEALTHCHECK")[0].partition("CMD ")[2])
    with running(tmp_path / "data", "--host", "0.0.0.0", "--sample", "--tls", "--control") as server:
        port = server.http.rpartition(":")[2]
        assert "credentials were replaced" in server.output
        assert "ready at http://localhost:" in server.output
        command = [sys.executable, *(part.replace(":8080/", f":{port}/") for part in check[1:])]
        # also behind a proxy that is set for everything else
        environment = clean_environment(http_proxy="http://127.0.0.1:9")
        assert check[0] == "python"
        assert subprocess.run(command, env=environment, check=False, timeout=60).returncode == 0
        token = server.command("token").strip()
        answer = httpx.get(
            f"http://localhost:{port}/v1.0/users/{NADIA}/presence", headers={"Authorization": f"Bearer {token}"}
        )
        assert answer.json()["activity"] == "InAMeeting"
    stopped = subprocess.run(command, env=environment, check=False, timeout=60, capture_output=True)
    assert stopped.returncode != 0


def test_the_devcontainer() -> None:
    block = re.search(r"^```json\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    assert block is not None
    container = json.loads(block[1])
    compose = FILES[".devcontainer/compose.yaml"]
    app, presenced = (compose["services"][name] for name in (container["service"], "presenced"))
    assert app["network_mode"] == "service:presenced"
    assert presenced["environment"]["PRESENCED_HOST"] == "127.0.0.1"  # so that the sample's credentials hold
    assert set(container["forwardPorts"]) == {8080, 8443}
    named = app["volumes"][1].split(":")
    assert named[0] in compose["volumes"]
    assert f"{named[1]}/tls/ca.pem" in container["postStartCommand"]


def test_the_credentials_of_the_devcontainer_sign_in(tmp_path: Path) -> None:
    given = FILES[".devcontainer/compose.yaml"]["services"]["app"]["environment"]
    with running(tmp_path / "data", "--sample") as server:
        form = {
            "grant_type": "client_credentials",
            "client_id": given["AZURE_CLIENT_ID"],
            "client_secret": given["AZURE_CLIENT_SECRET"],
            "scope": "https://graph.microsoft.com/.default",
        }
        answer = httpx.post(f"{server.http}/{given['AZURE_TENANT_ID']}/oauth2/v2.0/token", data=form)
    assert answer.status_code == 200


def test_the_workflow_runs(tmp_path: Path) -> None:
    """Its commands, but those that fetch from elsewhere; npm stands for any program, and sees the variables."""
    workflow = FILES[".github/workflows/presence.yml"]
    assert workflow["permissions"] == {"contents": "read"}
    commands = [step["run"] for step in workflow["jobs"]["test"]["steps"] if "run" in step]
    assert commands[0] == "pip install presenced"
    npm = tmp_path / "npm"
    npm.write_text('#!/bin/sh\n[ "$1" = test ] && echo "$GRAPH_BASE_URL $AZURE_CLIENT_SECRET"\n')
    npm.chmod(0o755)
    environment = clean_environment(PATH=f"{tmp_path}:{Path(PRESENCED).parent}:/usr/bin:/bin", HOME=str(tmp_path))
    more: dict[str, Any] = {"env": environment, "cwd": tmp_path, "text": True, "capture_output": True, "timeout": 120}
    printed = [subprocess.run(["bash", "-e", "-c", line], check=True, **more).stdout for line in commands[1:]]
    assert json.loads(printed[0])["id"] == NADIA
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+/v1\.0 presenced-sample-secret\n", printed[1])
