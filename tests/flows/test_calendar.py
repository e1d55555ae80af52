"""A person's presence follows their calendar through a day: told through the API with a clock that can be set."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from tests.calendar.ics import at, vcalendar, vevent
from tests.conftest import JONAS, TOMAS, Desk

from presenced.calendar.calendars import Calendars
from presenced.control import CalendarImport
from presenced.emulator import sample

BERLIN = "TZID=Europe/Berlin"
UPN = "jonas@sample.example"
OUTLOOK = "X-MICROSOFT-CDO-BUSYSTATUS:"


def event(start: str, end: str, *lines: str) -> str:
    return vevent(
        f"UID:{start}{end}", f"DTSTART;{BERLIN}:20261020T{start}00", f"DTEND;{BERLIN}:20261020T{end}00", *lines
    )


DAY = vcalendar(
    event("0800", "0900", OUTLOOK + "WORKINGELSEWHERE"),
    event("0900", "1000", "ORGANIZER:mailto:tomas@sample.example"),
    event("1000", "1100", f"ORGANIZER:mailto:{UPN}"),
    event("1100", "1200", OUTLOOK + "TENTATIVE", "ORGANIZER:mailto:tomas@sample.example"),
    event("1130", "1200", OUTLOOK + "FREE"),
    event("1200", "1300", "ORGANIZER:mailto:tomas@sample.example", f"ATTENDEE;PARTSTAT=DECLINED:mailto:{UPN}"),
    event("1300", "1500", OUTLOOK + "OOF"),
    event("1400", "1500", "ORGANIZER:mailto:tomas@sample.example"),
    event("1700", "1800", "ATTENDEE:mailto:tomas@sample.example"),
)


async def seen(desk: Desk, person: str = JONAS) -> tuple[str, str, bool, str]:
    """Availability, activity, whether they are out of office, and their work location, as another reader sees them."""
    client = desk.client("Presence.Read.All")
    found: dict[str, Any] = (await client.get(f"/users/{person}/presence")).json()
    location = found["workLocation"]
    return (
        found["availability"],
        found["activity"],
        found["outOfOfficeSettings"]["isOutOfOffice"],
        f"{location['workLocationSource']} {location['workLocationType']}",
    )


async def give(desk: Desk, text: str = DAY, user: str = UPN) -> None:
    transport = httpx.ASGITransport(desk.app.control)
    async with httpx.AsyncClient(transport=transport, base_url="http://control") as control:
        request = {"user": user, "text": __import__("base64").b64encode(text.encode()).decode(), "source": "day.ics"}
        answer = await control.post("/calendar/import", json=request)
        assert answer.status_code == 200, answer.text


async def sign_in(desk: Desk, availability: str = "Available", activity: str = "Available") -> None:
    body = {
        "sessionId": "teams",
        "availability": availability,
        "activity": activity,
        "expirationDuration": "PT4H",
    }
    client = desk.client("Presence.ReadWrite.All")
    assert (await client.post(f"/users/{JONAS}/presence/setPresence", json=body)).status_code == 200


@pytest.fixture
async def morning(desk: Desk) -> Desk:
    """Seven o'clock in Berlin, and Jonas' calendar for the day."""
    desk.clock.at = at("2026-10-20 05:00")
    await give(desk)
    return desk
