"""GET /communications/presences: some people by $filter, or a page of everybody."""

import httpx
import pytest
from tests.conftest import JONAS, NADIA, TOMAS, Desk

from presenced.emulator import sample

PATH = "/communications/presences"
STRANGER = "12345678-1234-4234-8234-123456789abc"
AMARA = "5ca1ab1e-0000-4000-8000-000000000101"


def ids(answer: httpx.Response) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [presence["id"] for presence in answer.json()["value"]]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (f"id in ('{NADIA}','{TOMAS}')", [NADIA, TOMAS]),
        (f"id in ('{TOMAS}', '{NADIA.upper()}' ,'{TOMAS}')", [TOMAS, NADIA]),
        (f" ID IN({NADIA},{TOMAS})", [NADIA, TOMAS]),
        (f"id eq '{JONAS}'", [JONAS]),
        (f"id in ('{STRANGER}','x')", [STRANGER, "x"]),
        ("id in ()", []),
    ],
)
async def test_some_people(desk: Desk, text: str, found: list[str]) -> None:
    client = desk.client("Presence.Read.All")
    answer = await client.get(PATH, params={"$filter": text})
    assert ids(answer) == found
    assert answer.json()["@odata.context"] == "http://localhost:8080/v1.0/$metadata#communications/presences"
    bulk = await client.post("/communications/getPresencesByUserId", json={"ids": found})
    assert answer.json()["value"] == bulk.json()["value"]


async def test_select_and_count(desk: Desk) -> None:
    client = desk.client("Presence.Read.All")
    query = f"?$filter=id in ('{NADIA}','{TOMAS}')&%24select=activity%2Cid&$count=true"
    found = (await client.get(PATH + query)).json()
    assert found == {
        "@odata.context": "http://localhost:8080/v1.0/$metadata#communications/presences(activity,id)",
        "@odata.count": 2,
        "value": [{"id": NADIA, "activity": "InAMeeting"}, {"id": TOMAS, "activity": "Away"}],
    }
    single = await client.get(f"/users/{NADIA}/presence?$select=availability")
    assert single.json() == {
        "@odata.context": f"http://localhost:8080/v1.0/$metadata#users('{NADIA}')/presence(availability)/$entity",
        "availability": "Busy",
    }


async def test_650_ids_and_no_more(desk: Desk) -> None:
    client = desk.client("Presence.Read.All")
    many = [f"{number:08x}-0000-4000-8000-000000000000" for number in range(651)]
    text = "id in ('" + "','".join(many[:650]) + "')"
    assert ids(await client.get(PATH, params={"$filter": text})) == many[:650]
    refused = await client.get(PATH, params={"$filter": "id in ('" + "','".join(many) + "')"})
    assert (refused.status_code, refused.json()["error"]["code"]) == (400, "InvalidArgument")
    assert "650" in refused.json()["error"]["message"]
    assert "651" in refused.json()["error"]["message"]


@pytest.mark.parametrize(
    "query",
    [
        {"$filter": ""},
        {"$filter": "availability eq 'Busy'"},
        {"$filter": "id eq "},
        {"$filter": "id in ('')"},
        {"$filter": f"id in ('{NADIA}'"},
        {"$filter": f"id in ('{NADIA}' '{TOMAS}')"},
        {"$filter": f"id in ('{NADIA}',)"},
        {"$filter": f"id in ('{NADIA}') or id in ('{TOMAS}')"},
        {"$filter": f"not id eq '{NADIA}'"},
        {"$filter": "id in ('" + "(" * 20000},
        {"$select": "nickname"},
        {"$top": "0"},
        {"$top": "1000"},
        {"$top": "x"},
        {"$count": "maybe"},
        {"$skiptoken": "x"},
        {"$orderby": "id"},
        {"$skip": "2"},
        {"$search": '"x"'},
    ],
)
async def test_what_cannot_be_asked(desk: Desk, query: dict[str, str]) -> None:
    answer = await desk.client("Presence.Read.All").get(PATH, params=query)
    assert answer.status_code == 400, answer.text
    assert answer.json()["error"]["message"]


async def test_everybody_page_by_page(desk: Desk) -> None:
    client = desk.client("Presence.Read.All", "Presence.ReadWrite.All")
    everybody = ids(await client.get(PATH))
    assert everybody == sorted(sample.people())
    found: list[str] = []
    url: str | None = f"{PATH}?$top=5&$select=id,availability&$count=true"
    pages = 0
    while url is not None:
        answer = await client.get(url)
        found += ids(answer)
        assert answer.json()["@odata.count"] == 12
        assert set(answer.json()["value"][0]) == {"id", "availability"}
        url = answer.json().get("@odata.nextLink")
        pages += 1
    assert (found, pages) == (everybody, 3)


async def test_everybody_is_for_applications(desk: Desk) -> None:
    person = desk.client("Presence.Read.All", user=AMARA)
    assert (await person.get(PATH)).status_code == 403
    some = await person.get(PATH, params={"$filter": f"id in ('{NADIA}','{AMARA}')"})
    assert ids(some) == [NADIA, AMARA]
    assert some.json()["value"][1]["statusMessage"]["publishedDateTime"]  # their own


async def test_the_collection_takes_nothing_else(desk: Desk) -> None:
    client = desk.client("Presence.ReadWrite.All")
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        answer = await client.request(method, PATH, json={})
        assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD, OPTIONS")
