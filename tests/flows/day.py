"""What people do in the flows: short words for the calls of one person's devices and apps, and of a reader."""

from typing import Any

import httpx
from tests.conftest import JONAS, Desk

HOUR = 3600.0
DAY = 24 * HOUR


class Someone:
    """A person as their own apps and other readers reach them."""

    def __init__(self, desk: Desk, person: str = JONAS) -> None:
        self.desk = desk
        self.id = person

    # a new token each time, since days pass
    @property
    def own(self) -> httpx.AsyncClient:
        """Their own app, signed in."""
        return self.desk.client("Presence.ReadWrite", "Presence.Read", "MailboxSettings.ReadWrite", user=self.id)

    @property
    def service(self) -> httpx.AsyncClient:
        """A service that may change everyone."""
        return self.desk.client("Presence.ReadWrite.All", "MailboxSettings.ReadWrite")

    @property
    def reader(self) -> httpx.AsyncClient:
        """Someone who reads."""
        return self.desk.client("Presence.Read.All")

    async def does(self, action: str, body: dict[str, Any] | None = None) -> httpx.Response:
        """One action on their own presence, signed in."""
        return await self.own.post(f"/me/presence/{action}", json=body)

    async def is_set(self, action: str, body: dict[str, Any] | None = None) -> httpx.Response:
        """One action on their presence by a service."""
        return await self.service.post(f"/users/{self.id}/presence/{action}", json=body)

    async def session(self, name: str, availability: str, activity: str, lasts: str = "PT4H") -> None:
        """A device or app says how they are."""
        body = {
            "sessionId": name,
            "availability": availability,
            "activity": activity,
            "expirationDuration": lasts,
        }
        answer = await self.is_set("setPresence", body)
        assert (answer.status_code, answer.content) == (200, b""), answer.text

    async def prefers(self, availability: str, activity: str, lasts: str | None = None) -> None:
        """They choose a state."""
        body = {"availability": availability, "activity": activity}
        answer = await self.does("setUserPreferredPresence", body | ({"expirationDuration": lasts} if lasts else {}))
        assert (answer.status_code, answer.content) == (200, b""), answer.text

    async def mailbox(self, **settings: Any) -> dict[str, Any]:
        """They change their mailbox settings; what those are then."""
        answer = await self.own.patch("/me/mailboxSettings", json=settings)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    async def seen(self) -> dict[str, Any]:
        """What another reader sees, by the bulk call and by the single one alike."""
        found = await self.reader.post("/communications/getPresencesByUserId", json={"ids": [self.id]})
        bulk: dict[str, Any] = found.json()["value"][0]
        single = (await self.reader.get(f"/communications/presences/{self.id}")).json()
        single.pop("@odata.context")
        assert single == bulk
        return bulk

    async def state(self) -> tuple[str, str]:
        """The availability and activity another reader sees."""
        seen = await self.seen()
        return seen["availability"], seen["activity"]

    async def place(self) -> tuple[str, str, str | None]:
        """The work location another reader sees: source, type, place."""
        place = (await self.seen())["workLocation"]
        return place["source"], place["workLocationType"], place["placeId"]

    async def sees_own(self) -> dict[str, Any]:
        """What they see of themself."""
        own: dict[str, Any] = (await self.own.get("/me/presence")).json()
        return own
