"""The board as people use it, in a real browser."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, expect
from tests.conftest import JONAS, NADIA
from tests.running import Server, running
from tests.web.browser import Visit, chromium

from presenced.emulator import sample

BAO = "5ca1ab1e-0000-4000-8000-000000000102"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def board(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server of these tests' own: they change people by click."""
    with running(tmp_path_factory.mktemp("board") / "data", "--sample", "--throttle-presence", "0") as server:
        yield server


@pytest.fixture
def visit(browser: Browser, board: Server) -> Iterator[Visit]:
    """The owner, who has opened the board."""
    visit = Visit(browser, board).open()
    yield visit
    visit.close()


def prefer(server: Server, person: str, availability: str) -> None:
    """Change somebody by Graph."""
    with server.client() as client:
        body = {"availability": availability, "activity": availability}
        client.post(f"/users/{person}/presence/setUserPreferredPresence", json=body).raise_for_status()


def forget(server: Server, person: str) -> None:
    with server.client() as client:
        client.post(f"/users/{person}/presence/clearUserPreferredPresence", json={}).raise_for_status()


def state(server: Server, person: str) -> str:
    """What Graph says of somebody."""
    with server.client() as client:
        answer = client.get(f"/users/{person}/presence").raise_for_status()
        return str(answer.json()["availability"])


def test_the_link_that_serve_prints_opens_the_board_once(browser: Browser, tmp_path: Path) -> None:
    with running(tmp_path / "data", "--sample") as server:
        while "#link=" not in server.output:
            time.sleep(0.05)
        link = next(word for word in server.output.split() if "#link=" in word)
        first = Visit(browser, server).open(link)
        assert first.page.url == f"{server.http}/"  # the secret is in no history
        expect(first.page.locator(".row")).to_have_count(12)
        expect(first.row("Amara Okafor")).to_contain_text("On the help desk until four, ask away.")
        expect(first.row("Nadia Petrova")).to_contain_text("Busy, in a meeting")
        first.page.reload()
        expect(first.page.locator(".row")).to_have_count(12)

        second = Visit(browser, server)
        second.page.goto(link)
        expect(second.page.get_by_role("alert")).to_contain_text("presenced board-link")
        expect(second.page.locator(".row")).to_have_count(0)
        first.page.get_by_role("button", name="Sign out").click()
        expect(first.page.get_by_role("button", name="Sign in")).to_be_visible()
        first.close()
        second.close()


def test_a_change_by_graph_appears_by_itself(visit: Visit) -> None:
    expect(visit.page.locator(".chip", has_text="Busy")).to_contain_text("3")
    prefer(visit.server, BAO, "Away")
    expect(visit.row("Bao Tran")).to_contain_text("Away")
    expect(visit.row("Bao Tran").locator(".avatar")).to_have_attribute("data-icon", "away")
    expect(visit.page.locator(".chip", has_text="Busy")).to_contain_text("2")
    with visit.server.client() as client:
        body = {"statusMessage": {"message": {"content": "Back at noon", "contentType": "text"}}}
        client.post(f"/users/{BAO}/presence/setStatusMessage", json=body).raise_for_status()
    expect(visit.row("Bao Tran")).to_contain_text("Back at noon")
    forget(visit.server, BAO)
    expect(visit.row("Bao Tran")).to_contain_text("Busy, in a call")


def test_somebody_new_and_somebody_gone(visit: Visit) -> None:
    with visit.server.client() as client:
        new = {"displayName": "Zoë Quist", "userPrincipalName": "zoe@sample.example"}
        made = client.post("/users", json=new).raise_for_status().json()
        expect(visit.row("Zoë Quist")).to_contain_text("Offline")
        visit.page.get_by_role("searchbox").fill("zoe")
        expect(visit.page.locator(".row")).to_have_count(1)
        client.delete(f"/users/{made['id']}").raise_for_status()
    expect(visit.page.locator(".row")).to_have_count(0)
    expect(visit.page.get_by_text("Nobody matches.")).to_be_visible()


def test_search_filter_and_group(visit: Visit) -> None:
    page = visit.page
    search = page.get_by_role("searchbox", name="Search people")
    search.fill("lead conference")
    expect(page.locator(".row .name")).to_have_text(["Clara Lindqvist"])
    expect(page.locator(".chip").first).to_contain_text("1")
    search.press("Escape")
    expect(page.locator(".row")).to_have_count(12)
    page.locator(".chip", has_text="Do not disturb 2").click()
    expect(page.locator(".row .name")).to_have_text(["Dmitri Volkov", "Elif Kaya"])
    page.locator(".chip", has_text="Out of office 1").click()
    expect(page.locator(".row .name")).to_have_text(["Dmitri Volkov", "Elif Kaya", "Hiro Tanaka"])
    expect(page.locator(".row", has_text="Hiro").locator(".avatar")).to_have_attribute("data-icon", "ooo")
    page.locator(".chip").first.click()

    headings = page.locator(".group")
    expect(headings.first).to_contain_text("Available")
    headings.first.click()
    expect(headings.first).to_have_attribute("aria-expanded", "false")
    expect(page.locator(".row")).to_have_count(10)
    headings.first.click()
    page.get_by_role("button", name="Group by state").click()
    expect(headings).to_have_count(0)
    names = page.locator(".row .name").all_inner_texts()
    assert names == sorted(names)


def test_a_person_is_opened_set_and_cleared(visit: Visit) -> None:
    page, detail = visit.page, visit.detail()
    visit.row("Nadia Petrova").click()
    expect(detail.get_by_role("heading", name="Nadia Petrova")).to_be_focused()
    expect(detail).to_contain_text("teams-desktop")
    visit.choose("Preferred state", "Do not disturb")
    expect(detail.locator(".big-state")).to_contain_text("Do not disturb")
    expect(visit.row("Nadia Petrova")).to_contain_text("Do not disturb")
    assert state(visit.server, NADIA) == "DoNotDisturb"
    expect(detail.get_by_role("button", name="Do not disturb")).to_have_attribute("aria-pressed", "true")
    expect(detail.locator(".facts")).to_contain_text("Next change")
    expect(detail.locator(".timeline li").first).to_contain_text("Do not disturb")
    visit.choose("Preferred state", "Clear")
    expect(detail.locator(".big-state")).to_contain_text("Busy, in a meeting")
    assert state(visit.server, NADIA) == "Busy"

    detail.get_by_role("textbox", name="Status message").fill("In the <b>big</b> room")
    visit.choose("Status message", "Set")
    expect(detail.locator(".quoted")).to_have_text("In the <b>big</b> room")
    visit.choose("Status message", "Clear")
    expect(detail.locator(".quoted")).to_have_count(0)

    visit.choose("Sessions", "Presenting")
    expect(detail.locator(".sessions")).to_contain_text("this board")
    expect(detail.locator(".big-state")).to_contain_text("presenting")
    detail.get_by_role("button", name="End session presenced-board").click()
    expect(detail.locator(".sessions")).not_to_contain_text("this board")
    page.keyboard.press("Escape")
    expect(detail).to_be_hidden()
    expect(visit.row("Nadia Petrova")).to_be_focused()


def test_details_follow_what_happens(visit: Visit) -> None:
    visit.row("Nadia Petrova").click()
    expect(visit.detail().locator(".big-state")).to_contain_text("Busy")
    prefer(visit.server, NADIA, "BeRightBack")
    expect(visit.detail().locator(".big-state")).to_contain_text("Be right back")
    expect(visit.detail().locator(".timeline li").first).to_contain_text("Be right back")
    forget(visit.server, NADIA)


def test_with_the_keyboard_only(visit: Visit) -> None:
    page = visit.page
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the people")).to_be_focused()
    page.keyboard.press("/")
    expect(page.get_by_role("searchbox")).to_be_focused()
    page.keyboard.type("ja")
    page.keyboard.press("Escape")
    page.keyboard.press("ArrowDown")
    expect(page.locator(".group").first).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(visit.row("Amara Okafor")).to_be_focused()
    outline = visit.row("Amara Okafor").evaluate("element => getComputedStyle(element).outlineStyle")
    assert outline != "none"
    page.keyboard.press("End")
    expect(visit.row("Jonas Weber")).to_be_focused()
    page.keyboard.press("Enter")
    expect(visit.detail().get_by_role("heading", name="Jonas Weber")).to_be_focused()
    for _ in range(4):  # close, how long, the first state
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.textContent") == "Available":
            break
    page.keyboard.press("Enter")
    expect(visit.detail().locator(".facts")).to_contain_text("hidden while no session lives")
    page.keyboard.press("Escape")
    expect(visit.row("Jonas Weber")).to_be_focused()
    # one entry of the list is in the tab order, whatever its length
    assert page.locator(".rows button[tabindex='0']").count() == 1
    forget(visit.server, JONAS)


def test_what_a_screen_reader_finds(visit: Visit) -> None:
    page = visit.page
    expect(page.get_by_role("banner")).to_be_visible()
    expect(page.get_by_role("main")).to_be_visible()
    expect(page.get_by_role("navigation", name="Views").get_by_role("button", name="People")).to_have_attribute(
        "aria-current", "page"
    )
    expect(page.get_by_role("list", name="People")).to_be_visible()
    expect(page.get_by_role("group", name="Show only these states")).to_be_visible()
    row = page.get_by_role("button", name="Bao Tran")
    assert "Busy, in a call" in row.inner_text()
    item = page.get_by_role("listitem").filter(has=row)
    expect(item).to_have_attribute("aria-setsize", "19")
    # icons say nothing that the words do not
    assert page.locator("svg:not([aria-hidden='true'])").count() == 0
    page.get_by_role("searchbox").fill("tran")
    expect(page.locator("#announcer")).to_have_text("1 person")


def test_on_a_phone(browser: Browser, board: Server) -> None:
    visit = Visit(browser, board, viewport={"width": 360, "height": 740}, has_touch=True, is_mobile=True).open()
    page = visit.page
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    visit.row("Nadia Petrova").tap()
    expect(visit.detail().get_by_role("heading", name="Nadia Petrova")).to_be_visible()
    box = visit.detail().bounding_box()
    assert box is not None
    assert (box["x"], box["y"], box["width"], box["height"]) == (0, 0, 360, 740)
    assert page.evaluate("document.querySelector('.people').inert && document.getElementById('top').inert")
    assert page.evaluate("document.querySelector('.detail-body').scrollWidth") <= 360
    visit.detail().get_by_role("button", name="Close details").tap()
    expect(visit.row("Nadia Petrova")).to_be_visible()
    assert not page.evaluate("document.querySelector('.people').inert")
    visit.close()


LEAST_CONTRAST = """
() => {
  const light = (color) => {
    const parts = color.match(/[\\d.]+/g).map(Number).slice(0, 3)
      .map((part) => (part / 255 <= 0.03928 ? part / 255 / 12.92 : ((part / 255 + 0.055) / 1.055) ** 2.4));
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2];
  };
  const ground = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const color = getComputedStyle(at).backgroundColor;
      if (!/, 0\\)$|transparent/.test(color)) return color;
    }
    return 'rgb(255, 255, 255)';
  };
  let least = [99, ''];
  for (const element of document.querySelectorAll('body *')) {
    const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim());
    if (!own || !element.checkVisibility() || element.closest('.unseen, .skip')) continue;
    const [one, other] = [light(getComputedStyle(element).color), light(ground(element))].sort((a, b) => b - a);
    const contrast = (one + 0.05) / (other + 0.05);
    if (contrast < least[0]) least = [contrast, element.className + ': ' + element.textContent.slice(0, 40)];
  }
  return least;
}
"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_light_and_dark(browser: Browser, board: Server, scheme: str) -> None:
    visit = Visit(browser, board, color_scheme=scheme).open()
    visit.row("Elif Kaya").click()
    expect(visit.detail().get_by_role("heading", name="Elif Kaya")).to_be_visible()
    ground = visit.page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (int(ground[4:].split(",")[0]) < 64) == (scheme == "dark")
    contrast, where = visit.page.evaluate(LEAST_CONTRAST)
    assert contrast >= 4.5, where  # WCAG 2.2, 1.4.3
    visit.close()


def test_it_survives_a_restart_of_the_server(browser: Browser, tmp_path: Path) -> None:
    server = Server(tmp_path / "data", "--sample")
    port = str(urlsplit(server.http).port)
    visit = Visit(browser, server).open()
    visit.row("Nadia Petrova").click()
    server.stop()
    expect(visit.page.get_by_text("Reconnecting…")).to_be_visible()
    expect(visit.row("Bao Tran")).to_be_visible()  # what was known stays
    again = Server(tmp_path / "data", "--port", port)
    try:
        expect(visit.page.get_by_text("Live", exact=True)).to_be_visible()
        prefer(again, BAO, "Away")
        expect(visit.row("Bao Tran")).to_contain_text("Away")
        visit.choose("Preferred state", "Busy")
        expect(visit.detail().locator(".big-state")).to_contain_text("Busy")
        assert "Stopping" in server.output  # it did not wait for the stream to end
        visit.close()
    finally:
        again.stop()


FOUND = sum("5" in f"{number} {number % 97}" for number in range(10_000))


def test_ten_thousand_people(browser: Browser, tmp_path: Path) -> None:
    people = tmp_path / "people.json"
    rows = [
        {
            "id": f"10000000-0000-4000-8000-{number:012x}",
            "userPrincipalName": f"person{number}@sample.example",
            "displayName": f"Person {number}",
            "jobTitle": f"Desk {number % 97}",
        }
        for number in range(10_000)
    ]
    people.write_text(json.dumps(rows))
    with running(tmp_path / "data", "--sample", "--throttle-presence", "0") as server:
        server.command("users", "import", str(people))
        visit = Visit(browser, server).open()
        page = visit.page
        expect(page.locator(".chip").first).to_contain_text("10,012")
        assert page.locator(".row").count() < 60
        page.locator(".group").first.focus()
        page.keyboard.press("End")
        expect(visit.row("Person 9999")).to_be_focused()
        assert page.locator(".row").count() < 60
        one = f"10000000-0000-4000-8000-{9999:012x}"
        with server.client() as client:
            body = {"sessionId": "a", "availability": "Busy", "activity": "InACall"}
            client.post(f"/users/{one}/presence/setPresence", json=body).raise_for_status()
        expect(page.locator(".chip", has_text="Busy")).to_contain_text("4")
        page.get_by_role("searchbox").fill("person 9999 call")
        expect(page.locator(".row")).to_have_count(1)
        expect(visit.row("Person 9999")).to_contain_text("Busy, in a call")
        page.get_by_role("searchbox").fill("DESK 5")  # letters of any case, each word anywhere
        expect(page.locator(".chip").first).to_contain_text(f"{FOUND:,}")
        visit.close()


def test_a_name_that_holds_markup_stays_text(visit: Visit) -> None:
    markup = "<img src=//evil.example onerror=\"document.body.innerHTML='gone'\"><script>alert(1)</script>"
    with visit.server.client() as client:
        made = client.post(
            "/users", json={"displayName": markup, "userPrincipalName": "markup@sample.example", "jobTitle": "<b>x</b>"}
        )
        person = made.raise_for_status().json()["id"]
        body = {"statusMessage": {"message": {"content": markup, "contentType": "text"}}}
        client.post(f"/users/{person}/presence/setStatusMessage", json=body).raise_for_status()
        row = visit.page.locator(".row", has_text="evil.example")
        expect(row.locator(".name")).to_have_text(markup)
        expect(row.locator(".message")).to_have_text(markup)
        row.click()
        expect(visit.detail().get_by_role("heading", level=2)).to_have_text(markup)
        expect(visit.detail().locator(".quoted")).to_have_text(markup)
        assert visit.page.locator("img, body script").count() == 0
        client.delete(f"/users/{person}").raise_for_status()
    expect(visit.detail()).to_be_hidden()


def test_the_policy_stops_what_it_forbids(browser: Browser, board: Server) -> None:
    visit = Visit(browser, board).open()
    refused = visit.page.evaluate(
        """() => { try { document.body.innerHTML = '<p>x</p>'; return ''; } catch (error) { return error.name; } }"""
    )
    assert refused == "TypeError"  # no markup is ever parsed
    visit.page.evaluate(
        """() => {
          const image = document.createElement('img');
          image.src = '//evil.example/x';
          document.body.append(image);
        }"""
    )
    expect(visit.page.locator("img")).to_have_count(1)
    expect(visit.page.locator("img")).to_have_js_property("complete", True)
    visit.context.close()
    assert any("Content Security Policy" in wrong for wrong in visit.wrong)  # and these tests notice


def test_signing_in_through_the_local_issuer(browser: Browser, board: Server) -> None:
    visit = Visit(browser, board)
    page = visit.page
    page.goto(board.http)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_label("Or type a user name").fill("amara@sample.example")
    page.get_by_label("Password").fill(sample.PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.locator(".row")).to_have_count(12)
    assert page.url == f"{board.http}/"
    expect(page.locator(".me")).to_have_text("Amara Okafor")
    expect(page.get_by_role("button", name="Subscriptions")).to_have_count(0)
    visit.row("Nadia Petrova").click()
    expect(visit.detail().get_by_role("heading", name="Nadia Petrova")).to_be_visible()
    expect(visit.detail().get_by_role("region", name="Preferred state")).to_have_count(0)
    visit.row("Amara Okafor").click()
    visit.choose("Preferred state", "Be right back")
    expect(visit.row("Amara Okafor")).to_contain_text("Be right back")
    visit.choose("Preferred state", "Clear")
    expect(visit.row("Amara Okafor")).to_contain_text("Available")
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("button", name="Sign in")).to_be_visible()
    visit.close()
