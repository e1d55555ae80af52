"""What the board says of people, and what it changes."""

from typing import Any

import pytest
from tests.conftest import JONAS, NADIA, TOMAS, Desk
from tests.web.looker import Looker

from presenced.emulator import sample
from presenced.identity.directory import Directory, PersonChange

NOBODY = "99999999-0000-4000-8000-000000000001"
ELIF = "5ca1ab1e-0000-4000-8000-000000000105"
HIRO = "5ca1ab1e-0000-4000-8000-000000000108"


async def rows(looker: Looker) -> dict[str, Any]:
    answer = await looker.get("people")
    return {row["id"]: row for row in answer.json()["people"]}


async def test_everybody_with_what_readers_see(desk: Desk, owner: Looker) -> None:
    everybody = await rows(owner)
    assert len(everybody) == 12
    nadia = everybody[NADIA]
    assert nadia == {
        "id": NADIA,
        "availability": "Busy",
        "activity": "InAMeeting",
        "since": pytest.approx(desk.clock.now(), abs=1e-3),
        "displayName": "Nadia Petrova",
        "userPrincipalName": "nadia@sample.example",
        "jobTitle": "Product Manager",
    }
    assert everybody[ELIF]["message"] == "Heads down on the release."
    assert everybody[ELIF]["workLocation"] == "remote"
    assert everybody[HIRO]["isOutOfOffice"]


async def test_pages(owner: Looker) -> None:
    seen: list[str] = []
    after: str | None = ""
    while after is not None:
        page = (await owner.get("people", limit="5", after=after)).json()
        assert page["total"] == 12
        assert len(page["people"]) <= 5
        seen += [row["id"] for row in page["people"]]
        after = page["next"]
    assert seen == sorted(seen)
    assert len(set(seen)) == 12


@pytest.mark.parametrize("limit", ["0", "-1", "1001", "x", "", "٣", "1e3", "9" * 5000])
async def test_bad_pages(owner: Looker, limit: str) -> None:
    assert (await owner.get("people", limit=limit)).status_code == 400


async def test_a_person_in_full(desk: Desk, owner: Looker) -> None:
    now = desk.clock.now()
    body = {"sessionId": "a", "availability": "Available", "activity": "Available", "expirationDuration": "PT1H"}
    assert (await owner.post(f"people/{JONAS}/setPresence", body)).status_code == 204
    shown = await owner.person(JONAS)
    assert shown["sessions"] == [
        {
            "id": "a",
            "availability": "Available",
            "activity": "Available",
            "shownAvailability": "Available",
            "shownActivity": "Available",
            "setAt": now,
            "expiresAt": now + 3600,
        }
    ]
    assert shown["nextChange"] == {"at": now + 300, "availability": "Available", "activity": "AvailableInactive"}
    desk.clock.advance(700)
    shown = await owner.person(JONAS)
    assert (shown["row"]["availability"], shown["sessions"][0]["shownActivity"]) == ("Away", "Away")
    assert shown["nextChange"] == {"at": now + 3600, "availability": "Offline", "activity": "Offline"}


async def test_a_preferred_state_that_does_not_show(owner: Looker) -> None:
    body = {"availability": "DoNotDisturb", "activity": "DoNotDisturb"}
    await owner.post(f"people/{JONAS}/setUserPreferredPresence", body)
    shown = await owner.person(JONAS)
    assert shown["preferred"]["shows"] is False
    assert shown["row"]["availability"] == "Offline"
    await owner.post(f"people/{JONAS}/clearUserPreferredPresence")
    assert (await owner.person(JONAS))["preferred"] is None


async def test_what_is_set_by_click_is_what_graph_says(desk: Desk, owner: Looker) -> None:
    body = {"availability": "BeRightBack", "activity": "BeRightBack", "expirationDuration": "PT15M"}
    assert (await owner.post(f"people/{NADIA}/setUserPreferredPresence", body)).status_code == 204
    assert (await owner.post(f"people/{NADIA}/setManualLocation", {"workLocationType": "office"})).status_code == 204
    graph = desk.client("Presence.Read.All")
    presence = (await graph.get(f"/users/{NADIA}/presence")).json()
    assert (presence["availability"], presence["workLocation"]["workLocationType"]) == ("BeRightBack", "office")
    assert (await owner.post(f"people/{NADIA}/clearLocation")).status_code == 204
    assert (await owner.post(f"people/{TOMAS}/clearPresence", {"sessionId": "teams-desktop"})).status_code == 204
    assert (await graph.get(f"/users/{TOMAS}/presence")).json()["availability"] == "Offline"


@pytest.mark.parametrize(
    ("action", "body", "status"),
    [
        ("setPresence", {}, 400),
        ("setPresence", {"sessionId": "a", "availability": "Away", "activity": "Presenting"}, 400),
        ("setPresence", {"sessionId": "x" * 300, "availability": "Away", "activity": "Away"}, 400),
        ("setPresence", {"sessionId": 5}, 400),
        ("setUserPreferredPresence", {"availability": "Busy", "activity": "Busy", "expirationDuration": "soon"}, 400),
        ("clearPresence", {"sessionId": "none"}, 404),
        ("setStatusMessage", {"statusMessage": {"message": {"content": "x" * 2000}}}, 400),
        ("setStatusMessage", {"statusMessage": {"message": {"content": "x" * 20_000}}}, 413),
        ("setManualLocation", {"workLocationType": "moon"}, 400),
        ("setManualLocation", [1], 400),
        ("deleteEverything", {}, 404),
    ],
)
async def test_bad_changes(owner: Looker, action: str, body: Any, status: int) -> None:
    before = await owner.person(NADIA)
    answer = await owner.post(f"people/{NADIA}/{action}", body)
    assert answer.status_code == status
    assert answer.json()["error"]
    assert await owner.person(NADIA) == before


@pytest.mark.parametrize("content", [b"{", b"\xff", b"[" * 5000, b'"\\ud800"', b"null"])
async def test_bad_bodies(owner: Looker, content: bytes) -> None:
    for path in (f"/board/people/{NADIA}/setPresence", "/board/session"):
        answer = await owner.client.post(path, content=content, headers=owner.sends)
        assert answer.status_code == 400, path


async def test_the_board_adds_nobody(owner: Looker) -> None:
    body = {"availability": "Busy", "activity": "Busy"}
    assert (await owner.post(f"people/{NOBODY}/setUserPreferredPresence", body)).status_code == 404
    assert (await owner.get(f"people/{NOBODY}")).status_code == 404
    assert (await owner.get("people/nobody")).status_code == 404
    assert len(await rows(owner)) == 12


async def test_since_when_and_what_was_before(desk: Desk, owner: Looker) -> None:
    await rows(owner)  # from now on the history is read
    begun = desk.clock.now()
    states = [("Busy", "Busy"), ("Away", "Away"), ("DoNotDisturb", "DoNotDisturb")]
    for availability, activity in states:
        desk.clock.advance(60)
        body = {"availability": availability, "activity": activity}
        await owner.post(f"people/{NADIA}/setUserPreferredPresence", body)
    desk.clock.advance(60)
    await owner.post(f"people/{NADIA}/setStatusMessage", {"statusMessage": {"message": {"content": "Later"}}})
    shown = await owner.person(NADIA)
    # the message came later, but since when she is not to be disturbed stays
    assert shown["row"]["since"] == pytest.approx(begun + 180, abs=1e-3)
    steps = [(step["availability"], step.get("message", ""), round(step["at"] - begun)) for step in shown["history"]]
    assert steps == [
        ("DoNotDisturb", "Later", 240),
        ("DoNotDisturb", "", 180),
        ("Away", "", 120),
        ("Busy", "", 60),
        ("Busy", "", 0),
    ]


async def test_the_history_of_before_the_board_was_opened(desk: Desk, stranger: Looker) -> None:
    graph = desk.client("Presence.ReadWrite.All")
    for availability in ("Busy", "Away"):
        desk.clock.advance(60)
        body = {"availability": availability, "activity": availability}
        await graph.post(f"/users/{NADIA}/presence/setUserPreferredPresence", json=body)
    await stranger.open(desk.app.board.links.new())
    await stranger.get("people")
    assert desk.app.board._history._reading is not None
    await desk.app.board._history._reading
    steps = [step["availability"] for step in (await stranger.person(NADIA))["history"]]
    assert steps == ["Away", "Busy", "Busy"]


async def test_the_history_of_one_person_is_bounded(desk: Desk, owner: Looker) -> None:
    await rows(owner)
    for number in range(130):
        desk.clock.advance(1)
        message = {"statusMessage": {"message": {"content": f"{number}"}}}
        await owner.post(f"people/{NADIA}/setStatusMessage", message)
    history = (await owner.person(NADIA))["history"]
    assert len(history) == 50
    assert history[0]["message"] == "129"


async def test_markup_stays_text(desk: Desk, owner: Looker) -> None:
    markup = "<img src=x onerror=alert(1)>"
    directory = Directory(desk.app.store, desk.clock)
    await directory.update(sample.TENANT, JONAS, PersonChange(display_name=markup))
    answer = await owner.get("people")
    assert answer.headers["content-type"] == "application/json"
    assert (await rows(owner))[JONAS]["displayName"] == markup


async def test_there_is_no_clock_to_move_and_no_log(owner: Looker) -> None:
    session = (await owner.get("session")).json()
    assert not session["clock"]
    for question in ("clock", "log"):
        answer = await owner.get(question)
        assert answer.status_code == 404
        assert "--control" in answer.json()["error"]


async def test_subscriptions_and_deliveries(owner: Looker) -> None:
    assert (await owner.get("subscriptions")).json() == {"subscriptions": [], "deliveries": [], "more": 0}


async def test_files(stranger: Looker) -> None:
    script = await stranger.client.get("/board/static/main.js")
    assert script.headers["content-type"] == "text/javascript; charset=utf-8"
    again = await stranger.client.get("/board/static/main.js", headers={"If-None-Match": script.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    for name in ("none.js", "..%2fboard.py", "%2e%2e", "__init__.py"):
        assert (await stranger.client.get(f"/board/static/{name}")).status_code == 404


async def test_paths_and_methods(stranger: Looker) -> None:
    assert (await stranger.client.get("/board/nothing")).status_code == 404
    assert (await stranger.client.put("/board/people")).status_code == 405
    assert (await stranger.client.post("/")).status_code == 405
