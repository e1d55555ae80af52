"""The small directory: create, read, update, delete and list people, and what it refuses."""

import pytest
from tests.conftest import JONAS, NADIA, Desk

ALL = ("User.Read.All", "User.ReadWrite.All", "Presence.Read.All", "Presence.ReadWrite.All")
SET = {"sessionId": "app", "availability": "Busy", "activity": "InACall"}


async def test_a_persons_life(desk: Desk) -> None:
    client = desk.client(*ALL)
    created = await client.post("/users", json={"userPrincipalName": "Kim@example.com", "displayName": "Kim", "x": 1})
    assert created.status_code == 201
    kim = created.json()
    assert kim.pop("@odata.context").endswith("/v1.0/$metadata#users/$entity")
    assert created.headers["location"] == f"http://localhost:8080/v1.0/users/{kim['id']}"
    assert kim == {
        "id": kim["id"],
        "userPrincipalName": "Kim@example.com",
        "displayName": "Kim",
        "mail": None,
        "jobTitle": None,
    }
    presence = (await client.get(f"/users/{kim['id']}/presence")).json()
    assert (presence["availability"], presence["activity"]) == ("Offline", "Offline")
    assert (await client.post(f"/users/{kim['id']}/presence/setPresence", json=SET)).status_code == 200

    changed = await client.patch("/users/kim@EXAMPLE.com", json={"jobTitle": "Cook", "displayName": None})
    assert (changed.status_code, changed.content) == (204, b"")
    read = (await client.get(f"/users/{kim['id'].upper()}")).json()
    assert (read["jobTitle"], read["displayName"], read["userPrincipalName"]) == ("Cook", None, "Kim@example.com")
    before = (await client.get(f"/users/{kim['id']}/presence")).json()
    assert before["activity"] == "InACall"  # untouched by the directory

    deleted = await client.delete(f"/users/{kim['id']}")
    assert (deleted.status_code, deleted.content) == (204, b"")
    gone = await client.get(f"/users/{kim['id']}")
    assert (gone.status_code, gone.json()["error"]["code"]) == (404, "Request_ResourceNotFound")
    assert (await client.get(f"/users/{kim['id']}/presence")).status_code == 404
    bulk = await client.post("/communications/getPresencesByUserId", json={"ids": [kim["id"]]})
    assert bulk.json()["value"][0]["availability"] == "PresenceUnknown"

    desk.clock.advance(1)
    again = await client.post("/users", json={"id": kim["id"], "userPrincipalName": "kim@example.com"})
    assert again.status_code == 201
    after = (await client.get(f"/users/{kim['id']}/presence")).json()
    assert after["activity"] == "Offline"  # nothing of the earlier life is left
    assert after["sequenceNumber"] > before["sequenceNumber"]


async def test_me(desk: Desk) -> None:
    me = (await desk.client("User.Read", user=NADIA).get("/me")).json()
    assert (me["id"], me["userPrincipalName"], me["displayName"]) == (NADIA, "nadia@sample.example", "Nadia Petrova")
    own = await desk.client("User.Read", user=NADIA).get(f"/users/{NADIA}")
    assert own.status_code == 200


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({}, "userPrincipalName"),
        ({"userPrincipalName": None}, "userPrincipalName"),
        ({"userPrincipalName": "no name"}, "userPrincipalName"),
        ({"userPrincipalName": "a@b", "displayName": "x" * 257}, "displayName"),
        ({"userPrincipalName": "a@b", "jobTitle": "a\u0000b"}, "jobTitle"),
        ({"userPrincipalName": "a@b", "mail": 7}, "$.mail"),
        ({"userPrincipalName": "a@b", "id": "x"}, "GUID"),
        ({"userPrincipalName": "a@b", "id": NADIA}, "property id already exists"),
        ({"userPrincipalName": "NADIA@sample.example"}, "property userPrincipalName already exists"),
        ({"userPrincipalName": "a@b", "passwordProfile": {"password": ""}}, "passwordProfile.password"),
        ({"userPrincipalName": "a@b", "passwordProfile": {"password": "x" * 257}}, "passwordProfile.password"),
    ],
)
async def test_people_who_cannot_be(desk: Desk, body: dict[str, object], words: str) -> None:
    client = desk.client(*ALL)
    count = len((await client.get("/users")).json()["value"])
    answer = await client.post("/users", json=body)
    assert answer.status_code == 400, answer.text
    assert words in answer.json()["error"]["message"]
    assert len((await client.get("/users")).json()["value"]) == count


async def test_a_name_cannot_be_taken_over(desk: Desk) -> None:
    client = desk.client(*ALL)
    answer = await client.patch(f"/users/{JONAS}", json={"userPrincipalName": "nadia@sample.example"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "Request_BadRequest")
    assert (await client.get("/users/nadia@sample.example")).json()["id"] == NADIA


async def test_pages(desk: Desk) -> None:
    client = desk.client(*ALL)
    people: list[str] = []
    url = "/users?$top=5&$select=id,displayName"
    pages = 0
    while url:
        page = (await client.get(url)).json()
        people += [person["id"] for person in page["value"]]
        assert all(set(person) == {"id", "displayName"} for person in page["value"])
        url = page.get("@odata.nextLink", "")
        pages += 1
    assert pages == 3
    assert len(people) == len(set(people)) == 12
    assert people == sorted(people)


@pytest.mark.parametrize(
    "query", ["$top=0", "$top=1000", "$top=x", "$top=-1", "$skiptoken=x", "$select=password", "$filter=a", "$search=b"]
)
async def test_queries_that_are_not_supported(desk: Desk, query: str) -> None:
    answer = await desk.client(*ALL).get(f"/users?{query}")
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] in ("Request_BadRequest", "Request_UnsupportedQuery")


async def test_a_new_person_can_sign_in_and_a_deleted_one_cannot(desk: Desk) -> None:
    client = desk.client(*ALL)
    profile = {"userPrincipalName": "lee@example.com", "passwordProfile": {"password": "correct horse"}}
    lee = (await client.post("/users", json=profile)).json()["id"]
    form = {
        "grant_type": "password",
        "client_id": "5ca1ab1e-0000-4000-8000-00000000a002",
        "username": "lee@example.com",
        "password": "correct horse",
        "scope": "Presence.ReadWrite",
    }
    url = "http://localhost:8080/5ca1ab1e-0000-4000-8000-000000000001/oauth2/v2.0/token"
    signed_in = await desk.bare().post(url, data=form)
    assert signed_in.status_code == 200, signed_in.text
    assert signed_in.headers["request-id"]
    own = desk.bare({"Authorization": f"Bearer {signed_in.json()['access_token']}"})
    assert (await own.post("/me/presence/setPresence", json=SET)).status_code == 200
    await client.delete(f"/users/{lee}")
    refused = await desk.bare().post(url, data=form)
    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_grant")
