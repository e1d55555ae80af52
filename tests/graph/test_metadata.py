"""$metadata and the service document: for everybody, in the forms that OData tools ask for.

What is in $metadata is held against Microsoft's schema in tests/openapi/test_csdl.py.
"""

import base64
from itertools import product

import pytest
from tests.conftest import Desk
from tests.openapi import csdl

PATHS = ("/$metadata", "/%24metadata", "/$Metadata", "/$metadata/", "/$metadata?$format=xml")
HEADERS: tuple[dict[str, str], ...] = ({}, {"Authorization": "Bearer nonsense"}, {"Accept": "application/json"})


async def test_metadata_is_xml_for_everybody(desk: Desk) -> None:
    for version, path, headers in product(("v1.0", "beta", "V1.0"), PATHS, HEADERS):
        answer = await desk.bare(headers).get(f"http://localhost:8080/{version}{path}")
        assert answer.status_code == 200, (version, path, headers)
        assert answer.headers["content-type"] == "application/xml"
        assert answer.headers["odata-version"] == "4.0"
        assert "presence" in csdl.read(answer.text).types


async def test_metadata_is_compressed_for_those_who_take_it(desk: Desk) -> None:
    answer = await desk.bare({"Accept-Encoding": "gzip"}).get("/$metadata")
    assert answer.headers["content-encoding"] == "gzip"
    assert "presence" in csdl.read(answer.text).types


async def test_the_service_document_says_what_there_is(desk: Desk) -> None:
    for path in ("", "/", "/?$format=json", "/?$format=application/json;odata.metadata=minimal"):
        answer = await desk.bare().get(f"http://localhost:8080/beta{path}")
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("application/json;odata.metadata=minimal")
        assert answer.json() == {
            "@odata.context": "http://localhost:8080/beta/$metadata",
            "value": [
                {"name": "subscriptions", "kind": "EntitySet", "url": "subscriptions"},
                {"name": "users", "kind": "EntitySet", "url": "users"},
                {"name": "communications", "kind": "Singleton", "url": "communications"},
                {"name": "me", "kind": "Singleton", "url": "me"},
            ],
        }


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/$metadata?$format=json", "Metadata is XML"),
        ("/$metadata?$select=users", "$select is not supported"),
        ("/?$format=xml", "The service document is JSON"),
        ("/?$top=1", "$top is not supported"),
    ],
)
async def test_other_formats_and_options_are_refused(desk: Desk, path: str, words: str) -> None:
    answer = await desk.bare().get(path)
    assert answer.status_code == 400
    assert words in answer.json()["error"]["message"]


async def test_only_reading_takes_no_token(desk: Desk) -> None:
    for path in ("/$metadata", "/"):
        head = await desk.bare().head(path)
        assert (head.status_code, head.headers["content-type"].partition(";")[0]) in (
            (200, "application/xml"),
            (200, "application/json"),
        )
        assert (await desk.bare().post(path)).status_code == 401
        refused = await desk.client("Presence.Read.All").post(path)
        assert (refused.status_code, refused.headers["allow"]) == (405, "GET, HEAD, OPTIONS")
    # what else is under the service root still takes one
    for path in ("/$metadatas", "/$metadata/users", "/me", "/users"):
        assert (await desk.bare().get(path)).status_code == 401


async def test_both_in_a_batch(desk: Desk) -> None:
    """What is not JSON comes as base64url."""
    requests = [{"id": "1", "method": "GET", "url": "/$metadata"}, {"id": "2", "method": "GET", "url": "/"}]
    answer = await desk.client("Presence.Read.All").post("/$batch", json={"requests": requests})
    xml, json = answer.json()["responses"]
    assert xml["headers"]["Content-Type"] == "application/xml"
    text = base64.urlsafe_b64decode(xml["body"]).decode()
    assert "presence" in csdl.read(text).types
    assert json["body"]["@odata.context"] == "http://localhost:8080/v1.0/$metadata"
