"""Being told: from subscribing to what arrives at a real receiver, with a clock that can be set."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from aiohttp import web
from tests.conftest import JONAS, NADIA, TOMAS, Desk
from tests.flows.day import Someone
from tests.receiver import Receiver

from presenced.emulator import sample
from presenced.settings import Settings


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    receiver = Receiver()
    await receiver.start()
    yield receiver
    await receiver.stop()


@pytest.fixture
async def desk(desk: Desk) -> AsyncIterator[Desk]:
    """A desk whose server runs."""
    await desk.app.start()
    yield desk
    await desk.app.stop()


def expiry(desk: Desk, minutes: float = 60) -> str:
    return datetime.fromtimestamp(desk.clock.now() + minutes * 60, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def body(desk: Desk, receiver: Receiver, *people: str, **more: Any) -> dict[str, Any]:
    ids = ",".join(f"'{person}'" for person in people)
    return {
        "changeType": "updated",
        "notificationUrl": receiver.url,
        "resource": f"/communications/presences?$filter=id in ({ids})",
        "expirationDateTime": expiry(desk),
        "clientState": "secret",
    } | more


async def subscribe(desk: Desk, receiver: Receiver, *people: str, user: str = NADIA, **more: Any) -> dict[str, Any]:
    client = desk.client("Presence.Read.All", user=user, lifetime=5400)
    answer = await client.post("/subscriptions", json=body(desk, receiver, *people, **more))
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


async def test_a_change_arrives_as_graph_sends_it(desk: Desk, receiver: Receiver) -> None:
    made = await subscribe(desk, receiver, JONAS, TOMAS)
    assert receiver.handshakes == 1
    await Someone(desk).session("app", "Busy", "InACall")
    (item,) = await receiver.wait_for(1)
    assert item == {
        "subscriptionId": made["id"],
        "clientState": "secret",
        "changeType": "updated",
        "tenantId": sample.TENANT,
        "resource": f"communications/presences/{JONAS}",
        "subscriptionExpirationDateTime": "2027-01-15T09:00:00.0000000Z",
        "resourceData": {
            "@odata.type": "#microsoft.graph.presence",
            "@odata.id": f"users/{JONAS}/presence",
            "id": JONAS,
        },
        "organizationId": sample.TENANT,
    }


async def test_only_what_readers_see_change_is_told(desk: Desk, receiver: Receiver) -> None:
    await subscribe(desk, receiver, JONAS)
    jonas = Someone(desk)
    await jonas.session("app", "Busy", "InACall", "PT30M")
    await jonas.session("app", "Busy", "InACall", "PT30M")  # renewed
    await jonas.session("desk", "Available", "Available", "PT30M")  # behind the call
    await jonas.does("setStatusMessage", {"statusMessage": {"message": {"content": "x"}}})
    await Someone(desk, TOMAS).session("app", "Busy", "InACall", "PT1H")  # not subscribed to
    await jonas.prefers("DoNotDisturb", "DoNotDisturb", "PT10M")
    assert len(await receiver.wait_for(2)) == 2
    for seconds, count in ((599, 2), (1, 3), (1200, 4)):  # the choice ends, then the call and with it everything
        desk.clock.advance(seconds)
        await desk.app.service.settle()
        assert len(await receiver.wait_for(count)) == count
    await asyncio.sleep(0.1)
    assert len(receiver.items) == 4


async def test_an_endpoint_that_fails_is_tried_again_in_order(desk: Desk, receiver: Receiver) -> None:
    await subscribe(desk, receiver, JONAS)
    failures = 3

    async def fail(request: web.Request) -> web.StreamResponse:
        nonlocal failures
        failures -= 1
        return web.Response(status=500 if failures >= 0 else 202)

    receiver.behaviour = fail
    jonas = Someone(desk)
    states = [("Busy", "InACall"), ("Away", "Away"), ("Available", "Available"), ("DoNotDisturb", "Presenting")]
    for availability, activity in states:
        await jonas.session("app", availability, activity)
    async with asyncio.timeout(30):
        while len(receiver.items) < 4:
            await asyncio.sleep(0.02)
            desk.clock.advance(30)
            desk.app.notify.notifier.clock_moved()
    assert [item["resource"] for item in receiver.items] == [f"communications/presences/{JONAS}"] * 4


async def test_what_was_not_delivered_survives_a_restart(desk: Desk, receiver: Receiver) -> None:
    await subscribe(desk, receiver, JONAS)

    async def down(request: web.Request) -> web.StreamResponse:
        return web.Response(status=503)

    receiver.behaviour = down
    await Someone(desk).session("app", "Busy", "InACall")
    notifier = desk.app.notify.notifier
    await until(lambda: any(endpoint.counts.failed_posts for endpoint in notifier.endpoints()))
    await desk.app.stop()
    assert receiver.items == []
    receiver.behaviour = None
    await desk.app.start()
    assert len(await receiver.wait_for(1)) == 1
    await until(lambda: notifier.endpoints()[0].idle)
    await emptied(desk)


async def test_deliveries_pause_when_the_token_ends_and_go_on_when_reauthorized(desk: Desk, receiver: Receiver) -> None:
    made = await subscribe(desk, receiver, JONAS, lifecycleNotificationUrl=receiver.url + "/life")
    assert receiver.handshakes == 2
    client = desk.client("Presence.Read.All", user=NADIA, lifetime=80000)
    desk.clock.advance(3500)
    renewed = await client.patch(f"/subscriptions/{made['id']}", json={"expirationDateTime": expiry(desk)})
    assert renewed.status_code == 200
    short = desk.client("Presence.Read.All", user=NADIA, lifetime=600)
    assert (await short.post(f"/subscriptions/{made['id']}/reauthorize")).status_code == 204
    desk.clock.advance(460)
    desk.app.notify.notifier.clock_moved()
    (event,) = await receiver.wait_for(1)
    assert event["lifecycleEvent"] == "reauthorizationRequired"
    assert set(event) == {
        "subscriptionId",
        "subscriptionExpirationDateTime",
        "tenantId",
        "clientState",
        "lifecycleEvent",
    }
    desk.clock.advance(140)
    await Someone(desk).session("app", "Busy", "InACall")
    await asyncio.sleep(0.2)
    assert len(receiver.items) == 1
    assert (await client.post(f"/subscriptions/{made['id']}/reauthorize")).status_code == 204
    assert (await receiver.wait_for(2))[1]["resourceData"]["id"] == JONAS


async def test_the_life_of_a_subscription(desk: Desk, receiver: Receiver) -> None:
    client = desk.client("Presence.Read.All", user=NADIA)
    made = await subscribe(desk, receiver, JONAS)
    assert made["@odata.context"] == "http://localhost:8080/v1.0/$metadata#subscriptions/$entity"
    path = f"/subscriptions/{made['id']}"
    assert (await client.get(path)).json() == made
    (listed,) = (await client.get("/subscriptions")).json()["value"]
    assert listed == {name: value for name, value in made.items() if name != "@odata.context"} | {"clientState": None}
    second = await client.post("/subscriptions", json=body(desk, receiver, TOMAS))
    assert (second.status_code, second.json()["error"]["code"]) == (409, "ExtensionError")
    assert "A subscripton already exists." in second.json()["error"]["message"]
    stranger = desk.client("Presence.Read.All", user=TOMAS)
    for answer in (await stranger.get(path), await stranger.delete(path), await stranger.patch(path, json={})):
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, "ResourceNotFound")
    assert (await stranger.get("/subscriptions")).json()["value"] == []
    desk.clock.advance(3600)
    assert (await client.get(path)).status_code == 404
    assert (await client.get("/subscriptions")).json()["value"] == []
    made = await subscribe(desk, receiver, JONAS)
    assert (await client.delete(f"/subscriptions/{made['id']}")).status_code == 204
    await Someone(desk).session("app", "Busy", "InACall")
    await asyncio.sleep(0.2)
    assert receiver.items == []


async def emptied(desk: Desk) -> None:
    """Wait until nothing is in the outbox, which what was told leaves a little later."""
    async with asyncio.timeout(20):
        while await desk.app.store.endpoints():  # noqa: ASYNC110
            await asyncio.sleep(0.02)


async def until(holds: Callable[[], bool]) -> None:
    """Wait for something that has no event of its own."""
    async with asyncio.timeout(20):
        while not holds():  # noqa: ASYNC110
            await asyncio.sleep(0.02)


REFUSED: list[tuple[dict[str, Any], int, str, str]] = [
    ({"changeType": None}, 400, "InvalidRequest", "changeType is a required property"),
    ({"changeType": "created"}, 400, "InvalidRequest", "changeType can only be 'updated'"),
    ({"notificationUrl": None}, 400, "InvalidRequest", "notificationUrl is a required property"),
    ({"resource": None}, 400, "InvalidRequest", "resource is a required property"),
    ({"expirationDateTime": None}, 400, "InvalidRequest", "expirationDateTime is a required property for subscription"),
    ({"expirationDateTime": "soon"}, 400, "InvalidRequest", "not a date and time"),
    ({"expirationDateTime": "2027-01-15T07:00:00Z"}, 400, "ExtensionError", "must be in the future"),
    ({"expirationDateTime": "2027-01-15T10:00:00Z"}, 400, "ExtensionError", "only be 60 minutes in the future"),
    ({"resource": "/me/messages"}, 400, "InvalidRequest", "not one that can be subscribed to"),
    ({"resource": "communications/presences/nobody"}, 400, "InvalidRequest", "not the object id"),
    ({"resource": "communications/presences"}, 400, "InvalidRequest", "extensions = true"),
    ({"clientState": "x" * 129}, 400, "InvalidRequest", "clientState is longer than 128"),
    ({"encryptionCertificateId": "x" * 129}, 400, "InvalidRequest", "encryptionCertificateId is longer than 128"),
    ({"notificationUrlAppId": "x" * 129}, 400, "InvalidRequest", "notificationUrlAppId is longer than 128"),
    ({"latestSupportedTlsVersion": "v9"}, 400, "InvalidRequest", "v1_2"),
    ({"includeResourceData": True}, 400, "InvalidRequest", "encryptionCertificate"),
    ({"encryptionCertificate": "AAAA"}, 400, "ValidationError", "Certificate validation error:"),
    ({"vapidPublicKey": "x"}, 400, "InvalidRequest", "Web Push"),
    ({"notificationUrl": "http://example.com/x"}, 400, "InvalidRequest", "https"),
    ({"notificationUrl": "https://10.0.0.1/x"}, 400, "InvalidRequest", ""),
    ({"notificationUrl": "http://127.0.0.1:9/x"}, 400, "ValidationError", "Subscription validation request failed."),
]


@pytest.mark.parametrize(("change", "status", "code", "words"), REFUSED)
async def test_what_is_refused(
    desk: Desk, receiver: Receiver, change: dict[str, Any], status: int, code: str, words: str
) -> None:
    client = desk.client("Presence.Read.All", user=NADIA)
    answer = await client.post("/subscriptions", json=body(desk, receiver, JONAS, **change))
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code), answer.text
    assert words in answer.json()["error"]["message"]
    assert (await client.get("/subscriptions")).json()["value"] == []


async def test_more_than_650_and_applications_are_refused(desk: Desk, receiver: Receiver) -> None:
    many = [f"{number:08x}-0000-4000-8000-000000000000" for number in range(651)]
    client = desk.client("Presence.Read.All", user=NADIA)
    too_many = await client.post("/subscriptions", json=body(desk, receiver, *many))
    assert (too_many.status_code, too_many.json()["error"]["code"]) == (403, "ExtensionError")
    assert "650" in too_many.json()["error"]["message"]
    application = await desk.client("Presence.Read.All").post("/subscriptions", json=body(desk, receiver, JONAS))
    assert (application.status_code, application.json()["error"]["code"]) == (403, "ExtensionError")
    assert "not authorized for this user or application" in application.json()["error"]["message"]
    assert (await client.post("/subscriptions", json=body(desk, receiver, *many[:650]))).status_code == 201


async def test_what_cannot_be_changed_to(desk: Desk, receiver: Receiver) -> None:
    made = await subscribe(desk, receiver, JONAS)
    client = desk.client("Presence.Read.All", user=NADIA)
    for change in (
        {"encryptionCertificateId": None},
        {"encryptionCertificateId": ""},
        {"encryptionCertificateId": "x" * 129},
        {"notificationUrl": ""},
        {"lifecycleNotificationUrl": receiver.url},
    ):
        answer = await client.patch(f"/subscriptions/{made['id']}", json=change)
        assert (answer.status_code, answer.json()["error"]["code"]) == (400, "InvalidRequest"), change


class TestBehindAProxy:
    @pytest.fixture
    def settings(self) -> Settings:
        return Settings(sample=True, public_url="https://presence.example.com")

    async def test_this_machine_cannot_be_called_by_others(self, desk: Desk, receiver: Receiver) -> None:
        client = desk.client("Presence.Read.All", user=NADIA)
        answer = await client.post("/subscriptions", json=body(desk, receiver, JONAS))
        assert (answer.status_code, answer.json()["error"]["code"]) == (400, "InvalidRequest")
        assert receiver.handshakes == 0


async def test_a_short_life_is_raised_to_45_minutes(desk: Desk, receiver: Receiver) -> None:
    made = await subscribe(desk, receiver, JONAS, expirationDateTime=expiry(desk, 5))
    assert made["expirationDateTime"] == "2027-01-15T08:45:00.0000000Z"


class TestExtensions:
    """What Graph cannot do."""

    @pytest.fixture
    def settings(self) -> Settings:
        return Settings(sample=True, extensions=True, notify_spelling="observed")

    async def test_an_application_hears_of_everybody(self, desk: Desk, receiver: Receiver) -> None:
        client = desk.client("Presence.Read.All")
        new = body(desk, receiver, resource="communications/presences", expirationDateTime=expiry(desk, 2 * 24 * 60))
        for again in (201, 409):
            assert (await client.post("/subscriptions", json=new)).status_code == again
        second, third = await asyncio.gather(
            *(client.post("/subscriptions", json=body(desk, receiver, TOMAS)) for _ in range(2))
        )
        assert sorted((second.status_code, third.status_code)) == [201, 409], "the same one twice"
        people = [f"{number:08x}-0000-4000-8000-000000000000" for number in range(5000)]
        large, other = await asyncio.gather(
            client.post("/subscriptions", json=body(desk, receiver, *people)),
            client.post("/subscriptions", json=body(desk, receiver, people[0])),
        )
        assert (large.status_code, other.status_code) == (201, 201), large.text
        await Someone(desk).session("app", "Busy", "InACall")
        (item,) = await receiver.wait_for(1)
        assert item["resource"] == f"communications/presences('{JONAS}')"
        assert item["resourceData"]["@odata.type"] == "#Microsoft.Graph.presence"
        assert item["subscriptionExpirationDateTime"].endswith("+00:00")
        await Someone(desk, TOMAS).session("app", "Busy", "InACall")
        assert len(await receiver.wait_for(3)) == 3


async def test_an_endpoint_that_comes_back_after_an_hour(desk: Desk, receiver: Receiver) -> None:
    """It resets connections meanwhile; nothing is lost, and somebody else's endpoint is not kept waiting."""
    other = Receiver()
    await other.start()
    await subscribe(desk, receiver, JONAS, expirationDateTime=expiry(desk, 60))
    await subscribe(desk, other, JONAS, user=TOMAS)

    async def reset(request: web.Request) -> web.StreamResponse:
        assert request.transport is not None
        request.transport.abort()
        return web.Response(status=500)

    receiver.behaviour = reset
    jonas = Someone(desk)
    for number, (availability, activity) in enumerate([("Busy", "InACall"), ("Away", "Away")] * 30, 1):
        await jonas.session("app", availability, activity)
        desk.clock.advance(55)
        desk.app.notify.notifier.clock_moved()
        assert len(await other.wait_for(number)) == number  # at once
    assert receiver.items == []
    receiver.behaviour = None
    desk.clock.advance(650)  # the longest wait between tries is ten minutes
    desk.app.notify.notifier.clock_moved()
    assert len(await receiver.wait_for(60)) == 60
    await other.stop()


async def test_what_fails_for_four_hours_is_dropped_and_counted(desk: Desk, receiver: Receiver) -> None:
    await subscribe(desk, receiver, JONAS)

    async def down(request: web.Request) -> web.StreamResponse:
        return web.Response(status=500)

    receiver.behaviour = down
    await Someone(desk).session("app", "Busy", "InACall")
    notifier = desk.app.notify.notifier
    await until(lambda: bool(notifier.endpoints()) and notifier.endpoints()[0].counts.failed_posts > 0)
    (endpoint,) = notifier.endpoints()
    assert endpoint.last_error == "It answered 500."
    desk.clock.advance(4 * 3600)
    notifier.clock_moved()
    await until(lambda: endpoint.counts.dropped == 1)
    await until(lambda: endpoint.idle)
    await emptied(desk)


async def test_an_endpoint_that_hangs_is_given_three_seconds_and_then_ten(desk: Desk, receiver: Receiver) -> None:
    await subscribe(desk, receiver, JONAS)
    waited: list[float] = []

    async def hang(request: web.Request) -> web.StreamResponse:
        began = asyncio.get_running_loop().time()
        try:
            await asyncio.sleep(60)
        finally:
            waited.append(asyncio.get_running_loop().time() - began)
        return web.Response(status=202)

    receiver.behaviour = hang
    await Someone(desk).session("app", "Busy", "InACall")
    notifier = desk.app.notify.notifier
    for failures in (1, 2):
        await until(
            lambda failures=failures: any(one.counts.failed_posts == failures for one in notifier.endpoints())  # type: ignore[misc]
        )
        desk.clock.advance(60)
        notifier.clock_moved()
    receiver.behaviour = None
    desk.clock.advance(60)
    notifier.clock_moved()
    assert len(await receiver.wait_for(1)) == 1
