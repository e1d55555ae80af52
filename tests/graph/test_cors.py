"""CORS, OPTIONS, HEAD, and the headers and methods that Graph passes over."""

import pytest
from tests.conftest import NADIA, Desk

ALL = ("Presence.Read.All", "Presence.ReadWrite.All")
PAGE = {"Origin": "https://app.example"}
BULK = "/communications/getPresencesByUserId"


async def test_a_page_asks_first_and_then_calls(desk: Desk) -> None:
    asks = {
        **PAGE,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization,content-type,sdkversion,client-request-id",
    }
    for path in (BULK, "/me/presence", "/$batch", "/nowhere"):
        answer = await desk.bare(asks).options(path)
        assert (answer.status_code, answer.content) == (200, b"")
        assert answer.headers["access-control-allow-origin"] == "*"
        assert "POST" in answer.headers["access-control-allow-methods"]
        assert answer.headers["access-control-allow-headers"] == asks["Access-Control-Request-Headers"]
        assert int(answer.headers["access-control-max-age"]) > 0
        assert answer.headers["request-id"]
        assert "access-control-allow-credentials" not in answer.headers
    answer = await desk.client(*ALL).post(BULK, json={"ids": [NADIA]}, headers=PAGE)
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == "*"
    exposed = answer.headers["access-control-expose-headers"].split(", ")
    assert {"request-id", "client-request-id", "Retry-After", "WWW-Authenticate"} <= set(exposed)


async def test_a_page_can_read_errors(desk: Desk) -> None:
    for answer in (
        await desk.bare(PAGE).get("/me/presence"),
        await desk.client(*ALL).get("/nowhere", headers=PAGE),
        await desk.client().get(f"/users/{NADIA}/presence", headers=PAGE),
    ):
        assert answer.status_code in (400, 401, 403)
        assert answer.headers["access-control-allow-origin"] == "*"


async def test_who_names_no_origin_gets_no_cors(desk: Desk) -> None:
    answer = await desk.client(*ALL).get(f"/users/{NADIA}/presence")
    assert not [name for name in answer.headers if name.startswith("access-control")]


@pytest.mark.parametrize("names", ["", "a b", "x\ty", "<script>", "a,,b", "x" * 5000])
async def test_odd_header_names_are_not_repeated(desk: Desk, names: str) -> None:
    asks = {**PAGE, "Access-Control-Request-Method": "GET", "Access-Control-Request-Headers": names}
    answer = await desk.bare(asks).options("/me/presence")
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-headers"] == "Authorization, Content-Type"


async def test_options_says_the_methods(desk: Desk) -> None:
    answer = await desk.bare().options(BULK)
    assert (answer.status_code, answer.headers["allow"]) == (204, "OPTIONS, POST")
    answer = await desk.bare().options(f"/users/{NADIA}")
    assert answer.headers["allow"] == "DELETE, GET, HEAD, OPTIONS, PATCH"
    answer = await desk.bare().options("/nowhere")
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "NotFound")


async def test_head_is_get_without_the_body(desk: Desk) -> None:
    client = desk.client(*ALL)
    head, get = await client.head(f"/users/{NADIA}/presence"), await client.get(f"/users/{NADIA}/presence")
    for name in ("content-length", "content-type", "odata-version"):
        assert head.headers[name] == get.headers[name]
    assert head.status_code == 200
    assert (await client.head(BULK)).status_code == 405
    assert (await desk.bare().head("/me/presence")).status_code == 401


@pytest.mark.parametrize(
    "headers",
    [
        {"Prefer": "return=minimal"},
        {"Prefer": 'outlook.timezone="Pacific Standard Time", odata.maxpagesize=2'},
        {"ConsistencyLevel": "eventual"},
        {"Accept": "application/json;odata.metadata=none;IEEE754Compatible=true"},
        {"Accept": "text/html"},
        {"Accept": "*/*;q=0.1"},
        {"OData-MaxVersion": "4.0", "OData-Version": "4.01"},
        {"X-HTTP-Method-Override": "DELETE"},
        {"X-HTTP-Method": "PATCH"},
        {"If-None-Match": "*"},
    ],
)
async def test_headers_that_change_nothing(desk: Desk, headers: dict[str, str]) -> None:
    client = desk.client(*ALL, "User.Read.All", "User.ReadWrite.All")
    plain = await client.get(f"/users/{NADIA}/presence")
    answer = await client.get(f"/users/{NADIA}/presence", headers=headers)
    assert (answer.status_code, answer.json()) == (200, plain.json())
    posted = await client.post(BULK, json={"ids": [NADIA]}, headers=headers)
    assert posted.status_code == 200


async def test_a_method_is_not_overridden(desk: Desk) -> None:
    client = desk.client("User.Read.All", "User.ReadWrite.All")
    headers = {"X-HTTP-Method-Override": "DELETE"}
    assert (await client.post(f"/users/{NADIA}", json={}, headers=headers)).status_code == 405
    assert (await client.get(f"/users/{NADIA}")).status_code == 200
