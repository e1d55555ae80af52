"""Mailbox settings: automatic replies and the time zone, whose they are, and what is refused."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.conftest import JONAS, NADIA, TOMAS, Desk

from presenced.graph.mailbox_settings import plain_text

READ_WRITE = "MailboxSettings.ReadWrite"
PATH = f"/users/{JONAS}/mailboxSettings"


async def test_what_nobody_has_set(desk: Desk) -> None:
    found = (await desk.client(READ_WRITE).get(PATH)).json()
    assert found == {
        "@odata.context": f"http://localhost:8080/v1.0/$metadata#users('{JONAS}')/mailboxSettings",
        "automaticRepliesSetting": {
            "status": "disabled",
            "externalAudience": "none",
            "internalReplyMessage": "",
            "externalReplyMessage": "",
            "scheduledStartDateTime": None,
            "scheduledEndDateTime": None,
        },
        "timeZone": "UTC",
    }


async def test_a_change_keeps_the_rest(desk: Desk) -> None:
    client = desk.client(READ_WRITE)
    by_name = "/users/jonas@SAMPLE.example/mailboxSettings"
    first = {"status": "AlwaysEnabled", "internalReplyMessage": "Away", "externalAudience": "contactsOnly"}
    assert (await client.patch(by_name, json={"automaticRepliesSetting": first})).status_code == 200
    changed = await client.patch(PATH, json={"automaticRepliesSetting": {"externalReplyMessage": "Gone"}, "x": 1})
    assert changed.status_code == 200
    replies = changed.json()["automaticRepliesSetting"]
    assert (replies["status"], replies["internalReplyMessage"]) == ("alwaysEnabled", "Away")
    assert (replies["externalReplyMessage"], replies["externalAudience"]) == ("Gone", "contactsOnly")
    assert (await client.get(by_name)).json() == changed.json()
    presence = await desk.client("Presence.Read.All").get(f"/users/{JONAS}/presence")
    assert presence.json()["outOfOfficeSettings"] == {"message": "Away", "isOutOfOffice": True}
    cleared = await client.patch(PATH, json={"automaticRepliesSetting": None, "timeZone": None})
    assert cleared.json()["automaticRepliesSetting"]["status"] == "disabled"


@pytest.mark.parametrize(
    ("replies", "words"),
    [
        ({"status": "sometimes"}, "[Status] is none of disabled, alwaysEnabled, scheduled"),
        ({"externalAudience": "x"}, "[ExternalAudience] is none of none, contactsOnly, all"),
        ({"internalReplyMessage": "x" * 16385}, "[InternalReplyMessage] is longer"),
        ({"externalReplyMessage": "x" * 16385}, "[ExternalReplyMessage] is longer"),
        ({"scheduledStartDateTime": {"dateTime": "x"}}, "[ScheduledStartDateTime] is not a date and time"),
        ({"scheduledEndDateTime": {"dateTime": "2026-01-01T00:00:00Z"}}, "[ScheduledEndDateTime] holds an offset"),
        ({"scheduledEndDateTime": {"timeZone": "UTC"}}, "[ScheduledEndDateTime.DateTime]"),
        (
            {
                "status": "scheduled",
                "scheduledStartDateTime": {"dateTime": "2027-01-01T00:00:00"},
                "scheduledEndDateTime": {"dateTime": "2027-01-01T00:00:00"},
            },
            "[ScheduledEndDateTime] is not after [ScheduledStartDateTime]",
        ),
        ({"status": 1}, "$.automaticRepliesSetting.status"),
    ],
)
async def test_what_is_refused(desk: Desk, replies: dict[str, Any], words: str) -> None:
    client = desk.client(READ_WRITE)
    before = (await client.get(PATH)).content
    answer = await client.patch(PATH, json={"automaticRepliesSetting": replies})
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "InvalidArgument"), answer.text
    assert words in answer.json()["error"]["message"]
    assert (await client.get(PATH)).content == before


async def test_an_unknown_time_zone(desk: Desk) -> None:
    answer = await desk.client(READ_WRITE).patch(PATH, json={"timeZone": "Middle-earth"})
    assert answer.json()["error"]["message"] == "The provided [TimeZone] names no time zone that is known."


async def test_a_person_has_their_own_mailbox_only(desk: Desk) -> None:
    client = desk.client(READ_WRITE, user=NADIA)
    for path in (
        "/me/mailboxSettings",
        f"/users/{NADIA}/mailboxSettings",
        "/users/nadia@sample.example/mailboxSettings",
    ):
        assert (await client.get(path)).status_code == 200
        assert (await client.patch(path, json={})).status_code == 200
    for answer in (await client.get(f"/users/{TOMAS}/mailboxSettings"), await client.patch(PATH, json={})):
        assert (answer.status_code, answer.json()["error"]["code"]) == (403, "ErrorAccessDenied")
    nobody = await desk.client(READ_WRITE).patch("/users/12345678-1234-4234-8234-123456789abc/mailboxSettings", json={})
    assert (nobody.status_code, nobody.json()["error"]["code"]) == (404, "Request_ResourceNotFound")


@pytest.mark.parametrize(
    ("reply", "text"),
    [
        ("Plain,\n on two lines ", "Plain,\n on two lines"),
        ("<p>One</p><p>Two &lt;3 </p>", "One\nTwo <3"),
        ("a<br>b<br/>c", "a\nb\nc"),
        ("so <b>very</b>  <i>bold</i>", "so very bold"),
        ("<html><head><style>p {}</style><title>x</title></head><body>Hi<script>no()</script></body>", "Hi"),
        ("<p>&nbsp;</p>", None),
        ("", None),
        ("http://example.com", "http://example.com"),
        ("1 < 2 & 3 > 2", "1 < 2 & 3 > 2"),
        ("<b>" * 5000, None),
        ("<![; what is this", None),
        ("&#" + "9" * 5000 + ";", "\ufffd"),
        ("<div>" * 3276, None),
        ("<a b='" * 2700, None),
    ],
)
def test_readers_see_plain_text(reply: str, text: str | None) -> None:
    assert plain_text(reply) == text


@settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow])
@given(st.text(alphabet="<>/&;!-[]'\"ab \n#x=\x00é", max_size=60) | st.text(max_size=40))
def test_no_reply_is_too_odd(reply: str) -> None:
    found = plain_text(reply)
    assert found is None or found.strip()
