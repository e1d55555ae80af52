"""The pages in docs/clients show the code that tests/clients runs, and Postman's collection works."""

import json
import re
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.running import Server, running

ROOT = Path(__file__).parents[2]
CLIENTS = ROOT / "docs" / "clients"
PAGES = sorted(CLIENTS.glob("*.md"))
_LANGUAGES = ("python", "javascript", "go", "java", "csharp", "php")
_BLOCK = re.compile(r"(?:^<!-- from (\S+) -->\n)?^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def shown() -> list[tuple[str, str, str]]:
    """Every block of code in a language of tests/clients: its page, where it says it is from, and itself."""
    return [
        (page.name, source, code)
        for page in PAGES
        for source, language, code in _BLOCK.findall(page.read_text("utf-8"))
        if language in _LANGUAGES
    ]


def code_of(source: str) -> str:
    """The text of path, or of path#name: what is between the lines with "region name" and "endregion"."""
    path, _, region = source.partition("#")
    text = (ROOT / path).read_text("utf-8")
    if not region:
        return text
    begin, end = rf"^[^\n]*\bregion {re.escape(region)}\n", r"^[^\n]*\bendregion\b"
    found = re.search(rf"{begin}(.+?){end}", text, re.MULTILINE | re.DOTALL)
    assert found, f"{path} has no region {region}, or nothing in it"
    return found[1]


def test_there_is_code() -> None:
    assert {page for page, _, _ in shown()} >= {"python.md", "javascript.md"}


@pytest.mark.parametrize(("page", "source", "code"), shown())
def test_the_code_shown_is_the_code_tested(page: str, source: str, code: str) -> None:
    assert source.startswith("tests/clients/"), f"{page}: say before the block which file it is: <!-- from PATH -->"
    assert code == code_of(source), f"{page} differs from {source}"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One of its own, since the requests change people."""
    with running(tmp_path_factory.mktemp("postman") / "data", "--sample", "--tls") as server:
        yield server


def filled(value: Any, variables: dict[str, str]) -> Any:
    """The value with its {{variables}}. Raises KeyError for one that the environment does not have."""
    if isinstance(value, str):
        return re.sub(r"\{\{(\w+)\}\}", lambda found: variables[found[1]], value)
    if isinstance(value, list):
        return [filled(one, variables) for one in value]
    return {name: filled(one, variables) for name, one in value.items()} if isinstance(value, dict) else value


def sent(client: httpx.Client, request: dict[str, Any], bearer: str) -> httpx.Response:
    """A request of a collection, sent as Postman sends it."""
    headers = {header["key"]: header["value"] for header in request["header"]}
    if request.get("auth", {}).get("type") != "noauth":
        headers["Authorization"] = f"Bearer {bearer}"
    body = request.get("body", {})
    form = {field["key"]: field["value"] for field in body["urlencoded"]} if body.get("mode") == "urlencoded" else None
    return client.request(request["method"], request["url"]["raw"], headers=headers, data=form, content=body.get("raw"))


def test_postman(server: Server) -> None:
    collection = json.loads((CLIENTS / "presenced.postman_collection.json").read_text("utf-8"))
    kept = json.loads((CLIENTS / "presenced.postman_environment.json").read_text("utf-8"))
    variables = {value["key"]: value["value"] for value in kept["values"]}
    # the page's environment is the demo's but for the ports, which are free ones here
    variables |= {"baseUrl": f"{server.https}/v1.0", "authority": server.https}
    answers = {}
    trusted = ssl.create_default_context(cafile=server.environment()["PRESENCED_CA_FILE"])
    with httpx.Client(verify=trusted, timeout=60) as client:
        for item in collection["item"]:
            url = item["request"]["url"]
            assert url["raw"] == "/".join([*url["host"], *url["path"]])
            answer = sent(client, filled(item["request"], variables), variables["token"])
            assert answer.status_code == 200, (item["name"], answer.text)
            answers[item["name"]] = answer
            for event in item.get("event", ()):
                assert event["script"]["exec"] == ['pm.environment.set("token", pm.response.json().access_token);']
                variables["token"] = answer.json()["access_token"]
    assert [one["activity"] for one in answers["getPresencesByUserId"].json()["value"]] == ["InAMeeting", "Away"]
    assert [part["status"] for part in answers["$batch"].json()["responses"]] == [200, 200]
