"""Calls of the client that tests make."""

import pytest

from presenced.notify.client import Answer, CallFailed, WebhookClient


async def post(
    client: WebhookClient, url: str, body: bytes | None = b"{}", patience: float = 20.0, read: int = 64
) -> Answer:
    return await client.post(url, body, {"Content-Type": "application/json"}, patience, read)


async def failure(client: WebhookClient, url: str, patience: float = 20.0, read: int = 64) -> CallFailed:
    with pytest.raises(CallFailed) as failed:
        await post(client, url, patience=patience, read=read)
    return failed.value
