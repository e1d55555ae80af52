"""The log: what was asked and sent is in it as it was, without a secret, within bounds, each tenant's apart."""

import base64
import gzip
import hashlib
import json
import secrets
import subprocess
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from selectolax.lexbor import LexborHTMLParser
from tests.conftest import JONAS, NADIA
from tests.emulator.controlled import TENANT, Controlled, controlled
from tests.flows.test_notifications_kill import receiver as receiver
from tests.notify.subscriber import b64, certify, der, rsa_key
from tests.receiver import Receiver
from tests.running import PRESENCED, clean_environment, command, running

from presenced.emulator import sample
from presenced.emulator.log_entries import RequestEntry
from presenced.emulator.rings import MOST_BYTES, MOST_ENTRIES, MOST_TENANTS, Rings

VERIFIER = b"a-verifier-that-is-long-enough-to-be-one-43-letters"
OTHER = "99999999-0000-4000-8000-000000000000"


@pytest.fixture(scope="module")
def module(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Controlled]:
    with controlled(tmp_path_factory.mktemp("log") / "data") as made:
        yield made


@pytest.fixture
def desk(module: Controlled) -> Controlled:
    module.begin()
    return module


def everything(desk: Controlled) -> str:
    """All that any log tells."""
    return "".join(desk.control.get(f"/log/{of}", params={"limit": 1000}).text for of in ("requests", "deliveries"))


def test_a_request_and_its_answer(desk: Controlled) -> None:
    answer = desk.nadia.get(f"/users/{JONAS}/presence?$select=activity", headers={"X-Mine": "1"})
    (entry,) = desk.log()
    assert abs(datetime.fromisoformat(entry["at"]).timestamp() - time.time()) < 60
    assert 0 < entry.pop("duration") < 60
    assert entry["responseHeaders"].items() <= dict(answer.headers).items()
    assert "content-type" in entry["responseHeaders"]
    assert entry["problem"] is None
    assert entry["requestHeaders"]["x-mine"] == "1"
    assert entry["requestHeaders"]["authorization"] == "Bearer ***"
    shown = {
        name: entry[name] for name in ("method", "path", "operation", "status", "tenant", "user", "part", "faults")
    }
    assert shown == {
        "method": "GET", "path": f"/v1.0/users/{JONAS}/presence?$select=activity", "operation": "getPresence",
        "status": 200, "tenant": TENANT, "user": NADIA, "part": False, "faults": [],
    }  # fmt: skip
    assert json.loads(entry["responseBody"]) == answer.json()
    assert (entry["requestId"], entry["responseSize"]) == (answer.headers["request-id"], len(answer.content))


def test_bodies_and_refusals(desk: Controlled) -> None:
    desk.read(NADIA)
    desk.graph.post(
        "/communications/getPresencesByUserId", content=b"{nonsense", headers={"Content-Type": "application/json"}
    )
    desk.graph.patch("/me")
    desk.graph.get("/nowhere")
    httpx.get(f"{desk.server.http}/v1.0/me", headers={"Authorization": "Bearer made-up"})
    httpx.get(f"{desk.server.http}/nothing/here")
    entries = desk.log()
    assert [entry["status"] for entry in entries] == [200, 400, 405, 400, 401, 404]
    assert json.loads(entries[0]["requestBody"]) == {"ids": [NADIA]}
    assert entries[1]["requestBody"] == "{nonsense"
    assert [entry["operation"] for entry in entries] == [
        "getPresencesByUserId", "getPresencesByUserId", None, None, "getMe", None,
    ]  # fmt: skip
    assert [entry["tenant"] for entry in entries] == [TENANT] * 4 + [None] * 2
    assert [json.loads(entry["responseBody"])["error"]["code"] for entry in entries[1:]] == [
        "BadRequest", "Request_BadRequest", "BadRequest", "InvalidAuthenticationToken", "NotFound",
    ]  # fmt: skip


def test_a_limit_that_is_reached_is_in_it(tmp_path: Path) -> None:
    with controlled(tmp_path / "data", "--throttle-presence", "1") as desk:
        assert [desk.read().status_code for _ in range(2)] == [200, 429]
        assert [(one["status"], one["operation"], one["tenant"]) for one in desk.log()] == [
            (200, "getPresencesByUserId", TENANT),
            (429, "getPresencesByUserId", TENANT),
        ]


def test_what_is_not_in_it(desk: Controlled) -> None:
    for path in ("/", "/board/session", "/presenced/clock", "/docs", "/openapi.json"):
        httpx.get(f"{desk.server.http}{path}")
    assert desk.log() == []


def test_a_big_body_is_cut_and_its_size_told(desk: Controlled) -> None:
    people = [f"{number:08x}-0000-4000-8000-000000000000" for number in range(650)]
    answer = desk.graph.post(
        "/communications/getPresencesByUserId", json={"ids": people}, headers={"Accept-Encoding": "gzip"}
    )
    body = json.dumps({"ids": [*people, "x" * 200_000]}).encode()
    desk.graph.post("/communications/getPresencesByUserId", content=body, headers={"Content-Type": "application/json"})
    huge = b'{"clientState":"' + b"s" * 3_000_000 + b'"}'
    desk.graph.post("/subscriptions", content=huge, headers={"Content-Type": "application/json"})
    first, second, third = desk.log()
    assert json.loads(first["requestBody"])["ids"] == people  # so that who is asked for can be matched
    assert answer.text.startswith(first["responseBody"][:30_000])
    assert answer.headers["content-encoding"] == "gzip"
    assert first["responseSize"] == int(answer.headers["content-length"])
    assert len(second["requestBody"]) < 34_000
    assert second["requestBody"].endswith(f"… ({len(body)} bytes in all)")
    assert third["requestBody"].startswith("(not kept")


def test_a_compressed_body_is_read(desk: Controlled) -> None:
    headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    content = gzip.compress(json.dumps({"clientState": "do not tell"}).encode())
    desk.graph.post("/subscriptions", content=content, headers=headers)
    desk.graph.post("/subscriptions", content=b"no gzip", headers=headers)
    desk.graph.post("/subscriptions", content=b"x", headers=headers | {"Content-Encoding": "br"})
    first, second, third = desk.log()
    assert json.loads(first["requestBody"]) == {"clientState": "***"}
    assert "cannot be read" in second["requestBody"]
    assert "cannot be read" in third["requestBody"]


def test_by_number_limit_and_tenant(desk: Controlled) -> None:
    for _ in range(5):
        desk.read()
    httpx.get(f"{desk.server.http}/v1.0/me")
    numbers = [entry["number"] for entry in desk.log()]
    assert numbers == list(range(numbers[0], numbers[0] + 6))
    assert [entry["number"] for entry in desk.log(limit=2)] == numbers[-2:]
    assert [entry["number"] for entry in desk.log(after=numbers[1], limit=2)] == numbers[2:4]
    assert [entry["number"] for entry in desk.log(tenant=TENANT)] == numbers[:5]
    assert desk.control.get("/log/requests", params={"tenant": TENANT}).json()["latest"] == numbers[4]
    assert desk.control.get("/log/requests", params={"tenant": OTHER}).json() == {"requests": [], "latest": 0}
    assert desk.control.delete("/log/requests").json() == {"removed": 6}
    desk.read()
    assert [entry["number"] for entry in desk.log()] == [numbers[-1] + 1]  # numbers grow, so that ``after`` holds


@pytest.mark.parametrize(
    "query",
    ["limit=0", "limit=1001", "limit=x", "limit=-1", "limit=%C2%B2", "limit=" + "9" * 5000, "after=-1", "after=1.5",
     "after=" + "9" * 19, "after=", "tenant=nobody.example", "tenant=", "tenants=x", "after=1&since=2", "%00=1"],
)  # fmt: skip
@pytest.mark.parametrize("of", ["requests", "deliveries"])
def test_what_cannot_be_asked(desk: Controlled, of: str, query: str) -> None:
    answer = desk.control.get(f"/log/{of}?{query}")
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "InvalidArgument")


def sign_in(desk: Controlled, base: str) -> str:
    """Sign Amara in with a browser; the code that the app gets."""
    with httpx.Client(base_url=base) as browser:
        query = {
            "client_id": sample.SIGN_IN_APP, "response_type": "code", "redirect_uri": "http://localhost",
            "scope": "openid offline_access User.Read", "state": "state-secret", "nonce": "nonce-secret",
            "code_challenge": base64.urlsafe_b64encode(hashlib.sha256(VERIFIER).digest()).decode().rstrip("="),
            "code_challenge_method": "S256",
        }  # fmt: skip
        page = browser.get(f"/{TENANT}/oauth2/v2.0/authorize", params=query)
        assert page.status_code == 200, (page.status_code, page.text)
        form = next(one for one in LexborHTMLParser(page.text).css("form") if one.css_first("[name=username]"))
        fields = {one.attributes["name"] or "": one.attributes.get("value") or "" for one in form.css("input")}
        fields |= {"username": "amara@sample.example", "password": sample.PASSWORD}
        fields.pop("person", None)
        sent = browser.post(str(form.attributes["action"]), data=fields, headers={"Sec-Fetch-Site": "same-origin"})
        location = sent.headers.get("location", "")
        assert sent.status_code in (302, 303), sent.text
        (code,) = parse_qs(urlsplit(location).query)["code"]
        return str(code)


def test_no_secret_of_sign_in_is_kept(desk: Controlled) -> None:
    base = desk.server.http
    found: list[str] = [sample.SECRET, sample.PASSWORD, "state-secret", "nonce-secret", "inner-secret"]
    inner = {"client_id": sample.SIGN_IN_APP, "redirect_uri": "http://me:inner-secret@localhost/?code=inner-secret"}
    tokens = f"{base}/{TENANT}/oauth2/v2.0/token"
    service = {"client_id": sample.SERVICE_APP, "client_secret": sample.SECRET}
    answer = httpx.post(
        tokens, data={"grant_type": "client_credentials", "scope": "https://graph.microsoft.com/.default"} | service
    )
    found.append(answer.json()["access_token"])
    password = {
        "grant_type": "password", "client_id": sample.SIGN_IN_APP, "client_secret": sample.SECRET,
        "username": "amara@sample.example", "password": sample.PASSWORD, "scope": "openid offline_access User.Read",
    }  # fmt: skip
    answer = httpx.post(tokens, data=password)
    assert answer.status_code == 200, answer.text
    found += [answer.json()[name] for name in ("access_token", "refresh_token", "id_token")]
    refresh = {
        "grant_type": "refresh_token",
        "refresh_token": answer.json()["refresh_token"],
        "client_id": sample.SIGN_IN_APP,
        "client_secret": sample.SECRET,
    }
    answer = httpx.post(tokens, data=refresh)
    found += [answer.json()[name] for name in ("access_token", "refresh_token")]
    httpx.post(tokens, data={"grant_type": "client_credentials"}, auth=(sample.SERVICE_APP, sample.SECRET))
    device = httpx.post(
        f"{base}/{TENANT}/oauth2/v2.0/devicecode", data={"client_id": sample.SIGN_IN_APP, "scope": "User.Read"}
    ).json()
    found += [device["device_code"], device["user_code"]]
    httpx.post(
        tokens,
        data={
            "grant_type": "urn:ietf:params:oauth:grant-type:device_code",
            "device_code": device["device_code"],
            "client_id": sample.SIGN_IN_APP,
        },
    )
    misspelt = secrets.token_hex(16)
    httpx.post(tokens, data={"client_secrt": misspelt, "client_id": sample.SERVICE_APP})
    httpx.post(tokens, json={"client_secret": misspelt})
    httpx.get(tokens, params={"client_secret": misspelt})
    found.append(misspelt)
    code = sign_in(desk, base)
    redeemed = {
        "grant_type": "authorization_code", "code": code, "redirect_uri": "http://localhost",
        "client_id": sample.SIGN_IN_APP, "code_verifier": VERIFIER.decode(),
    }  # fmt: skip
    found += [code, VERIFIER.decode(), httpx.post(tokens, data=redeemed).json()["access_token"]]
    httpx.get(f"{base}/{TENANT}/oauth2/v2.0/authorize", params=inner)
    said = everything(desk)
    for secret in found:
        assert secret not in said, secret
    entries = desk.log(limit=1000)
    assert [entry["operation"] for entry in entries if entry["operation"] in ("devicecode", "authorize", "login")] == [
        "devicecode", "authorize", "login", "authorize",
    ]  # fmt: skip
    first = entries[0]
    assert (first["operation"], first["tenant"], first["app"], first["status"]) == (
        "token", TENANT, sample.SERVICE_APP, 200,
    )  # fmt: skip
    assert parse_qs(first["requestBody"])["client_secret"] == ["***"]
    assert parse_qs(first["requestBody"])["grant_type"] == ["client_credentials"]
    assert json.loads(first["responseBody"])["token_type"] == "Bearer"
    assert json.loads(first["responseBody"])["access_token"] == "***"


def test_no_secret_of_graph_is_kept(desk: Controlled, receiver: Receiver) -> None:
    known = {
        name: secrets.token_hex(12) for name in ("state", "password", "function", "cookie", "header", "part", "user")
    }
    url = f"{receiver.url}?code={known['function']}&plain=1"
    rich: dict[str, Any] = {
        "includeResourceData": True,
        "encryptionCertificate": b64(der(certify(rsa_key()))),
        "encryptionCertificateId": "1",
    }
    made = desk.subscribe(url, clientState=known["state"], lifecycleNotificationUrl=url, **rich)
    assert made.status_code == 201, made.text
    desk.nadia.get(f"/subscriptions/{made.json()['id']}")
    person = {
        "accountEnabled": True, "displayName": "X", "mailNickname": "x", "userPrincipalName": "x@sample.example",
        "passwordProfile": {"password": known["password"], "forceChangePasswordNextSignIn": False},
    }  # fmt: skip
    desk.graph.post("/users", json=person)
    part = {
        "id": "1", "method": "POST", "url": "/subscriptions", "body": {"clientState": known["part"]},
        "headers": {"Content-Type": "application/json", "Authorization": f"Bearer {known['part']}"},
    }  # fmt: skip
    desk.graph.post("/$batch", json={"requests": [part]})
    headers = {"Cookie": f"a={known['cookie']}", "X-Api-Key": known["header"], "Proxy-Authorization": known["header"]}
    desk.graph.get(f"/me?access_token={known['user']}", headers=headers)
    escaped = b'{"\\u0063lientState":"' + known["state"].encode() + b'"}'
    desk.nadia.post("/subscriptions", content=escaped, headers={"Content-Type": "application/json"})
    broken = b'{"clientState":"' + known["state"].encode()
    desk.nadia.post("/subscriptions", content=broken, headers={"Content-Type": "application/json"})
    desk.set_state()
    (entry,) = desk.wait("deliveries")
    said = everything(desk)
    for name, secret in known.items():
        assert secret not in said, name
    assert str(desk.graph.headers["authorization"]).split()[1] not in said
    body = json.loads(entry["requestBody"])
    assert (body["value"][0]["clientState"], body["validationTokens"]) == ("***", "***")
    assert receiver.posts[0]["validationTokens"][0] not in said
    assert "plain=1" in entry["url"]
    asked = desk.log()[0]
    assert json.loads(asked["requestBody"])["clientState"] == "***"
    assert "plain=1" in json.loads(asked["responseBody"])["notificationUrl"]


def test_deliveries(desk: Controlled, receiver: Receiver) -> None:
    made = desk.subscribe(receiver.url).json()
    desk.set_state("InACall")
    desk.wait("deliveries")
    handshake, told = desk.log("deliveries")
    assert (handshake["kind"], handshake["status"], handshake["notifications"]) == ("handshake", 200, [])
    assert handshake["tenant"] == TENANT
    assert "validationToken=Validation%3A" in handshake["url"]
    assert handshake["responseBody"].startswith("Validation: ")
    assert (told["kind"], told["status"], told["url"], told["tenant"]) == ("notification", 202, receiver.url, TENANT)
    assert told["notifications"] == [
        {"subscription": made["id"], "app": made["applicationId"], "person": JONAS, "event": None}
    ]
    sent = json.loads(told["requestBody"])
    assert sent["value"][0] == receiver.items[0] | {"clientState": "***"}
    assert desk.log("deliveries", tenant=OTHER) == []
    assert desk.control.delete("/log/deliveries").json() == {"removed": 2}


def test_a_receiver_that_is_not_there(desk: Controlled) -> None:
    assert desk.subscribe("http://127.0.0.1:9/nobody").status_code == 400
    (entry,) = desk.log("deliveries")
    assert (entry["status"], entry["kind"], bool(entry["problem"])) == (None, "handshake", True)


def entry(rings: Rings[RequestEntry], tenant: str | None) -> RequestEntry:
    return RequestEntry(
        number=rings.next_number(), at="", method="GET", path="/", operation=None, status=200, duration=0.0,
        tenant=tenant, app=None, user=None,
    )  # fmt: skip


def test_a_busy_tenant_pushes_out_nothing_of_anothers() -> None:
    rings: Rings[RequestEntry] = Rings()
    rings.add(entry(rings, "quiet"), 10)
    for _ in range(MOST_ENTRIES + 5):
        rings.add(entry(rings, "busy"), 10)
    assert len(rings.since(tenant="busy")) == MOST_ENTRIES
    assert len(rings.since(tenant="quiet")) == 1
    numbers = [one.number for one in rings.since()]
    assert numbers == sorted(numbers)
    for _ in range(100):
        rings.add(entry(rings, "large"), MOST_BYTES // 10)
    assert len(rings.since(tenant="large")) == 10
    for number in range(MOST_TENANTS):
        rings.add(entry(rings, str(number)), 10)
    assert len({one.tenant for one in rings.since()}) == MOST_TENANTS


def test_as_a_command(desk: Controlled, receiver: Receiver) -> None:
    desk.add({"status": 503}, nth=2)
    desk.read()
    desk.read()
    desk.subscribe(receiver.url)
    first, second, third = desk.server.command("log").splitlines()
    assert "POST /v1.0/communications/getPresencesByUserId" in first
    assert first.split()[2] == "200"
    assert "(fault" in second
    assert "/subscriptions" in third
    assert "> {" in desk.server.command("log", "--bodies", "--limit", "1")
    (line,) = desk.server.command("log", "--json", "--limit", "1").splitlines()
    assert json.loads(line) == desk.log(limit=1)[0]
    assert "handshake" in desk.server.command("log", "--deliveries")
    assert desk.server.command("log", "--tenant", OTHER) == ""
    refused = command("log", "--tenant", "nobody.example", "--data", str(desk.server.data), check=False)
    assert (refused.returncode, "no such tenant" in refused.stderr) == (1, True)


def test_followed(desk: Controlled) -> None:
    arguments = [PRESENCED, "log", "--follow", "--data", str(desk.server.data)]
    desk.read()
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True, env=clean_environment()) as following:
        try:
            assert following.stdout is not None
            assert "getPresencesByUserId" in following.stdout.readline()
            desk.graph.get(f"/users/{NADIA}/presence")
            assert "/presence" in following.stdout.readline()
        finally:
            following.terminate()  # else a failure would wait for it for ever


def test_nothing_of_it_without_control(tmp_path: Path) -> None:
    with running(tmp_path / "plain", "--sample") as server:
        for path in ("log/requests", "faults", "wait"):
            assert httpx.get(f"{server.http}/presenced/{path}").status_code == 404
        for name in ("log", "faults"):
            refused = command(name, "--data", str(server.data), check=False)
            assert (refused.returncode, "presenced serve --control" in refused.stderr) == (1, True)
        with server.client() as client:
            answer: Any = client.get("/me", headers={"presenced-fault": "1"})
            assert "presenced-fault" not in answer.headers
