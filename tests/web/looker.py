"""Somebody who looks at the board by HTTP, as its page does."""

from typing import Any

import httpx

OWN = "http://localhost:8080"


class Looker:
    """A browser's side of the board: cookies, and the header and origin of the page's requests."""

    def __init__(self, application: Any, base_url: str = OWN) -> None:
        transport = httpx.ASGITransport(application, raise_app_exceptions=False)
        self.client = httpx.AsyncClient(transport=transport, base_url=base_url)
        self.sends = {"X-Presenced-Board": "1", "Origin": base_url}

    async def get(self, path: str, **query: str) -> httpx.Response:
        return await self.client.get(f"/board/{path}", params=query)

    async def post(self, path: str, body: Any = None, **query: str) -> httpx.Response:
        return await self.client.post(f"/board/{path}", json=body or {}, params=query, headers=self.sends)

    async def open(self, secret: str) -> httpx.Response:
        """Open a one-time link."""
        return await self.post("session", {"link": secret})

    async def sign_out(self) -> httpx.Response:
        return await self.client.delete("/board/session", headers=self.sends)

    async def person(self, person: str) -> Any:
        """What is shown of a person."""
        answer = await self.get(f"people/{person}")
        assert answer.status_code == 200, answer.text
        return answer.json()["person"]
