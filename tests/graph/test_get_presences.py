"""getPresencesByUserId: what it answers, and every kind of bad input, over real HTTP."""

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import httpx
import pytest
from tests.conftest import NADIA, TOMAS
from tests.running import Server, running

PATH = "/communications/getPresencesByUserId"
JSON = {"Content-Type": "application/json"}


@pytest.fixture(scope="module")
def client(server: Server) -> Iterator[httpx.Client]:
    with server.client() as client:
        yield client


def check_envelope(answer: httpx.Response, status: int, code: str, *words: str) -> None:
    """An error in Graph's form, with its headers, saying these words."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/json"
    error = answer.json()["error"]
    assert list(error) == ["code", "message", "innerError"]
    assert list(error["innerError"]) == ["date", "request-id", "client-request-id"]
    assert error["innerError"]["request-id"] == answer.headers["request-id"]
    assert error["innerError"]["client-request-id"] == answer.headers["client-request-id"]
    assert error["code"] == code, answer.text
    for word in words:
        assert word in error["message"]
    check_headers(answer)


def check_headers(answer: httpx.Response) -> None:
    UUID(answer.headers["request-id"])
    assert answer.headers["client-request-id"]
    assert answer.headers["odata-version"] == "4.0"
    assert answer.headers["date"].endswith(" GMT")


@pytest.mark.parametrize("version", ["v1.0", "beta", "V1.0"])
@pytest.mark.parametrize(
    "path",
    [
        PATH,
        "/communications/microsoft.graph.getPresencesByUserId",
        "/Communications/GETPRESENCESBYUSERID",
        "/communications/getPresencesByUserId/",
        "/communications/get%50resencesByUserId",
    ],
)
def test_the_documented_call(server: Server, client: httpx.Client, version: str, path: str) -> None:
    answer = client.post(f"{server.http}/{version}{path}", json={"ids": [NADIA, TOMAS]})
    assert answer.status_code == 200
    assert answer.headers["content-type"] == (
        "application/json;odata.metadata=minimal;odata.streaming=true;IEEE754Compatible=false;charset=utf-8"
    )
    check_headers(answer)
    body = answer.json()
    assert body["@odata.context"] == (f"{server.http}/{version.lower()}/$metadata#Collection(microsoft.graph.presence)")
    nadia, tomas = body["value"]
    sequence_number = nadia.pop("sequenceNumber")
    assert sequence_number.isdigit()
    assert nadia == {
        "id": NADIA,
        "availability": "Busy",
        "activity": "InAMeeting",
        "statusMessage": None,
        "outOfOfficeSettings": {"message": None, "isOutOfOffice": False},
        "workLocation": {"placeId": None, "source": "none", "workLocationType": "unspecified"},
    }
    assert (tomas["id"], tomas["availability"], tomas["activity"]) == (TOMAS, "Away", "Away")


def test_ids_in_any_case_each_once_in_request_order(client: httpx.Client) -> None:
    ids = [TOMAS.upper(), NADIA, "nobody@example.com", NADIA.upper(), TOMAS, "nobody@example.com"]
    value = client.post(PATH, json={"ids": ids}).json()["value"]
    assert [found["id"] for found in value] == [TOMAS, NADIA, "nobody@example.com"]
    assert value[2] == {
        "id": "nobody@example.com",
        "availability": "PresenceUnknown",
        "activity": "PresenceUnknown",
        "statusMessage": None,
        "outOfOfficeSettings": None,
        "workLocation": None,
        "sequenceNumber": None,
    }


AMARA = "5ca1ab1e-0000-4000-8000-000000000101"
"""She has a status message, of which she sees more than others."""


@pytest.mark.parametrize("whose", [(), ("--user", AMARA)])
@pytest.mark.parametrize(
    "ids",
    [
        [NADIA],
        [AMARA],
        [TOMAS, AMARA],
        [TOMAS, AMARA.upper()],
        [TOMAS, NADIA],
        [TOMAS.upper(), NADIA],
        [TOMAS, NADIA, TOMAS],
        [TOMAS, NADIA, TOMAS.upper()],
        [TOMAS, "00000000-0000-4000-8000-00000000dead", NADIA],
        [TOMAS, "00000000-0000-4000-8000-00000000DEAD", NADIA],
    ],
)
def test_the_quick_way_says_what_the_long_way_says(server: Server, ids: list[str], whose: tuple[str, ...]) -> None:
    """A plain body is answered by native/entries.c, one with another member is not."""
    with server.client(*whose) as client:
        client.post(PATH, json={"ids": ids})  # after which their entries are ready
        quick, long = (client.post(PATH, json={"ids": ids} | more) for more in ({}, {"another": "member"}))
    assert (quick.status_code, quick.content) == (200, long.content)
    assert ("publishedDateTime" in quick.text) == (bool(whose) and AMARA in [person.lower() for person in ids])


def test_no_ids_no_presences(client: httpx.Client) -> None:
    answer = client.post(PATH, json={"ids": []})
    assert (answer.status_code, answer.json()["value"]) == (200, [])


def test_a_person_without_a_session_is_offline(client: httpx.Client) -> None:
    (found,) = client.post(PATH, json={"ids": ["5ca1ab1e-0000-4000-8000-00000000010a"]}).json()["value"]
    assert (found["availability"], found["activity"]) == ("Offline", "Offline")


def test_what_real_clients_add_is_ignored(client: httpx.Client) -> None:
    body = {"@odata.type": "#x", "expirationDutaion": "PT1H", "ids": [NADIA], "more": {"nested": [1, None, "x"]}}
    assert client.post(PATH, json=body).status_code == 200


@pytest.mark.parametrize(
    ("body", "code", "words"),
    [
        (b"", "BadRequest", ["Empty Payload"]),
        (b"{}", "InvalidArgument", ["[Ids]: The Ids field is required."]),
        (b'{"ids": null}', "InvalidArgument", ["[Ids]: The Ids field is required."]),
        (b'{"ids": "x"}', "InvalidArgument", ["array", "str", "$.ids"]),
        (b'{"ids": {"0": "x"}}', "InvalidArgument", ["$.ids"]),
        (b'{"ids": ["x", 7]}', "InvalidArgument", ["str", "int", "$.ids[1]"]),
        (b'{"ids": ["x", null]}', "InvalidArgument", ["$.ids[1]"]),
        (b'{"ids": [["x"]]}', "InvalidArgument", ["$.ids[0]"]),
        (b"[]", "BadRequest", ["Unable to read JSON", "object"]),
        (b'"x"', "BadRequest", ["Unable to read JSON"]),
        (b"null", "BadRequest", ["Unable to read JSON"]),
        (b"{", "BadRequest", ["Unable to read JSON"]),
        (b"ids=x", "BadRequest", ["Unable to read JSON"]),
        (b'{"ids": ["\xff"]}', "BadRequest", ["Unable to read JSON"]),
        (b'{"ids": ["\\ud800"]}', "BadRequest", ["Unable to read JSON"]),
        (b'{"ids": [], "x": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", "BadRequest", ["nested too deeply"]),
        (b"[" * 500_000, "BadRequest", ["Unable to read JSON"]),
        (b'\xef\xbb\xbf{"ids": []}', "BadRequest", ["Unable to read JSON"]),
        (b'{"ids": NaN}', "BadRequest", ["Unable to read JSON"]),
    ],
)
def test_bad_bodies(client: httpx.Client, body: bytes, code: str, words: list[str]) -> None:
    check_envelope(client.post(PATH, content=body, headers=JSON), 400, code, *words)


@pytest.mark.parametrize("text", ["", "x" * 10_000, "\x00\x1f", "𝒳", "' or 1=1", "..", "{id}", " " + NADIA])
def test_odd_ids_name_nobody(client: httpx.Client, text: str) -> None:
    (found,) = client.post(PATH, json={"ids": [text]}).json()["value"]
    assert (found["id"], found["availability"]) == (text, "PresenceUnknown")


def test_more_than_650(client: httpx.Client) -> None:
    assert client.post(PATH, json={"ids": [str(number) for number in range(650)]}).status_code == 200
    answer = client.post(PATH, json={"ids": [str(number) for number in range(651)]})
    check_envelope(answer, 400, "InvalidArgument", "650", "651")
    check_envelope(client.post(PATH, json={"ids": ["x"] * 651}), 400, "InvalidArgument", "651")


def test_more_than_650_whom_it_knows(tmp_path: Path) -> None:
    ids = [str(UUID(int=number)) for number in range(651)]
    file = tmp_path / "people.json"
    file.write_text(json.dumps([{"id": person, "userPrincipalName": f"{person}@example.com"} for person in ids]))
    with running(tmp_path / "data", "--sample") as server, server.client() as client:
        server.command("users", "import", str(file))
        for _ in range(2):
            value = client.post(PATH, json={"ids": ids[:650]}).json()["value"]
            assert [found["id"] for found in value] == ids[:650]
            assert {found["availability"] for found in value} == {"Offline"}
        assert client.post(PATH, json={"ids": ids[1:]}).status_code == 200
        check_envelope(client.post(PATH, json={"ids": ids}), 400, "InvalidArgument", "650", "651")


@pytest.mark.parametrize(
    "content_type", ["", "text/plain", "application/x-www-form-urlencoded", "application/jsonp", "json"]
)
def test_wrong_content_types(client: httpx.Client, content_type: str) -> None:
    headers = {"Content-Type": content_type} if content_type else {}
    for body in ('{"ids": []}', f'{{"ids": ["{NADIA}"]}}'):
        answer = client.post(PATH, content=body, headers=headers)
        check_envelope(answer, 415, "UnsupportedMediaType", "application/json")


@pytest.mark.parametrize("content_type", ["application/json; charset=utf-8", "APPLICATION/JSON;odata.metadata=none"])
def test_content_types_with_parameters(client: httpx.Client, content_type: str) -> None:
    answer = client.post(PATH, content=b'{"ids": []}', headers={"Content-Type": content_type})
    assert answer.status_code == 200


def test_bodies_over_the_limit(client: httpx.Client) -> None:
    large = json.dumps({"ids": [], "x": "y" * (1 << 20)}).encode()
    check_envelope(client.post(PATH, content=large, headers=JSON), 413, "RequestEntityTooLarge", "1048576")
    chunked = client.post(PATH, content=iter([large]), headers=JSON)
    check_envelope(chunked, 413, "RequestEntityTooLarge", "1048576")


def test_gzip_and_chunked_bodies(client: httpx.Client) -> None:
    plain = json.dumps({"ids": [NADIA]}).encode()
    zipped = {**JSON, "Content-Encoding": "gzip"}
    assert client.post(PATH, content=gzip.compress(plain), headers=zipped).json()["value"][0]["id"] == NADIA
    assert client.post(PATH, content=iter([plain[:5], plain[5:]]), headers=JSON).json()["value"][0]["id"] == NADIA
    bomb = gzip.compress(b"[" * (50 << 20))
    check_envelope(client.post(PATH, content=bomb, headers=zipped), 413, "RequestEntityTooLarge")
    check_envelope(client.post(PATH, content=plain, headers=zipped), 400, "BadRequest", "gzip")
    cut = gzip.compress(plain)[:-4]
    check_envelope(client.post(PATH, content=cut, headers=zipped), 400, "BadRequest", "gzip")
    for encoding in ("br", "gzip, gzip", "x"):
        headers = {**JSON, "Content-Encoding": encoding}
        check_envelope(client.post(PATH, content=plain, headers=headers), 415, "UnsupportedMediaType")


def test_answers_are_compressed_when_asked_for_and_worth_it(client: httpx.Client) -> None:
    many = {"ids": [str(number) for number in range(650)]}
    assert client.post(PATH, json=many).headers["content-encoding"] == "gzip"
    assert len(client.post(PATH, json=many).json()["value"]) == 650
    for accept in ("identity", "gzip;q=0", "br"):
        answer = client.post(PATH, json=many, headers={"Accept-Encoding": accept})
        assert "content-encoding" not in answer.headers
    assert "content-encoding" not in client.post(PATH, json={"ids": []}).headers


def test_the_callers_request_id_comes_back(client: httpx.Client) -> None:
    own = "7f3c1f6e-0000-4000-8000-0123456789ab"
    for path, status in ((PATH, 200), ("/nothing", 400), ("/../elsewhere", 404)):
        answer = client.post(path, json={"ids": []}, headers={"client-request-id": own})
        assert answer.status_code == status
        assert answer.headers["client-request-id"] == own
    too_long = client.post(PATH, json={"ids": []}, headers={"client-request-id": "x" * 1000})
    assert too_long.headers["client-request-id"] == too_long.headers["request-id"]


def test_every_path_and_method_answers_in_the_envelope(server: Server, client: httpx.Client) -> None:
    check_envelope(client.get(PATH), 405, "Request_BadRequest", "not allowed")
    assert client.get(PATH).headers["allow"] == "OPTIONS, POST"
    check_envelope(client.post("/nothing/here", json={}), 400, "BadRequest", "segment 'nothing'")
    missing = client.post(f"/users/{NADIA}/presence/clearStatusMessage", json={})
    check_envelope(missing, 400, "BadRequest", "Resource not found for the segment 'clearstatusmessage'.")
    for path in ("/v2.0/users", "/favicon.ico", "/v1.0x/me", "/%00", "/a/b/c/d", "//v1.0/me"):
        for method in ("GET", "POST", "DELETE", "PURGE"):
            check_envelope(client.request(method, f"{server.http}{path}"), 404, "NotFound")
    tenant = server.environment()["AZURE_TENANT_ID"]
    token_by_get = client.get(f"{server.http}/{tenant}/oauth2/v2.0/token")
    check_envelope(token_by_get, 405, "Request_BadRequest")
    for method in ("PUT", "PATCH", "DELETE", "PROPFIND"):
        check_envelope(client.request(method, PATH), 405, "Request_BadRequest")
