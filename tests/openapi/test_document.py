"""The OpenAPI document: it is whole, its examples fit it, and what contract runs cannot provoke is as it says."""

import json
import re
from typing import Any

import jsonschema_rs
import pytest
from tests.conftest import NADIA, Desk
from tests.running import Server, command

from presenced.graph.operations import OPERATIONS
from presenced.openapi.document import document
from presenced.openapi.operations import ABOUT
from presenced.settings import Settings

BASE = "http://localhost:8080"
DOCUMENT = document(BASE)
ALL = [
    (f"{method.upper()} {path}", described)
    for path, methods in DOCUMENT["paths"].items()
    for method, described in methods.items()
]


def fits(schema: Any, value: Any) -> None:
    whole = {**schema, "components": DOCUMENT["components"], "$schema": "https://json-schema.org/draft/2020-12/schema"}
    jsonschema_rs.validator_for(whole, validate_formats=True).validate(value)


def test_every_operation_is_in_it_and_no_other() -> None:
    assert ABOUT.keys() == {operation.name for operation in OPERATIONS}
    assert len(ALL) == sum(len(operation.templates) for operation in OPERATIONS)
    names = [described["operationId"] for _, described in ALL]
    assert len(set(names)) == len(names)
    assert {operation.name for operation in OPERATIONS} <= set(names)


def test_what_it_refers_to_is_there() -> None:
    text = json.dumps(DOCUMENT)
    for reference in set(re.findall(r'"\$ref": "#/([^"]+)"', text)):
        found: Any = DOCUMENT
        for step in reference.split("/"):
            found = found[step]
    names = {described["operationId"] for _, described in ALL}
    for target in re.findall(r'"operationId": "([^"]+)", "parameters": \{"id"', text):
        assert target in names
    tags = {tag["name"] for tag in DOCUMENT["tags"]}
    assert {tag for _, described in ALL for tag in described["tags"]} == tags


@pytest.mark.parametrize(("name", "described"), ALL, ids=lambda value: value if isinstance(value, str) else "")
def test_its_examples_fit_it(name: str, described: dict[str, Any]) -> None:
    bodies = [described["requestBody"]] if "requestBody" in described else []
    examples = 0
    for part in (*bodies, *described["responses"].values()):
        for media in part.get("content", {}).values():
            for example in media.get("examples", {}).values():
                fits(media["schema"], example["value"])
                examples += 1
    if name.startswith("GET") and "metadata" not in name:
        assert examples


def test_it_says_who_may() -> None:
    def kinds(name: str) -> set[str]:
        return {kind for entry in dict(ALL)[name]["security"] for kind in entry}

    assert kinds("POST /communications/getPresencesByUserId") == {"application", "person", "token"}
    assert kinds("POST /me/presence/setPresence") == {"person", "token"}
    assert kinds("POST /users/{id}/presence/setManualLocation") == {"person", "token"}
    assert kinds("GET /$metadata") == set()
    read = dict(ALL)["GET /me/presence"]
    assert [entry["person"] for entry in read["security"] if "person" in entry] == [
        ["Presence.Read"],
        ["Presence.Read.All"],
    ]
    assert "application: not supported" in read["description"]
    assert "Any token will do." in dict(ALL)["POST /$batch"]["description"]


def test_the_server_and_the_command_say_the_same(server: Server) -> None:
    with server.client() as client:
        answer = client.get(f"{server.http}/openapi.json", headers={"Origin": "http://elsewhere.example"})
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["access-control-allow-origin"] == "*"
    printed = json.loads(command("openapi", "--port", server.http.rpartition(":")[2]).stdout)
    assert answer.json() == printed
    assert printed["servers"][0]["url"] == f"{server.http}/v1.0"
    public = json.loads(command("openapi", "--public-url", "https://presence.example.com").stdout)
    assert public["servers"][0]["url"] == "https://presence.example.com/v1.0"


def test_it_names_the_address_that_was_asked(server: Server) -> None:
    with server.client() as client:
        answer = client.get(f"{server.http}/openapi.json", headers={"Host": "elsewhere.example:99"})
    assert answer.json()["servers"][0]["url"] == "http://elsewhere.example:99/v1.0"


class TestRefusals:
    """Statuses that a contract run does not meet, each with the body and headers that the document gives it."""

    @pytest.fixture
    def settings(self) -> Settings:
        return Settings(sample=True, throttle_presence=1, most_body=1024)

    @pytest.mark.parametrize(
        ("status", "name", "send"),
        [
            (413, "POST /communications/getPresencesByUserId", {"json": {"ids": [NADIA] * 100}}),
            (415, "POST /communications/getPresencesByUserId", {"content": b"ids", "headers": {"Content-Type": "a/b"}}),
            (415, "DELETE /users/{id}", {"content": b"x", "headers": {"Content-Encoding": "br"}}),
            (413, "DELETE /users/{id}", {"content": b"x" * 2000}),
            (429, "GET /users/{id}/presence", {}),
            (429, "PATCH /users/{id}/mailboxSettings", {"json": {}}),
            (403, "GET /users/{id}", {}),
            (401, "GET /users/{id}", {"headers": {"Authorization": "Bearer x"}}),
            (404, "GET /users/{id}/presence", {"params": None}),
        ],
    )  # fmt: skip
    async def test_refusals_are_as_it_says(self, desk: Desk, status: int, name: str, send: dict[str, Any]) -> None:
        client = desk.client("Presence.Read.All", user=NADIA)
        method, _, path = name.partition(" ")
        if status == 429:
            await client.get(f"/users/{NADIA}/presence")
        key = "é" * 1000 if status == 404 else "5ca1ab1e-0000-4000-8000-000000000101"
        answer = await client.request(method, path.replace("{id}", key), **send)
        assert answer.status_code == status, answer.text
        described = dict(ALL)[name]["responses"][str(status)]
        fits(described["content"]["application/json"]["schema"], answer.json())
        for header, about in described["headers"].items():
            if about.get("required", "$ref" in about):
                assert header in answer.headers
