"""Compatibility: Microsoft's schema of presence against what is served: every type, property, nullability and action.

What is not served as declared is in one table (graph/model.py), which the compatibility page shows; here is checked
that it holds neither too little nor too much.
"""

import base64
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import httpx
import msgspec
import pytest
from tests.calendar.ics import vcalendar, vevent
from tests.conftest import NADIA, TOMAS, Desk
from tests.openapi import csdl
from tests.receiver import Receiver

from presenced.graph.model import NOT_SERVED
from presenced.graph.operations import OPERATIONS
from presenced.graph.subscription_requests import NewSubscription, SubscriptionChange
from presenced.identity.permissions import DELEGATED

MICROSOFT = csdl.read(csdl.MICROSOFT.read_text("utf-8"))

MORE = {
    "automaticRepliesSetting", "mailboxSettings", "passwordProfile", "automaticRepliesStatus", "externalAudienceScope",
    "user.mailboxSettings", "user.passwordProfile", "subscription.notificationContentType",
}  # fmt: skip
"""Served, and of Graph's schema, but not of the part of it that is kept here."""

BINDINGS = {
    "presence": ("/me/presence", f"/users/{NADIA}/presence", f"/communications/presences/{NADIA}"),
    "cloudCommunications": ("/communications",),
    "subscription": ("/subscriptions/{subscription}",),
}

VALUES: dict[str, Any] = {
    "availability": "Busy",
    "activity": "Busy",
    "sessionId": "a session",
    "placeId": "a place",
    "ids": [NADIA],
    "expirationDuration": "PT1H",
    "statusMessage": {
        "message": {"content": "A message.", "contentType": "text"},
        "expiryDateTime": {"dateTime": "2090-01-01T00:00:00", "timeZone": "UTC"},
    },
    "workLocationType": "office",
}
"""One value of each parameter that will do."""

WRONG = {
    "Edm.String": (7, True, [], {}),
    "Edm.Duration": (7, [], {}, "an hour"),
    "Collection(Edm.String)": ("a", {}, [7], [None]),
    "graph.workLocationType": (1, [], "at home"),
    "graph.presenceStatusMessage": (1, [], "a message", {"message": "a message"}),
}
"""Of each type values that are none."""


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    receiver = Receiver()
    await receiver.start()
    yield receiver
    await receiver.stop()


@pytest.fixture
async def served(desk: Desk) -> csdl.Schema:
    answer = await desk.bare().get("/$metadata")
    assert answer.status_code == 200
    return csdl.read(answer.text)


def declared() -> dict[str, Any]:
    """Everything in Microsoft's schema by its full name."""
    found: dict[str, Any] = {
        **{f"{enum}.{name}": value for enum, members in MICROSOFT.enums.items() for name, value in members.items()},
        **{f"{name}.{key}": value for name, kind in MICROSOFT.types.items() for key, value in kind.properties.items()},
    }
    return found | {f"{name}.{key}": value for name, act in MICROSOFT.actions.items() for key, value in act[1].items()}


def test_what_is_not_served_is_declared() -> None:
    assert set(NOT_SERVED) <= set(declared())


def left_out(name: str) -> bool:
    return NOT_SERVED.get(name, "").endswith("left out of answers and of `$metadata`")


async def test_metadata_has_all_that_microsoft_declares(served: csdl.Schema) -> None:
    assert served.container == MICROSOFT.container
    assert served.actions == MICROSOFT.actions
    for name, members in MICROSOFT.enums.items():
        assert served.enums[name] == members
    for name, kind in MICROSOFT.types.items():
        ours = served.types[name]
        expected = {key: value for key, value in kind.properties.items() if not left_out(f"{name}.{key}")}
        assert {key: value for key, value in ours.properties.items() if f"{name}.{key}" not in MORE} == expected
        assert (ours.kind, ours.base, ours.abstract, ours.is_open, ours.keys, ours.navigations) == (
            kind.kind, kind.base, kind.abstract, kind.is_open, kind.keys, kind.navigations,
        )  # fmt: skip


async def test_metadata_has_nothing_else(served: csdl.Schema) -> None:
    more = (served.types.keys() | served.enums.keys()) - (MICROSOFT.types.keys() | MICROSOFT.enums.keys())
    for name, kind in MICROSOFT.types.items():
        more |= {f"{name}.{key}" for key in served.types[name].properties.keys() - kind.properties.keys()}
    assert more == MORE


class Answers:
    """Holds JSON against a schema, and keeps which members were seen with a value."""

    def __init__(self, schema: csdl.Schema) -> None:
        self.schema = schema
        self.seen: set[str] = set()

    def check(self, name: str, value: dict[str, Any], *, whole: bool = True) -> None:
        """An object of a type. ``whole``: all that is declared must be there."""
        members = self.schema.members(name)
        written = {key: item for key, item in value.items() if not key.startswith("@")}
        assert written.keys() <= members.keys(), f"{name}: undeclared {written.keys() - members.keys()}"
        if whole:
            missing = members.keys() - written.keys()
            assert all(left_out(f"{name}.{key}") or f"{name}.{key}" in MORE for key in missing), f"{name}: {missing}"
        for key, item in written.items():
            if item is None:
                assert members[key].nullable, f"{name}.{key} is null"
            else:
                self.seen.add(f"{name}.{key}")
                self._check_value(members[key].type, item, whole=whole)

    def _check_value(self, kind: str, value: Any, *, whole: bool) -> None:
        name = csdl.short(kind)
        if name in self.schema.enums:
            assert value in self.schema.enums[name]
            self.seen.add(f"{name}.{value}")
        elif name in self.schema.types:
            self.check(name, value, whole=whole)
        elif kind == "Edm.Boolean":
            assert isinstance(value, bool)
        else:
            assert isinstance(value, str)
            if kind == "Edm.DateTimeOffset":
                assert datetime.fromisoformat(value).utcoffset() is not None


async def test_answers_are_as_microsoft_declares(desk: Desk, served: csdl.Schema, receiver: Receiver) -> None:
    answers = Answers(served)
    client = desk.client(*DELEGATED, user=NADIA)

    async def ask(method: str, path: str, body: Any = None, status: int = 200) -> Any:
        answer = await client.request(method, path, json=body)
        assert answer.status_code == status, answer.text
        return answer.json() if answer.content else None

    own = "/me/presence"
    await ask("POST", f"{own}/setStatusMessage", {"statusMessage": VALUES["statusMessage"]})
    for kind in MICROSOFT.enums["workLocationType"]:
        if f"workLocationType.{kind}" not in NOT_SERVED:
            await ask("POST", f"{own}/setManualLocation", {"workLocationType": kind, "placeId": "a place"}, 204)
            answers.check("presence", await ask("GET", own))
    await ask("POST", f"{own}/clearLocation", status=204)
    answers.check("presence", await ask("GET", own))
    await ask("POST", f"{own}/setAutomaticLocation", {"workLocationType": "office"}, 204)
    replies = {
        "status": "scheduled",
        "externalAudience": "all",
        "internalReplyMessage": "Away.",
        "externalReplyMessage": "Away.",
        "scheduledStartDateTime": {"dateTime": "2020-01-01T00:00:00", "timeZone": "UTC"},
        "scheduledEndDateTime": {"dateTime": "2090-01-01T00:00:00", "timeZone": "UTC"},
    }
    await ask("PATCH", "/me/mailboxSettings", {"automaticRepliesSetting": replies, "timeZone": "Europe/Berlin"})
    await put_event(desk)
    for path in (own, f"/users/{NADIA}/presence", f"/communications/presences/{NADIA}"):
        answers.check("presence", await ask("GET", path))
    await ask("POST", f"{own}/clearLocation", status=204)
    answers.check("presence", await ask("GET", own))
    ids = {"ids": [NADIA, TOMAS, "nobody"]}
    for presence in (await ask("POST", "/communications/getPresencesByUserId", ids))["value"]:
        answers.check("presence", presence, whole=False)
    answers.check("mailboxSettings", await ask("GET", "/me/mailboxSettings"))
    for path in ("/me", f"/users/{TOMAS}"):
        answers.check("user", await ask("GET", path))
    for user in (await ask("GET", "/users"))["value"]:
        answers.check("user", user)
    subscription = {
        "changeType": "updated",
        "notificationUrl": receiver.url,
        "lifecycleNotificationUrl": receiver.url,
        "resource": f"communications/presences/{TOMAS}",
        "expirationDateTime": datetime.fromtimestamp(desk.clock.now() + 3600, UTC).isoformat(),
        "clientState": "a state",
        "encryptionCertificateId": "one",
        "notificationUrlAppId": NADIA,
    }
    made = await ask("POST", "/subscriptions", subscription, 201)
    answers.check("subscription", made)
    answers.check("subscription", await ask("GET", f"/subscriptions/{made['id']}"))
    for listed in (await ask("GET", "/subscriptions"))["value"]:
        answers.check("subscription", listed)
    assert {"presence.id", "subscription.id", "user.id"} <= answers.seen
    served_names = {name for name in declared() if name.partition(".")[0] not in {*MICROSOFT.actions, "entity"}}
    assert served_names - answers.seen == {
        name for name in NOT_SERVED if name.partition(".")[0] not in MICROSOFT.actions
    }


async def put_event(desk: Desk) -> None:
    """An event in Nadia's calendar that says where she works now, which is what is scheduled."""
    day = f"{datetime.fromtimestamp(desk.clock.now(), UTC):%Y%m%d}"
    times = (f"DTSTART:{day}T000000Z", f"DTEND:{day}T235959Z")
    text = vcalendar(vevent("UID:elsewhere", *times, "X-MICROSOFT-CDO-BUSYSTATUS:WORKINGELSEWHERE"))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(desk.app.control), base_url="http://control") as control:
        request = {"user": NADIA, "text": base64.b64encode(text.encode()).decode(), "source": "day.ics"}
        answer = await control.post("/calendar/import", json=request)
        assert answer.status_code == 200, answer.text


@pytest.mark.parametrize("name", MICROSOFT.actions)
async def test_actions_take_what_microsoft_declares(desk: Desk, receiver: Receiver, name: str) -> None:
    action = MICROSOFT.actions[name]
    client = desk.client(*DELEGATED, user=NADIA)
    paths = await bound(desk, client, receiver, action.binding)
    values = {parameter: VALUES[parameter] for parameter in action.parameters}
    if name == "setPresence":
        values["activity"] = "InACall"

    async def send(path: str, body: Any) -> httpx.Response:
        if name == "clearPresence":  # there must be one to end
            session = {"sessionId": values["sessionId"], "availability": "Busy", "activity": "InACall"}
            await client.post("/me/presence/setPresence", json=session)
        return await client.post(path, json=body)

    for binding in paths:
        for spelling in (name, f"microsoft.graph.{name}"):
            answer = await send(f"{binding}/{spelling}", values)
            assert answer.status_code in (200, 204), answer.text
            assert bool(answer.content) == (action.returns is not None)
    path = f"{paths[0]}/{name}"
    for parameter, member in action.parameters.items():
        for wrong in WRONG[member.type]:
            assert (await send(path, values | {parameter: wrong})).status_code == 400, (parameter, wrong)
        kind = csdl.short(member.type)
        for word in MICROSOFT.enums.get(kind, ()):
            expected = 400 if f"{kind}.{word}" in NOT_SERVED else 204
            assert (await send(path, values | {parameter: word})).status_code == expected, word
        optional = member.nullable and f"{name}.{parameter}" not in NOT_SERVED
        without = {key: value for key, value in values.items() if key != parameter}
        assert ((await send(path, values | {parameter: None})).status_code < 300) == optional, parameter
        if parameter != "statusMessage":  # nullable, which is not the same as left out
            assert ((await send(path, without)).status_code < 300) == optional, parameter


async def bound(desk: Desk, client: httpx.AsyncClient, receiver: Receiver, binding: str) -> tuple[str, ...]:
    """The paths at which an action bound to this type is."""
    if binding != "subscription":
        return BINDINGS[binding]
    subscription = {
        "changeType": "updated",
        "notificationUrl": receiver.url,
        "resource": f"communications/presences/{TOMAS}",
        "expirationDateTime": datetime.fromtimestamp(desk.clock.now() + 3600, UTC).isoformat(),
    }
    answer = await client.post("/subscriptions", json=subscription)
    assert answer.status_code == 201, answer.text
    return tuple(path.format(subscription=answer.json()["id"]) for path in BINDINGS[binding])


def test_actions_read_the_parameters_that_are_declared() -> None:
    """Nothing that is declared is passed over because nobody reads it."""
    forms = {operation.name: operation.takes for operation in OPERATIONS if operation.name in MICROSOFT.actions}
    assert MICROSOFT.actions.keys() - forms.keys() == {"reauthorize"}
    for name, form in forms.items():
        assert form is not None
        read = {field.encode_name for field in msgspec.structs.fields(form)}
        assert read == MICROSOFT.actions[name].parameters.keys()


def test_subscriptions_read_names_that_graph_has() -> None:
    """A misspelt name would be passed over as unknown."""
    web_push = {"vapidPublicKey", "webPushEncryptionP256dhPublicKey", "webPushEncryptionSecret"}
    for form, more in ((NewSubscription, web_push), (SubscriptionChange, set())):
        read = {field.encode_name for field in msgspec.structs.fields(form)}
        assert read <= MICROSOFT.types["subscription"].properties.keys() | more


@pytest.mark.parametrize("name", ["vapidPublicKey", "webPushEncryptionP256dhPublicKey", "webPushEncryptionSecret"])
async def test_web_push_is_refused_by_each_of_its_names(desk: Desk, receiver: Receiver, name: str) -> None:
    subscription = {
        "changeType": "updated",
        "notificationUrl": receiver.url,
        "resource": f"communications/presences/{TOMAS}",
        "expirationDateTime": datetime.fromtimestamp(desk.clock.now() + 3600, UTC).isoformat(),
        name: "a key",
    }
    answer = await desk.client(*DELEGATED, user=NADIA).post("/subscriptions", json=subscription)
    assert answer.status_code == 400
    assert "Web Push" in answer.json()["error"]["message"]
