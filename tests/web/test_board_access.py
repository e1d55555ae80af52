"""Who gets in to the board, by which way, and what is refused before anything else is looked at."""

import pytest
from tests.conftest import JONAS, NADIA, Desk
from tests.web.conftest import sign_in
from tests.web.looker import Looker

from presenced.emulator import sample

AMARA = "5ca1ab1e-0000-4000-8000-000000000101"
QUESTIONS = ("session", "people", f"people/{NADIA}", "events", "subscriptions", "clock", "log")


async def test_strangers_get_the_page_and_nothing_else(stranger: Looker) -> None:
    page = await stranger.client.get("/")
    assert page.status_code == 200
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    for question in QUESTIONS:
        answer = await stranger.get(question)
        assert answer.status_code == 401, question
        assert answer.json() == {"error": "Sign in first."}
    assert (await stranger.post(f"people/{NADIA}/clearUserPreferredPresence")).status_code == 401


async def test_every_answer_has_the_headers_that_protect_it(owner: Looker, stranger: Looker) -> None:
    for looker, path in (
        (stranger, "/"),
        (stranger, "/board/static/main.js"),
        (stranger, "/board/people"),
        (stranger, "/board/nothing"),
        (owner, "/board/people"),
        (owner, "/board/people/none"),
    ):
        headers = (await looker.client.get(path)).headers
        policy = headers["content-security-policy"]
        assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'"), path
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["cache-control"] in ("no-store", "no-cache")
        assert "access-control-allow-origin" not in headers


async def test_a_link_is_good_once(desk: Desk, stranger: Looker) -> None:
    secret = desk.app.board.links.new()
    assert len(secret) >= 43  # 256 bits
    opened = await stranger.open(secret)
    assert opened.status_code == 204
    cookie = opened.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert secret.lower() not in cookie
    assert (await stranger.get("session")).json()["role"] == "owner"

    other = Looker(desk.app)
    assert (await other.open(secret)).status_code == 403
    assert (await other.get("session")).status_code == 401
    await other.client.aclose()


@pytest.mark.parametrize("secret", ["", "x", "a" * 43, "é", "\x00"])
async def test_what_is_no_link(desk: Desk, stranger: Looker, secret: str) -> None:
    desk.app.board.links.new()
    answer = await stranger.open(secret)
    assert answer.status_code in (400, 403)
    assert "set-cookie" not in answer.headers


async def test_a_link_ends_after_ten_minutes(desk: Desk, stranger: Looker, monkeypatch: pytest.MonkeyPatch) -> None:
    at = [1000.0]
    monkeypatch.setattr(desk.app.board.links, "_clock", lambda: at[0])
    early, late = desk.app.board.links.new(), desk.app.board.links.new()
    at[0] += 599
    assert (await stranger.open(early)).status_code == 204
    at[0] += 1
    assert (await stranger.open(late)).status_code == 403


async def test_only_so_many_links_are_good_at_once(desk: Desk, stranger: Looker) -> None:
    first, *others = [desk.app.board.links.new() for _ in range(21)]
    assert (await stranger.open(first)).status_code == 403
    assert (await stranger.open(others[0])).status_code == 204


async def test_signing_out_ends_the_session(owner: Looker) -> None:
    cookies = dict(owner.client.cookies)
    assert (await owner.sign_out()).status_code == 204
    owner.client.cookies.update(cookies)
    assert (await owner.get("session")).status_code == 401


async def test_a_session_lives_through_a_restart(desk: Desk, owner: Looker) -> None:
    desk.app.board._sessions = None  # as a new process has it
    assert (await owner.get("session")).json()["role"] == "owner"
    kept = await desk.app.store.documents("board-sessions")
    assert len(kept) == 1
    for cookie in owner.client.cookies.values():  # what is kept opens nothing
        assert cookie.encode() not in b"".join([*map(str.encode, kept), *kept.values()])


async def test_moving_the_servers_clock_signs_nobody_out(desk: Desk, owner: Looker) -> None:
    desk.clock.advance(400 * 86400)
    assert (await owner.get("session")).status_code == 200


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8080", "localhost.evil.example", "", "presenced"])
async def test_a_rebound_name_gets_nothing(owner: Looker, host: str) -> None:
    for path in ("/", "/board/people", "/board/static/main.js"):
        answer = await owner.client.get(path, headers={"Host": host})
        assert answer.status_code == 421, path
        assert "--public-url" in answer.json()["error"]


@pytest.mark.parametrize(
    "changed",
    [
        {"X-Presenced-Board": ""},
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": ""},
        {"Origin": "http://localhost:8081"},
        {"Origin": "https://localhost:8080"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
async def test_other_sites_can_change_nothing(desk: Desk, owner: Looker, changed: dict[str, str]) -> None:
    secret = desk.app.board.links.new()
    headers = owner.sends | changed
    body = {"availability": "Busy", "activity": "Busy"}
    for method, path, sent in (
        ("POST", f"/board/people/{NADIA}/setUserPreferredPresence", body),
        ("POST", "/board/session", {"link": secret}),
        ("DELETE", "/board/session", None),
        ("POST", "/board/clock", {"frozen": True}),
    ):
        answer = await owner.client.request(method, path, json=sent, headers=headers)
        assert answer.status_code == 403, path
    assert (await owner.person(NADIA))["preferred"] is None
    assert (await owner.open(secret)).status_code == 204  # it was not used up


async def test_other_sites_can_read_nothing(owner: Looker) -> None:
    answer = await owner.client.get("/board/people", headers={"Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == 403


async def test_a_graph_token_opens_nothing(desk: Desk) -> None:
    client = desk.client("Presence.Read.All", "Presence.ReadWrite.All")
    assert (await client.get("http://localhost:8080/board/people")).status_code == 401


async def test_people_see_their_tenant_and_change_themselves(amara: Looker) -> None:
    session = (await amara.get("session")).json()
    assert (session["role"], session["person"], session["name"]) == ("person", AMARA, "Amara Okafor")
    assert session["tenants"] == []
    assert (await amara.get("people")).json()["total"] == 12
    own = await amara.person(AMARA)
    assert own["sessions"]
    assert own["history"] is not None
    answer = await amara.post(f"people/{AMARA}/setStatusMessage", {"statusMessage": {"message": {"content": "Hello"}}})
    assert answer.status_code == 204
    assert (await amara.person(AMARA))["statusMessage"]["content"] == "Hello"


async def test_people_see_of_others_what_colleagues_see(amara: Looker) -> None:
    others = await amara.person("5ca1ab1e-0000-4000-8000-000000000105")
    assert set(others) == {"row"}
    assert others["row"]["message"] == "Heads down on the release."


async def test_people_cannot_change_others(amara: Looker, owner: Looker) -> None:
    for action in ("setUserPreferredPresence", "clearUserPreferredPresence", "setPresence", "setStatusMessage"):
        answer = await amara.post(f"people/{NADIA}/{action}", {"availability": "Busy", "activity": "Busy"})
        assert answer.status_code == 403
    assert (await owner.person(NADIA))["preferred"] is None


async def test_people_see_nothing_of_the_owners(amara: Looker) -> None:
    for question in ("subscriptions", "clock", "log"):
        assert (await amara.get(question)).status_code == 403
    assert (await amara.post("clock", {"frozen": True})).status_code == 403


async def test_a_changed_password_signs_out(desk: Desk, amara: Looker) -> None:
    await desk.app.identity.passwords.set(sample.TENANT, AMARA, "another one")
    assert (await amara.get("session")).status_code == 401


async def test_a_removed_person_is_signed_out(desk: Desk, amara: Looker) -> None:
    await desk.app.store.change(sample.TENANT, AMARA, lambda record: None)
    assert (await amara.get("session")).status_code == 401


async def test_a_sign_in_belongs_to_the_browser_that_began_it(desk: Desk, stranger: Looker) -> None:
    await sign_in(stranger, "jonas@sample.example")
    assert (await stranger.get("session")).json()["person"] == JONAS
    # the same way, but the last step in another browser, which would then be signed in as somebody else
    victim, attacker = Looker(desk.app), Looker(desk.app)
    answer = await attacker.client.get("/board/sign-in")
    state = answer.headers["location"].partition("state=")[2].partition("&")[0]
    refused = await victim.client.get("/board/signed-in", params={"code": "c", "state": state})
    assert refused.status_code == 400
    assert (await victim.get("session")).status_code == 401
    await victim.client.aclose()
    await attacker.client.aclose()


@pytest.mark.parametrize("query", [{}, {"code": ""}, {"code": "x"}, {"code": "x", "state": "é"}, {"error": "no"}])
async def test_what_is_no_answer_of_the_sign_in_page(stranger: Looker, query: dict[str, str]) -> None:
    await stranger.client.get("/board/sign-in")
    answer = await stranger.client.get("/board/signed-in", params=query)
    assert answer.status_code in (303, 400)
    assert (await stranger.get("session")).status_code == 401


async def test_the_boards_app_gives_nobody_a_token(desk: Desk, stranger: Looker) -> None:
    await stranger.client.get("/board/sign-in")
    for scope in ("Presence.Read", "openid", "https://graph.microsoft.com/.default"):
        answer = await stranger.client.post(
            f"/{sample.TENANT}/oauth2/v2.0/token",
            data={
                "client_id": "b0a2d000-0000-4000-8000-000000000001",
                "grant_type": "password",
                "username": "amara@sample.example",
                "password": sample.PASSWORD,
                "scope": scope,
            },
        )
        presence = await stranger.client.get(
            "/v1.0/me/presence", headers={"Authorization": f"Bearer {answer.json().get('access_token')}"}
        )
        assert presence.status_code in (401, 403), scope


async def test_no_tenant_sees_another(desk: Desk, owner: Looker, amara: Looker) -> None:
    other = await desk.app.identity.tenants.add("11111111-0000-4000-8000-000000000001")
    assert (await owner.get("people", tenant=other)).json()["people"] == []
    assert (await owner.get(f"people/{NADIA}", tenant=other)).status_code == 404
    answer = await owner.post(f"people/{NADIA}/clearUserPreferredPresence", tenant=other)
    assert answer.status_code == 404
    assert (await owner.get("people", tenant=other)).json()["total"] == 0
    for question in ("people", f"people/{AMARA}", "events", "session"):
        assert (await amara.get(question, tenant=other)).status_code == 403
    for tenant in ("none", "22222222-0000-4000-8000-000000000001"):
        assert (await owner.get("people", tenant=tenant)).status_code == 404
