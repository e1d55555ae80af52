"""Faults in notifications: lost, late, doubled, reordered, and handshakes that fail, with a real receiver."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from tests.conftest import JONAS, NADIA, TOMAS
from tests.emulator.controlled import Controlled, controlled
from tests.flows.test_notifications_kill import receiver as receiver
from tests.notify.subscriber import b64, certify, decrypt, der, rsa_key
from tests.receiver import Receiver


@pytest.fixture(scope="module")
def module(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Controlled]:
    with controlled(tmp_path_factory.mktemp("faults") / "data") as made:
        yield made


@pytest.fixture
def desk(module: Controlled, receiver: Receiver) -> Controlled:
    """The clock stands still, and Nadia has subscribed to Jonas with what he is."""
    module.begin()
    module.control.post("/clock", json={"frozen": True})
    rich: dict[str, Any] = {
        "includeResourceData": True,
        "encryptionCertificate": b64(der(certify(KEY))),
        "encryptionCertificateId": "1",
        "lifecycleNotificationUrl": receiver.url,
    }
    answer = module.subscribe(receiver.url, JONAS, TOMAS, **rich)
    assert answer.status_code == 201, answer.text
    return module


KEY = rsa_key()


def told(receiver: Receiver) -> list[str]:
    """What the receiver has heard, in the order of arrival."""
    return [json.loads(decrypt(item["encryptedContent"], KEY))["activity"] for item in receiver.items]


def advance(desk: Controlled, by: str) -> None:
    """Move the clock on; what was due has been told when it returns."""
    assert desk.control.post("/clock/advance", json={"by": by}).status_code == 200


def say(desk: Controlled, *activities: str, person: str = JONAS) -> None:
    """States one after the other, each told before the next."""
    for activity in activities:
        desk.set_state(activity, person=person)
        advance(desk, "PT1S")


STATES = ("InACall", "Available", "InAConferenceCall", "Away")


def test_lost(desk: Controlled, receiver: Receiver) -> None:
    number = desk.add({"notification": "lost"}, nth=2)
    say(desk, *STATES)
    assert told(receiver) == ["InACall", "InAConferenceCall", "Away"]
    assert desk.counts(number) == (4, 1)
    (endpoint,) = map(str.split, desk.server.command("deliveries").splitlines()[1:-1])
    assert endpoint[1:3] == ["0", "4"]  # nothing waits, and all four count as told


def test_doubled(desk: Controlled, receiver: Receiver) -> None:
    number = desk.add({"notification": "doubled"}, nth=2)
    say(desk, *STATES)
    assert told(receiver) == ["InACall", "Available", "Available", "InAConferenceCall", "Away"]
    assert [len(post["value"]) for post in receiver.posts] == [1, 1, 1, 1, 1]
    assert [entry["faults"] for entry in desk.log("deliveries") if entry["kind"] == "notification"] == [
        [], [number], [number], [], []
    ]  # fmt: skip


def test_late_by_the_servers_clock(desk: Controlled, receiver: Receiver) -> None:
    number = desk.add({"notification": "late", "delay": "PT10M"}, nth=1)
    say(desk, *STATES)
    assert told(receiver) == ["Available", "InAConferenceCall", "Away"]
    advance(desk, "PT9M55S")
    assert len(told(receiver)) == 3
    advance(desk, "PT1S")
    assert told(receiver) == ["Available", "InAConferenceCall", "Away", "InACall"]
    assert desk.counts(number) == (4, 1)  # when it comes at last it is not met once more


def test_late_ones_come_in_their_order(desk: Controlled, receiver: Receiver) -> None:
    desk.add({"notification": "late", "delay": "PT10M"}, times=2)
    desk.set_state("InACall")
    desk.set_state("Available")
    desk.set_state("Away")
    advance(desk, "PT1H")
    heard = told(receiver)
    assert (heard[0], heard[1:3]) == ("Away", ["InACall", "Available"])


def test_reordered(desk: Controlled, receiver: Receiver) -> None:
    desk.add({"notification": "reordered"}, nth=2)
    say(desk, *STATES)
    assert told(receiver) == ["InACall", "InAConferenceCall", "Available", "Away"]


def test_reordered_with_nothing_after_it(desk: Controlled, receiver: Receiver) -> None:
    desk.add({"notification": "reordered"}, nth=4)
    say(desk, *STATES)
    assert told(receiver) == list(STATES[:3])
    advance(desk, "PT1M")
    assert told(receiver) == list(STATES)


def test_of_one_person(desk: Controlled, receiver: Receiver) -> None:
    number = desk.add({"notification": "lost"}, person=TOMAS)
    say(desk, "InACall", "Away", person=TOMAS)
    say(desk, "InAConferenceCall", person=JONAS)
    assert told(receiver) == ["InAConferenceCall"]
    assert desk.counts(number) == (2, 2)


def test_a_lifecycle_notification_is_one_too(module: Controlled, receiver: Receiver) -> None:
    module.begin()
    module.control.post("/clock", json={"frozen": True})
    with module.server.client("--lifetime", "1h", "--user", NADIA) as client:
        assert module.subscribe(receiver.url, by=client, lifecycleNotificationUrl=receiver.url).status_code == 201
    number = module.add({"notification": "doubled"})
    advance(module, "PT50M")
    assert [item["lifecycleEvent"] for item in receiver.items] == ["reauthorizationRequired"] * 2
    assert module.counts(number) == (1, 1)


def test_a_deleted_subscription_takes_what_is_late_with_it(desk: Controlled, receiver: Receiver) -> None:
    desk.add({"notification": "late", "delay": "PT10M"})
    say(desk, "InACall")
    (one,) = desk.nadia.get("/subscriptions").json()["value"]
    assert desk.nadia.delete(f"/subscriptions/{one['id']}").status_code == 204
    advance(desk, "PT20M")
    assert receiver.items == []


def test_a_failing_post_is_met_once(desk: Controlled, receiver: Receiver) -> None:
    async def fail(request: web.Request) -> web.StreamResponse:
        return web.Response(status=500)

    receiver.behaviour = fail
    number = desk.add({"notification": "doubled"}, nth=1)
    say(desk, "InACall")
    assert receiver.items == []
    receiver.behaviour = None
    advance(desk, "PT1M")
    assert told(receiver) == ["InACall", "InACall"]
    assert desk.counts(number) == (1, 1)


def test_what_is_late_survives_a_restart(tmp_path: Path, receiver: Receiver) -> None:
    with controlled(tmp_path / "data") as desk:
        assert desk.subscribe(receiver.url, JONAS).status_code == 201
        number = desk.add({"notification": "late", "delay": "PT10M"})
        desk.set_state("InACall")
        while desk.counts(number) != (1, 1):
            time.sleep(0.02)
        assert desk.server.stop() == 0
    with controlled(tmp_path / "data") as desk:
        assert len(desk.wait("deliveries", status=202)) == 1


@pytest.mark.parametrize(
    ("handshake", "code", "says"),
    [
        ("timeout", "InvalidRequest", "Subscription validation request timed out."),
        ("refused", "ValidationError", "must respond with the validation token as its whole body"),
    ],
)
def test_a_right_handshake_fails(module: Controlled, receiver: Receiver, handshake: str, code: str, says: str) -> None:
    module.begin()
    number = module.add({"handshake": handshake}, nth=1)
    answer = module.subscribe(receiver.url)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, code)
    assert says in answer.json()["error"]["message"]
    assert receiver.handshakes == 1
    assert module.subscribe(receiver.url).status_code == 201
    assert module.counts(number) == (2, 1)
    entries = module.log("deliveries")
    assert [(entry["kind"], entry["status"], entry["faults"]) for entry in entries] == [
        ("handshake", 200, [number]),
        ("handshake", 200, []),
    ]
