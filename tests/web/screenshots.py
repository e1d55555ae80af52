"""Makes the pictures of docs/board.md anew: scripts/screenshots."""

import tempfile
from pathlib import Path

from playwright.sync_api import expect
from tests.conftest import NADIA
from tests.running import running
from tests.web.browser import Visit, chromium

IMAGES = Path(__file__).parents[2] / "docs" / "images"
_DAY = (("Available", "PT1H25M"), ("BeRightBack", "PT10M"), ("Busy", "PT45M"), ("Away", "PT35M"))


def main() -> None:
    """Write every picture."""
    with (
        tempfile.TemporaryDirectory() as folder,
        running(Path(folder) / "data", "--sample", "--control") as server,
        chromium() as browser,
    ):
        server.command("clock", "freeze")
        for availability, lasts in _DAY:
            with server.client() as client:
                body = {"availability": availability, "activity": availability}
                client.post(f"/users/{NADIA}/presence/setUserPreferredPresence", json=body).raise_for_status()
            server.command("clock", "advance", lasts)
        with server.client() as client:
            client.post(f"/users/{NADIA}/presence/clearUserPreferredPresence", json={}).raise_for_status()
        server.command("clock", "advance", "PT14M")
        for name, width, height, scheme, person in (
            ("board", 1280, 720, "light", "Elif Kaya"),
            ("board-dark", 1280, 720, "dark", "Nadia Petrova"),
            ("board-phone", 390, 720, "light", None),
        ):
            visit = Visit(browser, server, viewport={"width": width, "height": height}, color_scheme=scheme).open()
            if person is not None:
                visit.row(person).click()
                expect(visit.detail().get_by_role("heading", name=person)).to_be_focused()
                visit.page.mouse.move(640, 700)
                if scheme == "dark":
                    visit.detail().locator(".timeline").scroll_into_view_if_needed()
            visit.page.screenshot(path=IMAGES / f"{name}.png")
            visit.close()


if __name__ == "__main__":
    main()
