"""Presence really changes and fades by itself: told through the API with a clock that can be set."""

import pytest
from tests.conftest import JONAS, NADIA, TOMAS, Desk

from presenced.emulator import sample
from presenced.settings import Settings

BINDINGS = (f"/users/{JONAS}/presence", f"/communications/presences/{JONAS}", "/me/presence")


async def seen(desk: Desk, person: str = JONAS) -> tuple[str, str]:
    """What another reader sees, by the bulk call and by the single ones alike."""
    client = desk.client("Presence.Read.All")
    bulk = (await client.post("/communications/getPresencesByUserId", json={"ids": [person]})).json()["value"][0]
    for path in (f"/users/{person}/presence", f"/communications/presences/{person}"):
        single = (await client.get(path)).json()
        assert single.pop("@odata.context")
        assert single == bulk
    return bulk["availability"], bulk["activity"]


async def set_presence(desk: Desk, availability: str, activity: str, session: str = "app", lasts: str = "PT1H") -> None:
    answer = await desk.client("Presence.ReadWrite.All").post(
        f"/users/{JONAS}/presence/setPresence",
        json={
            "sessionId": session,
            "availability": availability,
            "activity": activity,
            "expirationDuration": lasts,
        },
    )
    assert (answer.status_code, answer.content) == (200, b"")
    # JSON.parse of an empty body is what the JavaScript client would do
    assert "content-type" not in answer.headers


async def test_available_fades_and_ends_by_itself(desk: Desk) -> None:
    await set_presence(desk, "Available", "Available", lasts="PT1H")
    assert await seen(desk) == ("Available", "Available")
    desk.clock.advance(299.9)
    assert await seen(desk) == ("Available", "Available")
    desk.clock.advance(0.1)
    assert await seen(desk) == ("Available", "AvailableInactive")
    desk.clock.advance(300)
    assert await seen(desk) == ("Away", "Away")
    desk.clock.advance(3000)
    assert await seen(desk) == ("Offline", "Offline")


async def test_busy_does_not_fade_but_ends(desk: Desk) -> None:
    await set_presence(desk, "Busy", "InACall", lasts="PT4H")
    desk.clock.advance(4 * 3600 - 1)
    assert await seen(desk) == ("Busy", "InACall")
    desk.clock.advance(1)
    assert await seen(desk) == ("Offline", "Offline")


async def test_five_minutes_if_nothing_is_said(desk: Desk) -> None:
    body = {"sessionId": "app", "availability": "away", "activity": "AWAY"}
    client = desk.client("Presence.ReadWrite.All")
    assert (await client.post(f"/users/{JONAS}/presence/setPresence", json=body)).status_code == 200
    desk.clock.advance(299)
    assert await seen(desk) == ("Away", "Away")
    desk.clock.advance(1)
    assert await seen(desk) == ("Offline", "Offline")


async def test_the_strongest_session_shows(desk: Desk) -> None:
    await set_presence(desk, "Away", "Away", "desktop")
    await set_presence(desk, "Available", "Available", "mobile")
    assert await seen(desk) == ("Available", "Available")
    await set_presence(desk, "Busy", "InAConferenceCall", "phone")
    await set_presence(desk, "DoNotDisturb", "Presenting", "projector", "PT5M")
    assert await seen(desk) == ("DoNotDisturb", "Presenting")
    desk.clock.advance(300)
    assert await seen(desk) == ("Busy", "InAConferenceCall")
    writer = desk.client("Presence.ReadWrite.All")
    cleared = await writer.post(f"/users/{JONAS}/presence/clearPresence", json={"sessionId": "phone"})
    assert (cleared.status_code, cleared.content) == (200, b"")
    assert await seen(desk) == ("Available", "AvailableInactive")


async def test_clearing_what_is_not_there(desk: Desk) -> None:
    client = desk.client("Presence.ReadWrite.All")
    await set_presence(desk, "Busy", "InACall", lasts="PT5M")
    path = f"/users/{JONAS}/presence/clearPresence"
    other = await client.post(path, json={"sessionId": "another"})
    assert (other.status_code, other.json()["error"]["code"]) == (404, "NotFound")
    desk.clock.advance(300)
    assert (await client.post(path, json={"sessionId": "app"})).status_code == 404


async def test_all_bindings_and_spellings(desk: Desk) -> None:
    client = desk.client("Presence.ReadWrite", "Presence.Read", user=JONAS)
    body = {"sessionId": "me", "availability": "Busy", "activity": "InACall"}
    for binding in (*BINDINGS, "/users/me-token-to-replace/presence", f"/users('{JONAS}')/presence"):
        for qualifier in ("", "microsoft.graph."):
            assert (await client.post(f"{binding}/{qualifier}setPresence", json=body)).status_code == 200
            assert (await client.get(binding)).json()["activity"] == "InACall"
            cleared = await client.post(f"{binding}/{qualifier}clearPresence", json={"sessionId": "me"})
            assert cleared.status_code == 200
            assert (await client.get(binding)).json()["activity"] == "Offline"


async def test_contexts_of_single_reads(desk: Desk) -> None:
    client = desk.client("Presence.Read", user=JONAS)
    root = "http://localhost:8080/v1.0/$metadata#"
    for path, fragment in (
        ("/me/presence", f"users('{JONAS}')/presence/$entity"),
        (f"/users/{JONAS.upper()}/presence", f"users('{JONAS}')/presence/$entity"),
        (f"/communications/presences/{JONAS}", "communications/presences/$entity"),
    ):
        assert (await client.get(path)).json()["@odata.context"] == root + fragment


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"sessionId": None}, "[SessionId]: The SessionId field is required."),
        ({"sessionId": ""}, "[SessionId]: The SessionId field is required."),
        ({"sessionId": "x" * 257}, "[SessionId]"),
        ({"sessionId": 7}, "$.sessionId"),
        ({"availability": None}, "[Availability]: The Availability field is required."),
        ({"activity": None}, "[Activity]: The Activity field is required."),
        ({"activity": "Busy"}, "Busy/InACall"),
        ({"availability": "Offline", "activity": "OffWork"}, "pairs"),
        ({"expirationDuration": "PT4M"}, "The provided [ExpirationDuration] is out of range."),
        ({"expirationDuration": "PT241M"}, "The provided [ExpirationDuration] is out of range."),
        ({"expirationDuration": "0:04:59"}, "The provided [ExpirationDuration] is out of range."),
        ({"expirationDuration": "an hour"}, "is not a duration"),
        ({"expirationDuration": 3600}, "$.expirationDuration"),
    ],
)
async def test_what_set_presence_refuses(desk: Desk, change: dict[str, object], words: str) -> None:
    body = {"sessionId": "app", "availability": "Busy", "activity": "InACall"} | change
    answer = await desk.client("Presence.ReadWrite.All").post(f"/users/{JONAS}/presence/setPresence", json=body)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "InvalidArgument")
    assert words in answer.json()["error"]["message"]
    assert await seen(desk) == ("Offline", "Offline")


@pytest.mark.parametrize("lasts", ["PT1H", "PT60M", "PT3600S", "1:00:00", "pt1h", "PT0.5H"])
async def test_durations_as_clients_write_them(desk: Desk, lasts: str) -> None:
    await set_presence(desk, "Busy", "InACall", lasts=lasts)
    assert await seen(desk) == ("Busy", "InACall")


async def test_an_unknown_id_and_a_name(desk: Desk) -> None:
    client = desk.client("Presence.Read.All", "Presence.ReadWrite.All", "User.Read.All")
    stranger = "12345678-1234-4234-8234-123456789abc"
    body = {"sessionId": "app", "availability": "Busy", "activity": "InACall"}
    for key in (stranger, "jonas@sample.example", "x"):
        for path in (f"/users/{key}/presence", f"/communications/presences/{key}"):
            answer = await client.get(path)
            assert (answer.status_code, answer.json()["error"]["code"]) == (404, "NotFound")
    assert (await client.post("/users/jonas@sample.example/presence/setPresence", json=body)).status_code == 404
    # setting the presence of an id that is not in the directory adds that person
    assert (await client.post(f"/users/{stranger.upper()}/presence/setPresence", json=body)).status_code == 200
    assert await seen(desk, stranger) == ("Busy", "InACall")
    assert (await client.get(f"/users/{stranger}")).json()["id"] == stranger


class TestOtherwise:
    """The two settings about ids that name nobody."""

    @pytest.fixture
    def settings(self) -> Settings:
        return Settings(sample=True, add_unknown=False, unknown_ids="omit", throttle_presence=5)

    async def test_unknown_ids_are_omitted_and_not_added(self, desk: Desk) -> None:
        client = desk.client("Presence.Read.All", "Presence.ReadWrite.All")
        stranger = "12345678-1234-4234-8234-123456789abc"
        path = "/communications/getPresencesByUserId"
        value = (await client.post(path, json={"ids": [stranger, NADIA, "x"]})).json()["value"]
        assert [found["id"] for found in value] == [NADIA]
        assert (await client.post(path, json={"ids": ["x"]})).json()["value"] == []
        body = {"sessionId": "app", "availability": "Busy", "activity": "InACall"}
        refused = await client.post(f"/users/{stranger}/presence/setPresence", json=body)
        assert (refused.status_code, refused.json()["error"]["code"]) == (404, "NotFound")

    async def test_a_flood_is_refused_and_touches_nobody_else(self, desk: Desk) -> None:
        client = desk.client("Presence.Read.All", "Presence.ReadWrite.All")
        answers = [await client.get(f"/users/{TOMAS}/presence") for _ in range(8)]
        assert [answer.status_code for answer in answers] == [200] * 5 + [429] * 3
        assert answers[-1].json()["error"]["code"] == "TooManyRequests"
        wait = answers[-1].headers["retry-after"]
        assert wait.isdigit()
        assert 1 <= int(wait) <= 179
        desk.clock.advance(29)
        assert (await client.get(f"/users/{TOMAS}/presence")).status_code == 429
        desk.clock.advance(1)
        assert (await client.get(f"/users/{TOMAS}/presence")).status_code == 200
        desk.clock.advance(-3600)  # a clock that is set back must not lock anybody out
        assert (await client.get(f"/users/{TOMAS}/presence")).status_code in (200, 401)
        other = desk.client("Presence.Read.All", user=NADIA)  # through another app
        assert (await other.get(f"/users/{TOMAS}/presence")).status_code == 200
        assert (await desk.client("User.Read.All").get("/users")).status_code == 200  # not presence
        assert desk.app.identity.apps.get(sample.TENANT, sample.SERVICE_APP) is not None


async def test_what_only_the_person_sees_of_their_message(desk: Desk) -> None:
    amara = "5ca1ab1e-0000-4000-8000-000000000101"
    own = desk.client("Presence.Read.All", user=amara)
    single = (await own.get("/me/presence")).json()["statusMessage"]
    assert single["publishedDateTime"].endswith("Z")
    body = {"ids": [NADIA, amara, TOMAS]}
    bulk = (await own.post("/communications/getPresencesByUserId", json=body)).json()["value"]
    assert [found["id"] for found in bulk] == body["ids"]
    assert bulk[1]["statusMessage"] == single
    other = desk.client("Presence.Read.All", user=NADIA)
    assert (await other.get(f"/users/{amara}/presence")).json()["statusMessage"] == {
        "message": {"content": "On the help desk until four, ask away.", "contentType": "text"}
    }


async def test_another_tenants_people_do_not_exist(desk: Desk) -> None:
    identity = desk.app.identity
    tenant = await identity.tenants.add("77777777-0000-4000-8000-000000000001")
    app, _ = await identity.apps.add(
        tenant, "elsewhere", application=["Presence.Read.All", "Presence.ReadWrite.All", "User.Read.All"]
    )
    token, _ = identity.issuer.mint_access_token(app, tenant, None, app.application_permissions)
    client = desk.bare({"Authorization": f"Bearer {token}"})
    bulk = await client.post("/communications/getPresencesByUserId", json={"ids": [NADIA]})
    assert bulk.json()["value"][0]["availability"] == "PresenceUnknown"
    assert (await client.get(f"/users/{NADIA}/presence")).status_code == 404
    assert (await client.get(f"/users/{NADIA}")).status_code == 404
    assert (await client.get("/users")).json()["value"] == []
    body = {"sessionId": "app", "availability": "DoNotDisturb", "activity": "Presenting"}
    assert (await client.post(f"/users/{NADIA}/presence/setPresence", json=body)).status_code == 200
    assert await seen(desk, NADIA) == ("Busy", "InAMeeting")
