"""Presence actions over HTTP: what they take on every binding, and every refusal with its code and message."""

from typing import Any

import pytest
from tests.conftest import JONAS, NADIA, Desk

from presenced.settings import Settings

STATUS = {"message": {"content": "Hello", "contentType": "text"}}
ACTIONS: dict[str, Any] = {
    "setPresence": {"sessionId": "app", "availability": "Busy", "activity": "InACall"},
    "clearPresence": {"sessionId": "app"},
    "setUserPreferredPresence": {"availability": "Busy", "activity": "Busy"},
    "clearUserPreferredPresence": {},
    "setStatusMessage": {"statusMessage": STATUS},
    "setManualLocation": {"workLocationType": "office", "placeId": None},
    "setAutomaticLocation": {"workLocationType": "remote"},
    "clearLocation": {},
    "clearAutomaticLocation": {},
}
LOCATIONS = {name for name in ACTIONS if "Location" in name}
OWN = ("Presence.ReadWrite", "Presence.Read")


@pytest.mark.parametrize("version", ["v1.0", "beta"])
@pytest.mark.parametrize("qualifier", ["", "microsoft.graph."])
async def test_every_action_on_every_binding(desk: Desk, version: str, qualifier: str) -> None:
    client = desk.client(*OWN, user=JONAS)
    for binding in ("me/presence", f"users/{JONAS}/presence", f"communications/presences/{JONAS.upper()}"):
        for action, body in ACTIONS.items():
            url = f"http://localhost:8080/{version}/{binding}/{qualifier}{action}"
            # what clients add is passed over: @odata.type, other parameters (real-clients.md)
            answer = await client.post(url, json=body | {"@odata.type": "#microsoft.graph.x", "expirationDutaion": "x"})
            assert answer.status_code == (204 if action in LOCATIONS else 200), (url, answer.text)
            assert answer.content == b""
            assert "content-type" not in answer.headers
            assert answer.headers["request-id"]


@pytest.mark.parametrize("action", ["clearUserPreferredPresence", "clearLocation", "clearAutomaticLocation"])
async def test_actions_without_parameters_take_any_empty_body(desk: Desk, action: str) -> None:
    client = desk.client(*OWN, user=JONAS)
    path = f"/me/presence/{action}"
    json_type = {"Content-Type": "application/json"}
    bodies: tuple[dict[str, Any], ...] = ({}, {"json": {}}, {"content": b""}, {"content": b"", "headers": json_type})
    for sent in bodies:
        assert (await client.post(path, **sent)).status_code in (200, 204)
    for body in (b"[]", b"{", b"null", b"7"):
        refused = await client.post(path, content=body, headers=json_type)
        assert (refused.status_code, refused.json()["error"]["code"]) == (400, "BadRequest")


def expiry(date_time: Any, zone: Any = "UTC") -> dict[str, Any]:
    return {"statusMessage": STATUS | {"expiryDateTime": {"dateTime": date_time, "timeZone": zone}}}


OUT_OF_RANGE = "The provided [ExpirationDuration] is out of range."
REFUSED = [
    ("setUserPreferredPresence", {}, "[Availability]: The Availability field is required."),
    ("setUserPreferredPresence", {"availability": "Busy"}, "[Activity]: The Activity field is required."),
    (
        "setUserPreferredPresence",
        {"availability": "Busy", "activity": "InACall"},
        "pairs that can: Available/Available",
    ),
    ("setUserPreferredPresence", {"availability": "Offline", "activity": "Offline"}, "Offline/OffWork"),
    ("setUserPreferredPresence", ACTIONS["setUserPreferredPresence"] | {"expirationDuration": "PT0S"}, OUT_OF_RANGE),
    ("setUserPreferredPresence", ACTIONS["setUserPreferredPresence"] | {"expirationDuration": "-PT1H"}, OUT_OF_RANGE),
    ("setUserPreferredPresence", ACTIONS["setUserPreferredPresence"] | {"expirationDuration": "P1M"}, "not a duration"),
    ("setStatusMessage", {}, "[StatusMessage]: The StatusMessage field is required."),
    ("setStatusMessage", {"message": STATUS["message"]}, "[StatusMessage]: The StatusMessage field is required."),
    ("setStatusMessage", {"statusMessage": "Hello"}, "$.statusMessage"),
    ("setStatusMessage", {"statusMessage": {"message": "Hello"}}, "$.statusMessage.message"),
    (
        "setStatusMessage",
        {"statusMessage": {"message": {"content": "<b>Hi</b>", "contentType": "html"}}},
        "The provided [ContentType] is not supported",
    ),
    ("setStatusMessage", {"statusMessage": {"message": {"content": "x" * 1025}}}, "longer than 1024 characters"),
    ("setStatusMessage", expiry("2027-01-15T08:00:00Z"), "[ExpiryDateTime] holds an offset"),
    ("setStatusMessage", expiry("2027-01-15T08:00:00+01:00"), "[ExpiryDateTime] holds an offset"),
    ("setStatusMessage", expiry("2027-01-15T08:00:00+01"), "[ExpiryDateTime] holds an offset"),
    ("setStatusMessage", expiry("2027-01-15"), "[ExpiryDateTime] is not a date and time"),
    ("setStatusMessage", expiry("2027-01-15T08:00:00", "Mars/Olympus"), "[ExpiryDateTime] names no time zone"),
    ("setStatusMessage", expiry("2027-01-15T08:00:00", "../etc/passwd"), "[ExpiryDateTime] names no time zone"),
    ("setStatusMessage", expiry("2027-01-15T07:59:59.9999999"), "[ExpiryDateTime] is in the past"),
    ("setStatusMessage", expiry("2027-02-30T08:00:00"), "[ExpiryDateTime] is not a date and time"),
    ("setStatusMessage", expiry("2027-01-15T08:00:00.12345678"), "[ExpiryDateTime] is not a date and time"),
    ("setStatusMessage", expiry("five o'clock"), "[ExpiryDateTime] is not a date and time"),
    ("setStatusMessage", expiry(None), "[ExpiryDateTime.DateTime]: The ExpiryDateTime.DateTime field is required."),
    ("setStatusMessage", {"statusMessage": STATUS | {"expiryDateTime": "2027-01-15T08:00:00"}}, "expiryDateTime"),
    ("setManualLocation", {}, "[WorkLocationType]: The WorkLocationType field is required."),
    ("setManualLocation", {"workLocationType": "moon"}, "none of unspecified, office, remote, timeOff"),
    ("setManualLocation", {"workLocationType": "unknownFutureValue"}, "none of unspecified, office, remote, timeOff"),
    ("setManualLocation", {"workLocationType": 1}, "$.workLocationType"),
    ("setAutomaticLocation", {"workLocationType": "office", "placeId": "x" * 257}, "longer than 256 characters"),
]


@pytest.mark.parametrize(("action", "body", "words"), REFUSED)
async def test_what_actions_refuse(desk: Desk, action: str, body: dict[str, Any], words: str) -> None:
    desk.clock.at = 1_800_000_000.0  # 2027-01-15T08:00:00Z
    client = desk.client(*OWN, user=JONAS)
    before = (await client.get("/me/presence")).content
    answer = await client.post(f"/me/presence/{action}", json=body)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "InvalidArgument"), answer.text
    assert words in answer.json()["error"]["message"]
    assert (await client.get("/me/presence")).content == before


async def test_the_message_a_person_pins_for_ever(desk: Desk) -> None:
    client = desk.client(*OWN, user=JONAS)
    for zone in ("Pacific Standard Time", "Pacific/Kiritimati", "UTC", None):
        answer = await client.post("/me/presence/setStatusMessage", json=expiry("9999-12-30T23:00:00.0000000", zone))
        assert answer.status_code == 200
        shown = (await client.get("/me/presence")).json()["statusMessage"]["expiryDateTime"]
        assert shown["dateTime"].startswith("9999-12-3")
    assert (
        await client.post("/me/presence/setStatusMessage", json=expiry("9999-12-31T23:59:59.9999999", "Etc/GMT+12"))
    ).is_success
    assert (await client.get("/me/presence")).status_code == 200


@pytest.mark.parametrize(
    "body",
    [
        {"statusMessage": None},
        {"statusMessage": {}},
        {"statusMessage": {"message": None}},
        {"statusMessage": {"message": {"content": ""}}},
        {"statusMessage": {"message": {"content": " \n", "contentType": "Text"}}},
        {"statusMessage": {"message": {"content": None, "contentType": None}}},
    ],
)
async def test_empty_content_clears_the_message(desk: Desk, body: dict[str, Any]) -> None:
    client = desk.client(*OWN, user=JONAS)
    assert (await client.post("/me/presence/setStatusMessage", json={"statusMessage": STATUS})).status_code == 200
    assert (await client.get("/me/presence")).json()["statusMessage"]["message"] == STATUS["message"]
    assert (await client.post("/me/presence/setStatusMessage", json=body)).status_code == 200
    assert (await client.get("/me/presence")).json()["statusMessage"] is None


async def test_there_is_no_clear_status_message(desk: Desk) -> None:
    answer = await desk.client(*OWN, user=JONAS).post("/me/presence/clearStatusMessage")
    assert answer.status_code == 400
    assert answer.json()["error"]["message"] == "Resource not found for the segment 'clearstatusmessage'."


@pytest.mark.parametrize("action", ACTIONS)
async def test_nobody_changes_another_person(desk: Desk, action: str) -> None:
    client = desk.client("Presence.ReadWrite", user=NADIA)
    answer = await client.post(f"/users/{JONAS}/presence/{action}", json=ACTIONS[action])
    assert (answer.status_code, answer.json()["error"]["message"]) == (401, "Cannot set the presence of another user")


@pytest.mark.parametrize("action", sorted(LOCATIONS))
async def test_locations_are_the_persons_own(desk: Desk, action: str) -> None:
    client = desk.client("Presence.ReadWrite.All")
    answer = await client.post(f"/users/{JONAS}/presence/{action}", json=ACTIONS[action])
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "Forbidden")


@pytest.mark.parametrize("lasts", ["PT8H", "8:00:00", "P1D", "1 day, 0:00:00", "P1W", "P0Y0M0DT1H0M0S", "P400D"])
async def test_preferred_states_last_as_long_as_clients_say(desk: Desk, lasts: str) -> None:
    client = desk.client(*OWN, user=JONAS)
    body = ACTIONS["setUserPreferredPresence"] | {"expirationDuration": lasts}
    assert (await client.post("/me/presence/setUserPreferredPresence", json=body)).status_code == 200


class TestGeneratedClients:
    """Those that insist on 204."""

    @pytest.fixture
    def settings(self) -> Settings:
        return Settings(sample=True, action_status="204")

    async def test_actions_answer_204(self, desk: Desk) -> None:
        client = desk.client(*OWN, user=JONAS)
        for action, body in ACTIONS.items():
            assert (await client.post(f"/me/presence/{action}", json=body)).status_code == 204
