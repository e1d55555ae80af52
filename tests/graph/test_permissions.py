"""Who may do what: every row of the permission table, and the order in which a request is checked."""

import pytest
from tests.conftest import JONAS, NADIA, TOMAS, Desk

from presenced.identity.permissions import APPLICATION, DELEGATED, NEEDS

SET = {"sessionId": "s", "availability": "Busy", "activity": "InACall"}
PREFERRED = {"availability": "Busy", "activity": "Busy"}

# operation, method, path of another person's thing or of nobody's, body
CALLS = {
    "getPresencesByUserId": ("POST", "/communications/getPresencesByUserId", {"ids": [TOMAS]}),
    "getPresence": ("GET", f"/users/{TOMAS}/presence", None),
    "setPresence": ("POST", f"/users/{NADIA}/presence/setPresence", SET),
    "clearPresence": ("POST", f"/users/{NADIA}/presence/clearPresence", {"sessionId": "none"}),
    "setUserPreferredPresence": ("POST", f"/users/{NADIA}/presence/setUserPreferredPresence", PREFERRED),
    "clearUserPreferredPresence": ("POST", f"/users/{NADIA}/presence/clearUserPreferredPresence", None),
    "setStatusMessage": ("POST", f"/users/{NADIA}/presence/setStatusMessage", {"statusMessage": None}),
    "setManualLocation": ("POST", f"/users/{NADIA}/presence/setManualLocation", {"workLocationType": "office"}),
    "setAutomaticLocation": ("POST", f"/users/{NADIA}/presence/setAutomaticLocation", {"workLocationType": "office"}),
    "clearLocation": ("POST", f"/users/{NADIA}/presence/clearLocation", None),
    "clearAutomaticLocation": ("POST", f"/users/{NADIA}/presence/clearAutomaticLocation", {}),
    "listPresences": ("GET", f"/communications/presences?$filter=id in ('{TOMAS}')", None),
    "listAllPresences": ("GET", "/communications/presences?$top=5", None),
    "subscriptions": ("GET", "/subscriptions", None),
    "getMailboxSettings": ("GET", f"/users/{NADIA}/mailboxSettings", None),
    "updateMailboxSettings": ("PATCH", f"/users/{NADIA}/mailboxSettings", {"timeZone": "UTC"}),
    "getOwnPresence": ("GET", f"/users/{NADIA}/presence", None),
    "getMe": ("GET", "/me", None),
    "getUser": ("GET", f"/users/{TOMAS}", None),
    "listUsers": ("GET", "/users", None),
    "createUser": ("POST", "/users", {"userPrincipalName": "x@y.example"}),
    "updateUser": ("PATCH", f"/users/{JONAS}", {"jobTitle": "x"}),
    "deleteUser": ("DELETE", f"/users/{JONAS}", None),
}


def test_every_row_of_the_table_is_tried() -> None:
    # what the setting extensions allows is tried in tests/flows/test_notifications.py
    assert set(CALLS) == set(NEEDS) - {"subscriptionsExtended"}


@pytest.mark.parametrize("operation", CALLS)
async def test_each_permission_alone(desk: Desk, operation: str) -> None:
    """Each permission there is, alone in a token: it suffices exactly if the table says so."""
    method, path, body = CALLS[operation]
    for user, known in ((None, APPLICATION), (NADIA, DELEGATED)):
        if user is None and operation in ("getMe", "getOwnPresence"):
            continue  # nobody's own; /me is refused below
        needed = NEEDS[operation].application if user is None else NEEDS[operation].delegated
        for permission in known:
            answer = await desk.client(permission, user=user).request(method, path, json=body)
            expected = permission in needed
            assert (answer.status_code != 403) == expected, (operation, permission, answer.text)
            if not expected:
                assert answer.headers["presenced-needs-permission"]


async def test_a_missing_scope_is_forbidden_with_an_empty_message(desk: Desk) -> None:
    answer = await desk.client("User.Read.All").post("/communications/getPresencesByUserId", json={"ids": []})
    assert answer.status_code == 403
    assert (answer.json()["error"]["code"], answer.json()["error"]["message"]) == ("Forbidden", "")
    users = await desk.client("Presence.Read.All").get("/users")
    assert users.json()["error"]["code"] == "Authorization_RequestDenied"


async def test_a_malformed_body_is_named_before_the_missing_permission(desk: Desk) -> None:
    answer = await desk.client("User.Read", user=NADIA).post("/me/presence/clearPresence", json={})
    assert answer.status_code == 400
    assert answer.json()["error"]["message"] == "[SessionId]: The SessionId field is required."


@pytest.mark.parametrize("binding", [f"/users/{TOMAS}/presence", f"/communications/presences/{TOMAS}"])
async def test_a_person_cannot_set_another(desk: Desk, binding: str) -> None:
    client = desk.client("Presence.ReadWrite", user=NADIA)
    answer = await client.post(f"{binding}/setPresence", json=SET)
    assert answer.status_code == 401
    assert answer.json()["error"]["message"] == "Cannot set the presence of another user"
    assert answer.headers["www-authenticate"].startswith("Bearer ")
    assert (await client.post(f"/users/{NADIA.upper()}/presence/setPresence", json=SET)).status_code == 200


async def test_me_needs_a_person(desk: Desk) -> None:
    client = desk.client("Presence.ReadWrite.All", "Presence.Read.All")
    for method, path in (("GET", "/me/presence"), ("GET", "/me"), ("POST", "/me/presence/setPresence")):
        answer = await client.request(method, path, json=SET if method == "POST" else None)
        assert answer.status_code == 400
        assert answer.json()["error"]["message"] == "/me request is only valid with delegated authentication flow."


@pytest.mark.parametrize(
    "authorization", [None, "", "Bearer", "Bearer ", "Basic YTpi", "Bearer x.y.z", "Bearer \xe4\xf6", "bearer a b c"]
)
async def test_no_token_or_a_bad_one(desk: Desk, authorization: str | None) -> None:
    headers = {} if authorization is None else {b"Authorization": authorization.encode("latin-1")}
    for path in ("/me/presence", "/communications/getPresencesByUserId", "/nothing"):
        answer = await desk.bare().request("POST", path, json={"ids": []}, headers=headers)
        assert answer.status_code == 401
        assert answer.json()["error"]["code"] == "InvalidAuthenticationToken"
        challenge = answer.headers["www-authenticate"]
        assert challenge.startswith('Bearer realm="", authorization_uri="http://localhost:8080/common/oauth2/')


async def test_a_token_ends(desk: Desk) -> None:
    client = desk.client("Presence.Read.All", lifetime=600)
    assert (await client.get(f"/users/{NADIA}/presence")).status_code == 200
    desk.clock.advance(599)
    assert (await client.get(f"/users/{NADIA}/presence")).status_code == 200
    desk.clock.advance(1)
    ended = await client.get(f"/users/{NADIA}/presence")
    assert ended.status_code == 401
    assert ended.json()["error"]["message"] == "Lifetime validation failed, the token is expired."
