"""$select and $expand on everything that is read by itself."""

import pytest
from tests.conftest import NADIA, Desk

ALL = ("Presence.Read.All", "User.Read.All", "MailboxSettings.Read")
PATHS = [
    (f"/users/{NADIA}/presence", "availability", f"users('{NADIA}')/presence(availability)/$entity"),
    (f"/communications/presences/{NADIA}", "activity", "communications/presences(activity)/$entity"),
    (f"/users/{NADIA}", "displayName", "users(displayName)/$entity"),
    (f"/users/{NADIA}/mailboxSettings", "timeZone", f"users('{NADIA}')/mailboxSettings(timeZone)"),
]


@pytest.mark.parametrize(("path", "member", "fragment"), PATHS)
async def test_select(desk: Desk, path: str, member: str, fragment: str) -> None:
    client = desk.client(*ALL)
    whole = (await client.get(path)).json()
    answer = (await client.get(path, params={"$select": member})).json()
    assert answer == {
        "@odata.context": f"http://localhost:8080/v1.0/$metadata#{fragment}",
        member: whole[member],
    }
    unknown = await client.get(path, params={"$select": "nickname"})
    assert unknown.status_code == 400
    assert "property named 'nickname'" in unknown.json()["error"]["message"]


@pytest.mark.parametrize(("path", "member", "fragment"), PATHS)
async def test_there_is_nothing_to_expand(desk: Desk, path: str, member: str, fragment: str) -> None:
    client = desk.client(*ALL)
    whole = (await client.get(path)).json()
    for nothing in ("", "*"):
        assert (await client.get(path, params={"$expand": nothing, "$select": "*"})).json() == whole
    for name in ("manager", "*,manager", "x" * 1000):
        answer = await client.get(path, params={"$expand": name})
        assert (answer.status_code, answer.json()["error"]["code"]) == (400, "BadRequest")
        assert "Parsing OData Select and Expand failed" in answer.json()["error"]["message"]


async def test_several_of_them(desk: Desk) -> None:
    answer = await desk.client(*ALL).get(f"/users/{NADIA}?$select=id, displayName&%24expand=")
    assert set(answer.json()) == {"@odata.context", "id", "displayName"}
