"""The board of the desk, and people who look at it."""

from collections.abc import AsyncIterator

import pytest
from selectolax.lexbor import LexborHTMLParser
from tests.conftest import Desk
from tests.web.looker import Looker

from presenced.emulator import sample


@pytest.fixture
async def stranger(desk: Desk) -> AsyncIterator[Looker]:
    looker = Looker(desk.app)
    yield looker
    await looker.client.aclose()
    await desk.app.board.stop()


@pytest.fixture
async def owner(desk: Desk) -> AsyncIterator[Looker]:
    """Somebody who opened a one-time link."""
    looker = Looker(desk.app)
    assert (await looker.open(desk.app.board.links.new())).status_code == 204
    yield looker
    await looker.client.aclose()
    await desk.app.board.stop()


async def sign_in(looker: Looker, name: str, password: str = sample.PASSWORD) -> None:
    """Sign in through the sign-in page, as a browser that follows where it is sent."""
    answer = await looker.client.get("/board/sign-in")
    page = await looker.client.get(answer.headers["location"])
    form = next(
        form for form in LexborHTMLParser(page.text).css("form") if form.css_first("[name=username]") is not None
    )
    fields = {
        field.attributes["name"] or "": field.attributes.get("value") or ""
        for field in form.css("input")
        if field.attributes.get("type") != "radio"
    }
    fields |= {"username": name, "password": password}
    sent = await looker.client.post(
        str(form.attributes["action"]), data=fields, headers={"Sec-Fetch-Site": "same-origin"}
    )
    assert sent.status_code in (302, 303), sent.text
    done = await looker.client.get(sent.headers["location"])
    assert done.status_code == 303, done.text
    assert done.headers["location"] == "/"


@pytest.fixture
async def amara(desk: Desk) -> AsyncIterator[Looker]:
    """Amara Okafor, who signed in."""
    looker = Looker(desk.app)
    await sign_in(looker, "amara@sample.example")
    yield looker
    await looker.client.aclose()
    await desk.app.board.stop()
