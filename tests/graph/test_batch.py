"""$batch: what it may hold, in which order its requests run, and what each of them is answered."""

import base64
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.conftest import JONAS, NADIA, TOMAS, Desk

from presenced.settings import Settings

ALL = ("Presence.Read.All", "Presence.ReadWrite.All", "User.Read.All", "User.ReadWrite.All")
JSON = {"Content-Type": "application/json"}
BULK = "/communications/getPresencesByUserId"
BUSY = {"sessionId": "app", "availability": "Busy", "activity": "InACall"}
AVAILABLE = {"sessionId": "app", "availability": "Available", "activity": "Available"}


def read(name: str, person: str = NADIA, **more: Any) -> dict[str, Any]:
    return {"id": name, "method": "GET", "url": f"/users/{person}/presence", **more}


def write(name: str, body: Any = BUSY, person: str = NADIA, action: str = "setPresence", **more: Any) -> dict[str, Any]:
    url = f"/users/{person}/presence/{action}"
    return {"id": name, "method": "POST", "url": url, "headers": JSON, "body": body, **more}


async def batch(client: httpx.AsyncClient, *requests: Any) -> list[dict[str, Any]]:
    """The parts of the answer, in the order of the requests."""
    answer = await client.post("/$batch", json={"requests": list(requests)})
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith("application/json")
    assert set(answer.json()) == {"responses"}
    responses: list[dict[str, Any]] = answer.json()["responses"]
    assert [response["id"] for response in responses] == [request["id"] for request in requests]
    for response in responses:
        assert response["headers"]["Content-Type"].startswith("application/json")
        if response["status"] >= 400:
            error = response["body"]["error"]
            assert error["innerError"]["request-id"] == answer.headers["request-id"]
    return responses


def statuses(responses: list[dict[str, Any]]) -> list[int]:
    return [response["status"] for response in responses]


async def refused(client: httpx.AsyncClient, body: Any, words: str, status: int = 400) -> None:
    content = {"json": body} if not isinstance(body, bytes) else {"content": body, "headers": JSON}
    answer = await client.post("/$batch", **content)
    assert answer.status_code == status, answer.text
    assert words in answer.json()["error"]["message"]


async def test_reads_writes_and_errors_in_one(desk: Desk) -> None:
    client = desk.client(*ALL)
    many = {"id": "Bulk", "method": "post", "url": BULK, "headers": JSON, "body": {"ids": [NADIA, TOMAS]}}
    nobody = read("none", "00000000-0000-4000-8000-000000000000")
    wrong = {"id": "wrong", "method": "GET", "url": "/groups"}
    method = {"id": "method", "method": "PUT", "url": BULK, "headers": JSON, "body": {}}
    bad = write("bad", {"sessionId": "app", "availability": "Busy", "activity": "Presenting!"})
    answers = await batch(client, many, read("one"), write("set", person=JONAS), nobody, wrong, method, bad)
    assert statuses(answers) == [200, 200, 200, 404, 400, 405, 400]
    assert answers[0]["body"] == (await client.post(BULK, json={"ids": [NADIA, TOMAS]})).json()
    assert answers[1]["body"] == (await client.get(f"/users/{NADIA}/presence")).json()
    assert "body" not in answers[2]
    assert answers[3]["body"]["error"]["code"] == "NotFound"
    assert "segment 'groups'" in answers[4]["body"]["error"]["message"]
    assert answers[5]["headers"]["Allow"] == "OPTIONS, POST"
    assert answers[3]["headers"]["Content-Type"] == "application/json"
    assert answers[1]["headers"] == {
        "Cache-Control": "no-cache",
        "OData-Version": "4.0",
        "Content-Type": "application/json;odata.metadata=minimal;odata.streaming=true;IEEE754Compatible=false;"
        "charset=utf-8",
    }
    after = (await client.get(f"/users/{JONAS}/presence")).json()
    assert after["activity"] == "InACall"


async def test_both_versions_and_every_spelling_of_its_path(desk: Desk) -> None:
    client = desk.client(*ALL)
    for path in ("/v1.0/$batch", "/beta/$batch", "/v1.0/%24batch", "/V1.0/$BATCH", "/v1.0/$batch/"):
        answer = await client.post(f"http://localhost:8080{path}", json={"requests": [read("1")]})
        (response,) = answer.json()["responses"]
        version = path.split("/")[1].lower()
        assert response["body"]["@odata.context"].startswith(f"http://localhost:8080/{version}/$metadata#"), path
    assert (await client.get("/$batch")).status_code == 405


async def test_urls(desk: Desk) -> None:
    client = desk.client(*ALL, user=NADIA)
    urls = [
        "me/presence",
        "/me/presence",
        f"/users('{NADIA}')/presence",
        "/me/presence?$select=availability",
        "me/presence?%24select=availability",
        "http://localhost:8080/v1.0/me/presence",
        "HTTP://LOCALHOST:8080/v1.0/me/presence?$select=id",
        "http://localhost:8080/beta/me/presence",
    ]
    answers = await batch(client, *({"id": url, "method": "GET", "url": url} for url in urls))
    assert statuses(answers) == [200] * len(urls)
    assert set(answers[3]["body"]) == {"@odata.context", "availability"} == set(answers[4]["body"])
    assert answers[7]["body"]["@odata.context"].startswith("http://localhost:8080/beta/")
    missing = await batch(
        client, *({"id": url, "method": "GET", "url": url} for url in ("//x", "/v1.0/me/presence", "x" * 200, "?"))
    )
    assert statuses(missing) == [404, 400, 400, 200]  # nothing at all is the service root, which has its document


@pytest.mark.parametrize(
    "url",
    [
        "https://graph.microsoft.com/v1.0/me/presence",
        "http://localhost:9/v1.0/me",
        "https://localhost:8080/v1.0/me",
        "http://localhost:8080@evil.example/v1.0/me",
        "http://localhost:8080",
        "file:///etc/passwd",
    ],
)
async def test_urls_of_others_are_refused(desk: Desk, url: str) -> None:
    item = {"id": "1", "method": "GET", "url": url}
    await refused(desk.client(*ALL), {"requests": [item]}, "Invalid batch payload format. The url of request 1 must be")


async def test_in_series(desk: Desk) -> None:
    client = desk.client(*ALL)
    answers = await batch(
        client,
        write("a"),
        read("b", dependsOn=["A"]),
        write("c", AVAILABLE, dependsOn=["b"]),
        read("d", dependsOn=["c"]),
    )
    assert [answers[place]["body"]["activity"] for place in (1, 3)] == ["InACall", "InAMeeting"]
    answers = await batch(
        client,
        read("a"),
        write("b", {}, dependsOn=["a"]),
        write("c", BUSY, dependsOn=["b"]),
        read("d", dependsOn=["c"]),
    )
    assert statuses(answers) == [200, 400, 424, 424]
    assert answers[2]["body"]["error"]["code"] == "FailedDependency"
    assert (await client.get(f"/users/{NADIA}/presence")).json()["activity"] == "InAMeeting"


async def test_all_after_the_same(desk: Desk) -> None:
    client = desk.client(*ALL)
    answers = await batch(client, write("1"), *(read(str(count), depends_on=["1"]) for count in range(2, 20)))
    assert {answer["body"]["activity"] for answer in answers[1:]} == {"InACall"}
    answers = await batch(client, write("1", {}), *(read(str(count), dependsOn=["1"]) for count in range(2, 20)))
    assert statuses(answers) == [400] + [424] * 18


@pytest.mark.parametrize(
    ("after", "words"),
    [
        ([None, "1", "1", "3"], "either fully sequential or fully parallel"),
        ([None, "1", None, "3"], "either fully sequential or fully parallel"),
        ([None, None, "2", "2"], "either fully sequential or fully parallel"),
        ([None, None, ["1", "2"]], "either fully sequential or fully parallel"),
        ([None, "3", "1"], "Invalid dependency for request Id 2"),
        (["2", None], "Invalid dependency for request Id 1"),
        (["1"], "Invalid dependency for request Id 1"),
        ([None, "9"], "Invalid dependency for request Id 2"),
    ],
)
async def test_other_patterns_are_refused(desk: Desk, after: list[Any], words: str) -> None:
    requests = [
        write(str(place), dependsOn=None if name is None else name if isinstance(name, list) else [name])
        for place, name in enumerate(after, 1)
    ]
    client = desk.client(*ALL)
    await refused(client, {"requests": requests}, words)
    assert (await client.get(f"/users/{NADIA}/presence")).json()["activity"] == "InAMeeting", "nothing of it was done"


async def test_what_real_clients_send(desk: Desk) -> None:
    """Go's null body and empty dependsOn, Python's depends_on and headers, JavaScript's lack of headers."""
    go = read("8e3b", body=None, dependsOn=[], headers={"Accept": "application/json"})
    python = {
        **read("p", url="http://localhost:8080/v1.0/me/presence"),
        "depends_on": [],
        "headers": {"content-type": "x"},
    }
    odd = read("o", headers={"SdkVersion": "x", "Accept": 1, "Prefer": None})
    assert statuses(await batch(desk.client(*ALL, user=NADIA), go, python, odd, read("js"))) == [200] * 4
    message = {"statusMessage": {"message": {"content": "a" * 10, "contentType": "text"}}}
    beta = write("1", message, action="microsoft.graph.setStatusMessage", headers={"content-TYPE": "application/json"})
    assert statuses(await batch(desk.client(*ALL), beta)) == [200]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "Empty Payload"),
        (b"[]", "Expected `object`"),
        (b"{}", "missing required field `requests`"),
        (b'{"requests":null}', "Expected `array`"),
        (b'{"requests":[1]}', "$.requests[0]"),
        ({"requests": [{"method": "GET", "url": "/me"}]}, "`id`"),
        ({"requests": [{"id": 1, "method": "GET", "url": "/me"}]}, "$.requests[0].id"),
        ({"requests": [{"id": "", "method": "GET", "url": "/me"}]}, "at index 0 must have 1 to 256"),
        ({"requests": [{"id": "x" * 257, "method": "GET", "url": "/me"}]}, "at index 0 must have 1 to 256"),
        ({"requests": [{"id": "1", "url": "/me"}]}, "`method`"),
        ({"requests": [{"id": "1", "method": "GET"}]}, "`url`"),
        ({"requests": [{"id": "1", "method": "GET", "url": None}]}, "$.requests[0].url"),
        ({"requests": [read("1", headers=[])]}, "$.requests[0].headers"),
        ({"requests": [read("1", dependsOn="1")]}, "$.requests[0].dependsOn"),
        ({"requests": [read("a"), read("A")]}, "Request Id A has to be unique"),
        ({"requests": [read(str(count)) for count in range(21)]}, "exceed the limit. At most 20 can be sent; 21 were"),
        ({"requests": [write("7", headers={})]}, "Write request with id '7' does not contain a Content-Type header."),
        ({"requests": [write("7", None)]}, "Write request id : 7 does not contain Content-Type header or body."),
        ({"requests": [write("7", "+?", headers={"Content-Type": "text/plain"})]}, "must be a string in base64url"),
        ({"requests": [write("7", {}, headers={"Content-Type": "text/plain"})]}, "must be a string in base64url"),
        (b'{"requests":[' + b'{"id":"1","method":"GET","url":"/me","body":' + b"[" * 50_000, "JSON"),
    ],
)
async def test_what_is_no_batch(desk: Desk, body: Any, words: str) -> None:
    await refused(desk.client(*ALL), body, words)


async def test_a_batch_needs_a_token_and_a_part_a_permission(desk: Desk) -> None:
    answer = await desk.bare().post("/$batch", json={"requests": []})
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "InvalidAuthenticationToken")
    answers = await batch(
        desk.client("Presence.Read", "Presence.ReadWrite", user=NADIA),
        {"id": "me", "method": "GET", "url": "/me/presence"},
        read("other", TOMAS),
        write("his", person=TOMAS),
        write("mine"),
    )
    assert statuses(answers) == [200, 403, 401, 200]
    assert answers[1]["headers"]["presenced-needs-permission"] == "Presence.Read.All"
    assert answers[2]["headers"]["WWW-Authenticate"].startswith("Bearer ")
    assert await batch(desk.client("User.Read.All")) == []


async def test_no_batch_within_a_batch(desk: Desk) -> None:
    inner = {"requests": [read("1")]}
    (answer,) = await batch(
        desk.client(*ALL), {"id": "1", "method": "POST", "url": "/$batch", "headers": JSON, "body": inner}
    )
    assert (answer["status"], answer["body"]["error"]["message"]) == (400, "A batch cannot be part of a batch.")


async def test_bodies_that_are_no_json(desk: Desk) -> None:
    text = base64.urlsafe_b64encode(b"\xff\xfe hello?").decode()
    for body in (text, text.rstrip("=")):
        (answer,) = await batch(desk.client(*ALL), write("1", body, headers={"Content-Type": "text/plain"}))
        assert (answer["status"], answer["body"]["error"]["code"]) == (415, "UnsupportedMediaType")


async def test_head_in_a_batch_has_no_body(desk: Desk) -> None:
    (answer,) = await batch(desk.client(*ALL), {**read("1"), "method": "HEAD"})
    assert answer["status"] == 200
    assert "body" not in answer


class TestThrottled:
    @pytest.fixture
    def settings(self) -> Settings:
        return Settings(sample=True, throttle_presence=5)

    async def test_each_part_spends_of_the_budget(self, desk: Desk) -> None:
        client = desk.client(*ALL)
        answers = await batch(client, *(read(str(count)) for count in range(7)))
        assert statuses(answers) == [200] * 5 + [429] * 2
        assert answers[5]["headers"]["Retry-After"] == "30"
        assert answers[5]["body"]["error"]["code"] == "TooManyRequests"
        desk.clock.advance(30)
        answers = await batch(
            client, *(read(str(count), dependsOn=[str(count - 1)] if count else []) for count in range(7))
        )
        assert statuses(answers) == [200] * 5 + [429, 424]
        other = desk.client(*ALL, user=NADIA)
        assert (await other.get("/me/presence")).status_code == 200, "an application of its own budget"


NAMES = st.sampled_from(["id", "method", "url", "headers", "body", "dependsOn", "depends_on", "requests"])
LEAVES = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), st.text(max_size=8),
    st.sampled_from(["GET", "POST", "1", "/me/presence", BULK, "/users/x/presence?$select=", "http://localhost:8080/v1.0/me"]),
)  # fmt: skip
ANYTHING = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=6), max_leaves=20
)


class TestAnything:
    async def test_anything(self, desk: Desk) -> None:
        """Whatever is sent, the batch or its parts are refused or done; nothing fails."""
        client = desk.client(*ALL)
        seen: list[Any] = []

        @given(st.lists(st.dictionaries(NAMES, ANYTHING, max_size=7), max_size=4))
        def collect(requests: list[Any]) -> None:
            seen.append(requests)

        collect()
        assert len(seen) >= 50
        for requests in seen:
            answer = await client.post("/$batch", json={"requests": requests})
            assert answer.status_code in (200, 400), answer.text
            if answer.status_code == 200:
                assert all(part["status"] != 500 for part in answer.json()["responses"]), answer.text
