"""Seeds: what a server begins with, what it goes back to, and what is wrong with one, in which line."""

import asyncio
import json
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import jsonschema_rs
import pytest
import yaml
from tests.conftest import JONAS, NADIA, TOMAS
from tests.flows.test_notifications_kill import receiver as receiver
from tests.receiver import Receiver
from tests.running import PRESENCED, Server, clean_environment, command, running

from presenced.emulator import sample
from presenced.emulator.seed_file import write

DIE_AT = str(Path(__file__).parents[1] / "flows" / "die_at.py")
TENANT = "11111111-2222-4333-8444-555555555555"
OTHER = "11111111-2222-4333-8444-666666666666"
ANN = "aaaaaaaa-0000-4000-8000-000000000001"
BEN = "aaaaaaaa-0000-4000-8000-000000000002"
APP = "bbbbbbbb-0000-4000-8000-000000000001"
NOON = "2026-11-24T12:00:00.000000Z"

SEED: dict[str, Any] = {
    "tenants": [
        {"id": OTHER, "people": [{"id": ANN, "displayName": "Another Ann"}]},
        {
            "id": TENANT,
            "home": True,
            "domains": ["seed.example"],
            "apps": [
                {
                    "id": APP,
                    "name": "Tester",
                    "secret": "a secret of the seed",
                    "applicationPermissions": ["Presence.ReadWrite.All", "User.ReadWrite.All"],
                    "delegatedPermissions": ["Presence.Read.All"],
                }
            ],
            "people": [
                {
                    "id": ANN,
                    "userPrincipalName": "ann@seed.example",
                    "displayName": "Ann Seed",
                    "password": "ann's password",
                    "sessions": [{"id": "call", "availability": "Busy", "activity": "InACall", "expires": "PT1H"}],
                    "message": {"content": "Back at two.", "expires": "PT2H"},
                },
                {
                    "id": BEN,
                    "userPrincipalName": "ben@seed.example",
                    "sessions": [{"availability": "Available"}],
                    "events": [{"starts": "PT30M", "ends": "PT90M", "meeting": True}],
                },
            ],
        },
    ]
}


@pytest.fixture
def seed(tmp_path: Path) -> Path:
    file = tmp_path / "seed.json"
    file.write_text(json.dumps(SEED), "utf-8")
    return file


@pytest.fixture
def server(tmp_path: Path, seed: Path) -> Iterator[Server]:
    with running(tmp_path / "data", "--seed", str(seed), "--control") as server:
        yield server


@pytest.fixture
def control(server: Server) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=f"{server.http}/presenced", timeout=60) as client:
        yield client


def state(client: httpx.Client, person: str) -> str:
    answer: dict[str, str] = client.get(f"/users/{person}/presence").json()
    return f"{answer['availability']}/{answer['activity']}"


def shape(control: httpx.Client) -> Any:
    """What the server holds, but for what says how long ago something was."""
    found = control.get("/seed").json()
    for tenant in found["tenants"]:
        for person in tenant["people"]:
            person.get("message", {}).pop("published", None)
            for part in (*person.get("sessions", ()), *person.get("events", ()), person.get("message", {})):
                for name in ("since", "expires", "starts", "ends"):
                    part.pop(name, None)
    return found


def test_a_server_begins_with_a_seed(server: Server) -> None:
    with server.client() as client:
        assert state(client, ANN) == "Busy/InACall"
        assert state(client, BEN) == "Available/Available"
        assert client.get(f"/users/{ANN}/presence").json()["statusMessage"]["message"]["content"] == "Back at two."
    environment = server.environment()
    assert (environment["AZURE_TENANT_ID"], environment["AZURE_CLIENT_ID"]) == (TENANT, APP)
    assert environment["AZURE_CLIENT_SECRET"] == "a secret of the seed"
    form = {"client_id": APP, "username": "ann@seed.example", "password": "ann's password", "grant_type": "password"}
    form |= {"client_secret": "a secret of the seed", "scope": "https://graph.microsoft.com/.default"}
    assert httpx.post(f"{server.http}/seed.example/oauth2/v2.0/token", data=form).status_code == 200


def test_a_seed_fills_a_folder_once(tmp_path: Path, seed: Path) -> None:
    for expected in ("Busy/InACall", "Offline/Offline"):
        with running(tmp_path / "data", "--seed", str(seed)) as server, server.client() as client:
            assert state(client, ANN) == expected
            assert ("was not put in" in server.output) == (expected == "Offline/Offline")
            client.post(f"/users/{ANN}/presence/clearPresence", json={"sessionId": "call"})


def test_a_start_that_is_killed_is_made_up_for(tmp_path: Path) -> None:
    people = [{"userPrincipalName": f"p{number}@seed.example"} for number in range(3000)]
    file = tmp_path / "seed.json"
    file.write_text(json.dumps({"tenants": [{**SEED["tenants"][1], "people": people}]}), "utf-8")
    data = tmp_path / "data"
    serve = (PRESENCED, "serve", "--data", str(data), "--port", "0", "--seed", str(file))
    for place in (
        ("presenced.emulator.seed_start:begin", "after", "1"),
        ("presenced.store.sqlite:SqliteStore.change", "after", "1"),
        ("presenced.store.sqlite:SqliteStore.change", "after", "2000"),
        ("presenced.emulator.restorer:Restorer.restore", "after", "1"),
    ):
        killed = subprocess.run([sys.executable, DIE_AT, *place, *serve], env=clean_environment(), timeout=120)
        assert killed.returncode == -signal.SIGKILL
    with running(data, "--seed", str(file)) as server:
        assert server.command("users", "list", "--json").count("\n") == 3000
        assert APP in server.command("apps", "list")


def test_reset_goes_back_to_the_seed(server: Server, control: httpx.Client, receiver: Receiver) -> None:
    before = shape(control)
    with server.client("--lifetime", "24h") as client:
        # two people swap their names, and a third takes that of one of them
        for person, name in ((ANN, "x"), (BEN, "ann"), (ANN, "ben")):
            changed = client.patch(f"/users/{person}", json={"userPrincipalName": f"{name}@seed.example"})
            assert changed.status_code == 204
        assert client.delete(f"/users/{BEN}").status_code == 204
        new = {"userPrincipalName": "ann@seed.example", "displayName": "New Ann"}
        assert client.post("/users", json=new).status_code == 201
        client.post(f"/users/{ANN}/presence/clearPresence", json={"sessionId": "call"})
        server.command("apps", "add", "Another", "--permission", "Presence.Read.All")
        control.post("/clock", json={"now": "2027-03-01T00:00:00Z", "frozen": True})
        assert shape(control) != before
        assert control.post("/reset").status_code == 204
        assert shape(control) == before
        assert abs(control.get("/clock").json()["offset"]) < 1
        assert state(client, ANN) == "Busy/InACall"
        # what the seed counts from when it is put in is counted anew
        control.post("/clock/advance", json={"by": "PT59M"})
        assert (state(client, ANN), state(client, BEN)) == ("Busy/InACall", "Busy/InAMeeting")
        control.post("/clock/advance", json={"by": "PT31M"})
        assert (state(client, ANN), state(client, BEN)) == ("Offline/Offline", "Available/Available")
        control.post("/reset")
        assert (state(client, ANN), state(client, BEN)) == ("Busy/InACall", "Available/Available")
    assert receiver.posts == []


def test_names_that_were_swapped_go_back(server: Server, control: httpx.Client) -> None:
    before = shape(control)
    with server.client() as client:
        for person, name in ((ANN, "x"), (BEN, "ann"), (ANN, "ben")):
            changed = client.patch(f"/users/{person}", json={"userPrincipalName": f"{name}@seed.example"})
            assert changed.status_code == 204
    assert control.post("/reset").status_code == 204
    assert shape(control) == before


def test_reset_ends_subscriptions_sign_ins_and_limits(tmp_path: Path, seed: Path, receiver: Receiver) -> None:
    with (
        running(tmp_path / "data", "--seed", str(seed), "--control", "--throttle-presence", "5") as server,
        httpx.Client(base_url=f"{server.http}/presenced", timeout=60) as control,
        server.client() as client,
        server.client("--user", ANN) as subscriber,
    ):
        subscription = {
            "changeType": "updated",
            "notificationUrl": receiver.url,
            "resource": f"communications/presences/{ANN}",
            "expirationDateTime": (datetime.now(UTC) + timedelta(minutes=50)).isoformat(),
        }
        made = subscriber.post("/subscriptions", json=subscription)
        statuses = [client.get(f"/users/{ANN}/presence").status_code for _ in range(7)]
        assert 429 in statuses
        form = {"client_id": APP, "username": "ann@seed.example", "password": "wrong", "grant_type": "password"}
        form |= {"client_secret": "a secret of the seed", "scope": "https://graph.microsoft.com/.default"}
        token_url = f"{server.http}/{TENANT}/oauth2/v2.0/token"
        for _ in range(11):
            locked = httpx.post(token_url, data=form)
        form["password"] = "ann's password"
        assert httpx.post(token_url, data=form).status_code == 400, locked.text
        assert control.post("/reset").status_code == 204
        assert made.status_code == 201, made.text
        assert subscriber.get(f"/subscriptions/{made.json()['id']}").status_code == 404
        assert client.get(f"/users/{ANN}/presence").status_code == 200
        assert httpx.post(token_url, data=form).status_code == 200
        assert receiver.posts == []


@pytest.mark.parametrize("form", ["toml", "yaml", "json"])
def test_what_is_exported_is_a_seed_of_the_same(
    server: Server, control: httpx.Client, tmp_path: Path, form: str
) -> None:
    control.post("/clock", json={"now": NOON, "frozen": True})
    control.post("/reset") if form == "toml" else None  # else the clock was set back, which is a state too
    control.post("/clock", json={"frozen": True})
    control.post("/clock/advance", json={"by": "PT20M"})
    before = control.get("/seed").json()
    file = tmp_path / f"exported.{form}"
    server.command("export", str(file))
    assert file.stat().st_mode & 0o777 == 0o600
    control.post("/clock/advance", json={"by": "P3D"})
    assert "2 tenants, 1 apps, 3 people" in server.command("seed", str(file))
    assert control.get("/seed").json() == before
    with server.client() as client:
        assert state(client, ANN) == "Busy/InACall"
        if form == "toml":
            control.post("/clock/advance", json={"by": "PT40M"})
            assert state(client, ANN) == "Offline/Offline"
    if form == "json":
        assert (
            httpx.put(
                f"{control.base_url}seed",
                content=control.get("/seed", params={"format": "yaml"}).content,
                headers={"Content-Type": "application/yaml"},
            ).status_code
            == 200
        )


def test_a_folder_without_a_server_is_exported_too(tmp_path: Path, seed: Path) -> None:
    with running(tmp_path / "data", "--seed", str(seed)):
        pass
    exported = yaml.safe_load(command("export", "--format", "yaml", "--data", str(tmp_path / "data")).stdout)
    assert [tenant["id"] for tenant in exported["tenants"]] == [TENANT, OTHER]
    assert exported["tenants"][0]["apps"][0]["secretHashes"]


def test_the_sample_is_a_seed_that_editors_accept(server: Server, control: httpx.Client) -> None:
    schema = control.get("/seed/schema").json()
    assert json.loads(command("seed", "--schema").stdout) == schema
    check = jsonschema_rs.validator_for(schema)
    check.validate(yaml.safe_load(write(sample.seed(), "yaml")))
    check.validate(SEED)
    assert not check.is_valid({"tenants": [{"id": TENANT, "peple": []}]})


PEOPLE = f"tenants:\n- id: {TENANT}\n  people:\n  - id: {ANN}\n"


@pytest.mark.parametrize(
    ("name", "text", "line", "words"),
    [
        ("a.yaml", PEOPLE + "    sesions: []\n", 5, "Do you mean sessions?"),
        ("a.yaml", PEOPLE + "    sessions:\n    - availability: Bsy\n", 6, "One of: Available, "),
        ("a.yaml", PEOPLE + "    sessions:\n    - availability: Busy\n      activity: Away\n", 6, "Busy/InAMeeting"),
        ("a.yaml", PEOPLE + "    sessions:\n    - {availability: Busy, expires: soon}\n", 6, "neither a duration"),
        ("a.yaml", PEOPLE + f"  - id: {ANN.upper()}\n", 5, "two people"),
        ("a.yaml", PEOPLE + "    timeZone: Mars/Olympus\n", 5, "no time zone"),
        ("a.yaml", PEOPLE + "    userPrincipalName: nobody\n", 4, "not a name like"),
        ("a.yaml", PEOPLE + "    passwordHash: scrypt$1073741824$8$5$x$y\n", 4, "no password hash"),
        ("a.yaml", PEOPLE + "    calendar: hello\n", 5, "iCalendar"),
        ("a.yaml", PEOPLE + "    calendarFile: none.ics\n", 5, "cannot be read"),
        ("a.yaml", PEOPLE + "  apps:\n  - name: x\n    applicationPermissions: [Presence.Read]\n", 7, "no permission"),
        ("a.yaml", PEOPLE + "  apps:\n  - name: x\n    certificates: [x]\n", 7, "no certificate"),
        ("a.yaml", PEOPLE + f"- id: {TENANT}\n", 5, "two tenants"),
        ("a.yaml", "clock: {now: noon}\n" + PEOPLE, 1, "neither a duration"),
        ("a.yaml", "tenants: [\n", 2, "not YAML"),
        ("a.yaml", "a: &a [*a]\n", 1, "refers to itself"),
        ("a.yaml", "[" * 100_000, 1, "nested too deeply"),
        ("a.json", '{"tenants": [\n\t{"id":\n"x"}]}', 2, "no GUID"),
        ("a.json", '{"tenants": [],\n "tenants": []}', None, "twice"),
        ("a.json", '{"tenants": [\n', 2, "not JSON"),
        ("a.toml", "[[tenants]]\nid = 5\n", 2, "Expected `str`"),
        ("a.toml", f'[[tenants]]\nid = "{TENANT}"\n\n[[tenants.people]]\n# nothing\njobTitle = "x"\n', 6, "an id or a"),
        ("a.toml", "[[tenants]]\nid =\n", 2, "not TOML"),
        ("a.toml", "\ufeff\n\x00", 2, "not TOML"),
        ("a.txt", "", None, "neither .toml nor .yaml nor .json"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(
    tmp_path: Path, name: str, text: str, line: int | None, words: str
) -> None:
    file = tmp_path / name
    file.write_text(text, "utf-8")
    for arguments in (("seed", "--check", str(file)), ("serve", "--data", str(tmp_path / "d"), "--seed", str(file))):
        refused = command(*arguments, check=False)
        assert refused.returncode == 1, refused.stdout
        assert words in refused.stderr
        assert (f"line {line}: " in refused.stderr) if line else ("line" not in refused.stderr)
        assert "Traceback" not in refused.stderr
    assert not (tmp_path / "d" / "presenced.db").exists()


@pytest.mark.parametrize(
    ("body", "media_type"),
    [
        (b"", "application/json"),
        (b"\xff", "application/json"),
        (b"[" * 100_000, "application/json"),
        (b"[" * 100_000, "application/yaml"),
        (b"a: " + b"1" * 5000, "application/yaml"),
        (b"a = " + b"1" * 5000, "application/toml"),
        (b'{"a": ' + b"1" * 5000 + b"}", "application/json"),
        (b"? [a]\n: b", "application/yaml"),
        (b"!!python/object/apply:os.getcwd []", "application/yaml"),
        (b"{}", "text/html"),
        (
            b'{"tenants": [{"id": "%b", "people": [{"id": "%b", "displayName": "\\ud800"}]}]}'
            % (TENANT.encode(), ANN.encode()),
            "",
        ),
        (b'{"tenants": [{"id": "%b", "apps": [{"name": "\\ud800"}]}]}' % TENANT.encode(), ""),
        (b'{"tenants": [{"id": "%b", "people": [{"userPrincipalName": "\\ud800@x.example"}]}]}' % TENANT.encode(), ""),
        (
            json.dumps({"tenants": [{"id": TENANT, "people": [{"id": ANN, "calendarFile": "/etc/passwd"}]}]}).encode(),
            "",
        ),
    ],
)
def test_what_is_no_seed_changes_nothing(control: httpx.Client, body: bytes, media_type: str) -> None:
    before = shape(control)
    headers = {"Content-Type": media_type} if media_type else {}
    refused = control.put("/seed", content=body, headers=headers)
    assert (refused.status_code, refused.json()["error"]["code"]) == (400, "InvalidArgument")
    assert shape(control) == before
    assert control.get("/seed", params={"format": "xml"}).status_code == 400


def test_calendar_files_are_read_from_the_folder_of_the_seed(server: Server, tmp_path: Path) -> None:
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    (folder / "ann.ics").write_text(
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\nBEGIN:VEVENT\r\nUID:1\r\nDTSTAMP:20260101T000000Z\r\n"
        "DTSTART:20260101T000000Z\r\nDTEND:20360101T000000Z\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
    )
    (folder / "seed.yaml").write_text(PEOPLE + "    calendarFile: ann.ics\n    sessions: [{availability: Away}]\n")
    server.command("seed", str(folder / "seed.yaml"))
    # the app is gone with the seed before, so the owner asks
    server.command("apps", "add", "Reader", "--permission", "Presence.Read.All")
    with server.client() as client:
        assert state(client, ANN) == "Busy/Busy"
    server.command("reset")
    server.command("apps", "add", "Reader", "--permission", "Presence.Read.All")
    with server.client() as client:
        assert state(client, ANN) == "Busy/Busy"


def test_the_sample_is_what_a_reset_goes_back_to(tmp_path: Path) -> None:
    for _ in range(2):  # also in a folder that was filled in another run
        with running(tmp_path / "data", "--sample", "--control") as server, server.client() as client:
            assert client.post(
                f"/users/{JONAS}/presence/setPresence",
                json={"sessionId": "s", "availability": "Away", "activity": "Away"},
            ).is_success
            assert client.delete(f"/users/{NADIA}").status_code == 204
            server.command("reset")
            assert state(client, JONAS) == "Offline/Offline"
            assert state(client, NADIA) == "Busy/InAMeeting"
            assert state(client, TOMAS) == "Away/Away"


def test_a_reset_does_not_bring_back_what_everybody_knows(tmp_path: Path) -> None:
    options = ("--sample", "--control", "--admin-token", "sesame", "--host", "0.0.0.0")
    form = {"client_id": sample.SERVICE_APP, "client_secret": sample.SECRET, "grant_type": "client_credentials"}
    form["scope"] = "https://graph.microsoft.com/.default"
    own = ""
    for _ in range(2):
        with running(tmp_path / "data", *options) as server:
            own = own or server.output.partition(f"secret of the sample service ({sample.SERVICE_APP}): ")[2].split()[0]
            url = f"http://127.0.0.1:{server.http.rpartition(':')[2]}/{sample.TENANT}/oauth2/v2.0/token"
            server.command("reset")
            assert httpx.post(url, data=form).status_code == 401
            assert httpx.post(url, data={**form, "client_secret": own}).status_code == 200


def test_without_a_seed_there_is_nothing_to_go_back_to(tmp_path: Path, seed: Path) -> None:
    with running(tmp_path / "data", "--control") as server:
        refused = httpx.post(f"{server.http}/presenced/reset")
        assert refused.status_code == 400
        assert "--seed" in refused.json()["error"]["message"]
        server.command("seed", str(seed))
        server.command("reset")
    both = command("serve", "--sample", "--seed", str(seed), "--data", str(tmp_path / "other"), check=False)
    assert both.returncode == 1
    assert "one of --seed and --sample" in both.stderr


def test_the_clock_of_a_seed_holds_from_the_start(tmp_path: Path) -> None:
    file = tmp_path / "seed.yaml"
    file.write_text('clock: {now: "2030-01-01T09:00:00Z", frozen: true}\n' + PEOPLE)
    with running(tmp_path / "data", "--seed", str(file), "--control") as server:
        for _ in range(2):
            clock = httpx.get(f"{server.http}/presenced/clock").json()
            assert (clock["now"], clock["frozen"]) == ("2030-01-01T09:00:00.000000Z", True)
            server.command("reset")


@pytest.mark.parametrize(
    "part",
    [
        'clock: {now: "2020-01-01T00:00:00Z"}\n@    events: [{starts: "2026-11-24T12:00:00Z", ends: PT1H}]\n',
        'clock: {now: "9997-06-01T00:00:00Z"}\n@    message: {content: x, expires: P800D}\n',
        '@    events: [{starts: PT1S, ends: "2020-01-01T00:00:00Z"}]\n',
    ],
)
def test_a_seed_that_cannot_be_put_in_leaves_all_as_it_is(control: httpx.Client, part: str) -> None:
    before = shape(control)
    text = part.partition("@")[0] + PEOPLE + part.partition("@")[2]
    refused = control.put("/seed", content=text, headers={"Content-Type": "application/yaml"})
    assert refused.status_code == 400, refused.text
    assert shape(control) == before
    assert control.post("/reset").status_code == 204
    assert shape(control) == before


def test_a_seed_that_is_over_when_it_is_gone_back_to(control: httpx.Client) -> None:
    end = datetime.now(UTC) + timedelta(seconds=3)
    text = PEOPLE + f'    events: [{{starts: PT1S, ends: "{end.isoformat()}"}}]\n'
    assert control.put("/seed", content=text, headers={"Content-Type": "application/yaml"}).status_code == 200
    held = shape(control)
    while (answer := control.post("/reset")).status_code == 204:
        assert datetime.now(UTC) < end + timedelta(seconds=60)
    assert (answer.status_code, "ends after" in answer.json()["error"]["message"]) == (400, True)
    assert shape(control) == held


def test_instants_that_mean_never_go_through_an_export(server: Server, control: httpx.Client) -> None:
    with server.client() as client:
        message = {
            "statusMessage": {
                "message": {"content": "x", "contentType": "text"},
                "expiryDateTime": {"dateTime": "9999-12-31T00:00:00", "timeZone": "UTC"},
            }
        }
        assert client.post(f"/users/{ANN}/presence/setStatusMessage", json=message).is_success
        body = {"availability": "Away", "activity": "Away", "expirationDuration": "P3650000D"}
        assert client.post(f"/users/{ANN}/presence/setUserPreferredPresence", json=body).is_success
        assert control.put("/seed", content=control.get("/seed").content).status_code == 200
        assert state(client, ANN) == "Away/Away"
        assert client.get(f"/users/{ANN}/presence").json()["statusMessage"]["message"]["content"] == "x"


def test_an_export_is_its_owners_only_also_over_a_file(server: Server, tmp_path: Path) -> None:
    file = tmp_path / "old.toml"
    file.write_text("old")
    file.chmod(0o644)
    server.command("export", str(file))
    assert file.stat().st_mode & 0o777 == 0o600
    assert "secretHashes" in file.read_text()
    assert not list(tmp_path.glob(".old*"))


@pytest.mark.parametrize("tag", ["!!bool maybe", "!!int ''", "!!int '_'", "!!float ''", "!!timestamp foo"])
def test_tags_of_yaml_that_do_not_fit(control: httpx.Client, tag: str) -> None:
    refused = control.put("/seed", content=f"tenants: {tag}\n", headers={"Content-Type": "application/yaml"})
    assert refused.status_code == 400, refused.text


def test_a_line_is_right_or_not_told(tmp_path: Path) -> None:
    out_of_order = f"""[[tenants]]
id = "{TENANT}"
[[tenants.people]]
id = "{ANN}"
[[tenants.apps]]
name = "x"
[[tenants.people]]
sessions = [{{ availability = "Bsy" }}]
"""
    person = '{"displayName": "\\ud83d\\ude00 \u2028 \x7f"}'
    emoji = f'{{"tenants": [{{"id": "{TENANT}", "people": [\n{person},\n{{"x": 1}}]}}]}}'
    for name, text, line in (("a.toml", out_of_order, ""), ("a.json", emoji, "line 3: ")):
        (tmp_path / name).write_text(text, "utf-8")
        said = command("seed", "--check", str(tmp_path / name), check=False).stderr
        assert f"{name}: {line}" in said
        assert bool(re.search(r": line \d", said)) == bool(line), said


def test_what_is_under_way_at_a_reset_changes_nothing_afterwards(
    server: Server, control: httpx.Client, receiver: Receiver
) -> None:
    async def slow(request: Any) -> Any:
        from aiohttp import web

        control_post = asyncio.to_thread(control.post, "/reset")
        assert (await control_post).status_code == 204
        return web.Response(text=request.query["validationToken"])

    receiver.handshake_behaviour = slow
    subscription = {
        "changeType": "updated",
        "notificationUrl": receiver.url,
        "resource": f"communications/presences/{ANN}",
        "expirationDateTime": (datetime.now(UTC) + timedelta(minutes=50)).isoformat(),
    }
    with server.client() as client, server.client("--user", ANN) as subscriber:
        made = subscriber.post("/subscriptions", json=subscription)
        assert made.status_code == 503, made.text
        assert subscriber.get("/subscriptions").json()["value"] == []
        fault = {"effect": {"latency": "PT3S"}, "match": {"operation": "clearPresence"}}
        assert control.post("/faults", json=fault).status_code == 200
        answers: list[httpx.Response] = []
        clear = {"sessionId": "call"}
        late = threading.Thread(
            target=lambda: answers.append(client.post(f"/users/{ANN}/presence/clearPresence", json=clear))
        )
        late.start()
        while not control.get("/faults").json()["faults"][0]["struck"]:
            pass
        assert control.post("/reset").status_code == 204
        late.join()
        assert answers[0].status_code == 503
        assert state(client, ANN) == "Busy/InACall"
        log = control.get("/log/requests").json()["requests"]
        assert [one["operation"] for one in log] == ["getPresence"]


def test_behind_a_proxy_nobody_is_on_this_machine(tmp_path: Path) -> None:
    options = ("--sample", "--control", "--admin-token", "sesame", "--public-url", "https://presence.example.com")
    with running(tmp_path / "data", *options) as server:
        assert "documented credentials were replaced" in server.output
        url = f"{server.http}/presenced/clock"
        assert httpx.get(url).status_code == 403
        assert httpx.get(url, headers={"Authorization": "Bearer sesame"}).status_code == 200
        assert server.command("clock")


def test_seeds_resets_and_changes_at_the_same_time(server: Server, control: httpx.Client) -> None:
    before = shape(control)
    seed = control.get("/seed").content

    async def all_at_once() -> list[int]:
        async with httpx.AsyncClient(base_url=str(control.base_url), timeout=60) as client:
            token = {"Authorization": f"Bearer {server.command('token', '--app', APP).strip()}"}
            graph = f"{server.http}/v1.0/users"
            call = {"sessionId": "s", "availability": "Busy", "activity": "InACall"}
            answers = await asyncio.gather(
                *(client.post("/reset") for _ in range(10)),
                *(client.put("/seed", content=seed) for _ in range(5)),
                *(client.post(f"{graph}/{ANN}/presence/setPresence", json=call, headers=token) for _ in range(20)),
                *(client.delete(f"{graph}/{BEN}", headers=token) for _ in range(5)),
                *(client.post(graph, json={"userPrincipalName": "x@x.example"}, headers=token) for _ in range(5)),
            )
        return [answer.status_code for answer in answers]

    assert set(asyncio.run(all_at_once())) <= {200, 201, 204, 400, 404}
    assert control.post("/reset").status_code == 204
    assert shape(control) == before


@pytest.mark.parametrize("place", ["SqliteStore.change", "SqliteStore.put"])
def test_a_reset_that_is_killed_is_made_up_for_by_another(tmp_path: Path, seed: Path, place: str) -> None:
    data = tmp_path / "data"
    with running(data, "--seed", str(seed), "--control") as server:
        with httpx.Client(base_url=f"{server.http}/presenced") as control:
            before = without_hashes(shape(control))
        server.command("apps", "add", "Another", "--permission", "Presence.Read.All")
        server.command("users", "import", _people(tmp_path))
    dying = (sys.executable, DIE_AT, f"presenced.store.sqlite:{place}", "after", "1")
    with (
        running(data, "--seed", str(seed), "--control", prefix=dying) as server,
        pytest.raises(httpx.TransportError),
    ):
        httpx.post(f"{server.http}/presenced/reset", timeout=60)
    with (
        running(data, "--seed", str(seed), "--control") as server,
        httpx.Client(base_url=f"{server.http}/presenced") as control,
    ):
        assert control.post("/reset").status_code == 204
        assert without_hashes(shape(control)) == before


def without_hashes(shown: Any) -> Any:
    """Without what is another each time a server reads a password in plain text."""
    for tenant in shown["tenants"]:
        for person in tenant["people"]:
            person.pop("passwordHash", None)
    return shown


def _people(folder: Path) -> str:
    file = folder / "people.json"
    file.write_text(json.dumps([{"userPrincipalName": f"new{number}@x.example"} for number in range(20)]))
    return str(file)
