"""The commands, each on a stopped folder and on one whose server is running: the same answers either way."""

import contextlib
import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from tests.conftest import NADIA
from tests.running import PRESENCED, clean_environment, command, running

from presenced.emulator import sample


@pytest.fixture(params=["stopped", "running"])
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Path]:
    # longer than a Unix socket's path may be
    data = tmp_path / ("long-" * 20)
    with running(data, "--sample", "--tls") if request.param == "running" else contextlib.nullcontext():
        yield data


def test_people_are_imported_and_listed(folder: Path, tmp_path: Path) -> None:
    file = tmp_path / "people.csv"
    file.write_text(
        "\ufeffdisplayName,ID,userprincipalname,jobTitle,department\n"
        f"Zoë Müller,{NADIA.upper()},zoe@example.com,,Sales\n"
        '"Doe, John",,john@example.com,Chef,\n'
        "Nobody,,,,\n"
        "Bad,not-a-guid,bad@example.com,,\n"
        "Twin,,JOHN@example.com,,\n"
    )
    imported = command("users", "import", str(file), "--data", str(folder), check=False)
    assert imported.returncode == 1
    assert "3 not taken." in imported.stdout or "2 not taken." in imported.stdout
    assert "row 3: neither an id nor a userPrincipalName" in imported.stderr
    assert "row 4: the id 'not-a-guid' is not a GUID" in imported.stderr
    listed = command("users", "list", "--json", "--data", str(folder)).stdout.splitlines()
    people = {person["userPrincipalName"]: person for person in map(json.loads, listed)}
    assert people["zoe@example.com"]["id"] == NADIA
    assert people["zoe@example.com"]["displayName"] == "Zoë Müller"
    assert people["john@example.com"]["displayName"] == "Doe, John"

    file.write_text(json.dumps({"value": [{"userPrincipalName": "John@Example.com", "jobTitle": "Cook"}]}))
    assert "0 added, 1 updated, 0 not taken." in command("users", "import", str(file), "--data", str(folder)).stdout
    table = command("users", "list", "--data", str(folder)).stdout
    assert "Cook" in table
    assert "Chef" not in table


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "no column id or userPrincipalName"),
        ("name,age\nx,1\n", "no column id or userPrincipalName"),
        ("[1, 2", "not valid JSON"),
        ('{"people": []}', "neither a JSON array"),
        ("[1]", "row 1"),
        ('[{"userPrincipalName": 7}]', "row 1"),
        ("\udcff", "UTF-8"),
    ],
)
def test_files_that_hold_no_people(tmp_path: Path, content: str, words: str) -> None:
    file = tmp_path / "people"
    file.write_bytes(content.encode("utf-8", "surrogateescape"))
    run = command("users", "import", str(file), "--data", str(tmp_path / "data"), check=False)
    assert run.returncode == 1
    assert words in run.stderr
    assert "Traceback" not in run.stderr


def test_an_app_is_added_and_its_secret_is_nowhere_else(folder: Path) -> None:
    added = json.loads(
        command("apps", "add", "My app", "--permission", "Presence.Read.All", "--json", "--data", str(folder)).stdout
    )
    assert len(added["secret"]) >= 32
    listed = command("apps", "list", "--data", str(folder)).stdout
    assert added["id"] in listed
    assert "Presence.Read.All" in listed
    assert added["secret"] not in listed
    for file in folder.iterdir():
        if file.is_file():
            assert added["secret"].encode() not in file.read_bytes()
    unknown = command("apps", "add", "x", "--permission", "Presence.Fly", "--data", str(folder), check=False)
    assert unknown.returncode == 1
    assert "Presence.Fly is not a permission" in unknown.stderr


def test_an_app_that_people_sign_in_to(folder: Path) -> None:
    def add(*options: str, check: bool = True) -> "subprocess.CompletedProcess[str]":
        permission = ("--permission", "Presence.Read.All", "--json", "--data", str(folder))
        return command("apps", "add", "An app", *options, *permission, check=check)

    program = json.loads(add("--public", "--redirect-uri", "http://localhost", "--redirect-uri", "my://auth").stdout)
    assert (program["public"], program["secret"]) == (True, None)
    assert program["redirect_uris"] == ["http://localhost", "my://auth"]
    site = json.loads(add("--redirect-uri", "https://site.example/back").stdout)
    assert site["secret"]
    page = json.loads(add("--spa-redirect-uri", "http://localhost:3000/").stdout)
    assert (page["public"], page["secret"], page["spa_redirect_uris"]) == (False, None, ["http://localhost:3000/"])
    for app in (program, site, page):
        assert (app["delegated_permissions"], app["application_permissions"]) == (["Presence.Read.All"], [])
    listed = command("apps", "list", "--data", str(folder)).stdout
    for line in ("    public\n", "redirect URI: my://auth\n", "redirect URI of a page: http://localhost:3000/\n"):
        assert line in listed
    refused = add("--redirect-uri", "http://site.example/", check=False)
    assert refused.returncode == 1
    assert "must be https" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_a_token_for_an_app_and_for_a_person(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with running(data, "--sample") as server:
        delegated = server.command("token", "--user", "Nadia@sample.example", "--permission", "Presence.Read").strip()
        answer = httpx.get(f"{server.http}/v1.0/me/presence", headers={"Authorization": f"Bearer {delegated}"})
        assert answer.json()["id"] == NADIA
    # the same folder without a server: its key is the same, so the token is good once it runs again
    offline = command("token", "--lifetime", "1d", "--data", str(data)).stdout.strip()
    with running(data) as server:
        answer = httpx.get(f"{server.http}/v1.0/users/{NADIA}/presence", headers={"Authorization": f"Bearer {offline}"})
        assert answer.status_code == 200
        for revoked, rotation in ((False, ()), (True, ("--revoke",))):
            server.command("keys", "rotate", *rotation)
            answer = httpx.get(
                f"{server.http}/v1.0/users/{NADIA}/presence", headers={"Authorization": f"Bearer {offline}"}
            )
            assert answer.status_code == (401 if revoked else 200)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--user", "nobody@example.com"], "nobody with the id or name nobody@example.com"),
        (["--app", "x"], "no app x"),
        (["--permission", "Presence.Fly"], "not a permission"),
        (["--lifetime", "soon"], "not a duration"),
        (["--lifetime", "2d"], "seconds"),
        (["--tenant", "x"], "no app yet"),
    ],
)
def test_tokens_that_cannot_be(tmp_path_factory: pytest.TempPathFactory, options: list[str], words: str) -> None:
    data = tmp_path_factory.getbasetemp() / "sample-for-tokens"
    if not data.exists():
        with running(data, "--sample"):
            pass
    run = command("token", *options, "--data", str(data), check=False)
    assert run.returncode != 0
    assert words in run.stderr
    assert "Traceback" not in run.stderr


def test_env_is_for_the_shell(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with running(data, "--sample", "--tls") as server:
        script = 'eval "$(presenced env)" && echo "$GRAPH_BASE_URL $GRAPH_BASE_URL_TLS $AZURE_CLIENT_SECRET"'
        path = f"{Path(PRESENCED).parent}:{os.environ['PATH']}"
        environment = clean_environment(PRESENCED_DATA=str(data), PATH=path)
        shell = subprocess.run(["bash", "-c", script], env=environment, capture_output=True, text=True, check=True)
        assert shell.stdout.split() == [f"{server.http}/v1.0", f"{server.https}/v1.0", sample.SECRET]
        found = server.environment()
        assert found["AZURE_AUTHORITY_HOST"] == server.https
        assert Path(found["PRESENCED_CA_FILE"]).is_file()
    stopped = json.loads(command("env", "--json", "--port", "1234", "--data", str(data)).stdout)
    assert stopped["GRAPH_BASE_URL"] == "http://127.0.0.1:1234/v1.0"
    assert stopped["AZURE_AUTHORITY_HOST"] is None


def test_flag_over_environment_over_file_over_default(tmp_path: Path) -> None:
    data = str(tmp_path / "data")
    file = tmp_path / "presenced.toml"
    file.write_text('port = 1111\n[throttle]\npresence = 7\n[token]\nlifetime = "1s"\n')

    def port(*options: str, **variables: str) -> str:
        run = command("env", "--json", "--data", data, *options, cwd=tmp_path, env=clean_environment(**variables))
        return str(json.loads(run.stdout)["GRAPH_BASE_URL"])

    assert port() == "http://127.0.0.1:1111/v1.0"
    assert port(PRESENCED_PORT="2222") == "http://127.0.0.1:2222/v1.0"
    assert port("--port", "3333", PRESENCED_PORT="2222") == "http://127.0.0.1:3333/v1.0"
    other = tmp_path / "other.toml"
    other.write_text("port = 4444\n")
    assert port("--config", str(other)) == "http://127.0.0.1:4444/v1.0"
    assert port(PRESENCED_CONFIG=str(other)) == "http://127.0.0.1:4444/v1.0"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("prot = 1\n", 'no setting "prot". Did you mean port?'),
        ("[throttle]\npresense = 1\n", "Did you mean throttle.presence?"),
        ("[token]\nlifetme = 1\n", "Did you mean token.lifetime?"),
        ("port = 'x'\n", "not a valid"),
        ("port = 70000\n", "70000"),
        ("port = \n", "presenced.toml"),
        ("unknown-ids = 'maybe'\n", "maybe"),
        ("[[issuers]]\nissuer = 'http://far.example'\naudience = 'x'\n", "must be an https URL"),
        ("[[issuers]]\nissuer = 'https://far.example'\n", "audience"),
    ],
)
def test_mistakes_in_the_file(tmp_path: Path, content: str, words: str) -> None:
    file = tmp_path / "presenced.toml"
    file.write_text(content)
    run = command("serve", "--config", str(file), "--data", str(tmp_path / "data"), check=False)
    assert run.returncode != 0
    assert words in run.stderr
    assert "Traceback" not in run.stderr


def test_a_port_in_use_and_a_bad_certificate(tmp_path: Path) -> None:
    with running(tmp_path / "one") as server:
        port = server.http.rpartition(":")[2]
        taken = command("serve", "--port", port, "--data", str(tmp_path / "two"), check=False)
    assert taken.returncode == 1
    assert f"port {port}" in taken.stderr
    assert "--port 0" in taken.stderr
    bad = tmp_path / "bad.pem"
    bad.write_text("not a certificate")
    options = ["--tls-cert", str(bad), "--tls-key", str(bad), "--port", "0", "--tls-port", "0"]
    refused = command("serve", *options, "--data", str(tmp_path / "two"), check=False)
    assert refused.returncode == 1
    assert "cannot be used" in refused.stderr
    alone = command("serve", "--tls-cert", str(bad), "--data", str(tmp_path / "two"), check=False)
    assert "go together" in alone.stderr


def test_beyond_loopback_the_documented_credentials_are_replaced(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with running(data, "--sample"):
        pass
    with running(data, "--host", "0.0.0.0") as server:
        assert "shown this once" in server.output
        tenant = sample.TENANT
        form = {
            "grant_type": "client_credentials",
            "client_id": sample.SERVICE_APP,
            "client_secret": sample.SECRET,
            "scope": "https://graph.microsoft.com/.default",
        }
        url = f"{server.http.replace('localhost', '127.0.0.1')}/{tenant}/oauth2/v2.0/token"
        refused = httpx.post(url, data=form)
        assert (refused.status_code, refused.json()["error"]) == (401, "invalid_client")
        secret = server.output.partition(f"secret of the sample service ({sample.SERVICE_APP}): ")[2].split()[0]
        assert httpx.post(url, data=form | {"client_secret": secret}).status_code == 200
        assert server.environment()["AZURE_CLIENT_SECRET"] is None
    with running(data, "--sample", "--host", "0.0.0.0") as server:
        assert "shown this once" not in server.output


def test_what_is_made_is_the_owners_only(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with running(data, "--sample", "--tls"):
        for path in [data, *data.rglob("*")]:
            assert path.stat().st_mode & 0o077 == 0, path


def test_secrets_are_not_in_the_log(tmp_path: Path) -> None:
    """Not even when a request fails in a way nobody foresaw, which is brought about here by taking the file away."""
    data = tmp_path / "data"
    with running(data, "--sample") as server, server.client() as client:
        (data / "presenced.db").write_bytes(b"not a database" * 1000)
        profile = {"userPrincipalName": "kim@example.com", "passwordProfile": {"password": "hunter2hunter2"}}
        for _ in range(3):
            client.post("/users", json=profile)
        form = {
            "grant_type": "password",
            "client_id": sample.SIGN_IN_APP,
            "username": "nadia@sample.example",
            "password": "hunter2hunter2",
            "scope": "Presence.Read",
        }
        assert httpx.post(f"{server.http}/{sample.TENANT}/oauth2/v2.0/token", data=form).status_code == 400
        token = client.headers["Authorization"].split()[1]
    assert "hunter2" not in server.output
    assert token not in server.output


@pytest.mark.parametrize(
    ("arguments", "file", "words"),
    [
        (["--notify-allow", "10.0.0.0/8", "--notify-allow", "127.1"], "", "'127.1' is neither a network"),
        ([], '[notify]\nallow = "10.0.0.0/8"\n', 'notify.allow is a list, such as ["10.0.0.0/8"].'),
        ([], '[notify]\nallow = ["10.0.0.0/8", "*"]\n', "'*' is neither a network"),
    ],
)
def test_wrong_addresses_for_notifications(tmp_path: Path, arguments: list[str], file: str, words: str) -> None:
    (tmp_path / "presenced.toml").write_text(file)
    run = command("serve", "--data", str(tmp_path / "data"), *arguments, check=False, cwd=tmp_path)
    assert run.returncode != 0
    assert words in run.stderr
