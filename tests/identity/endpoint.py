"""Asking the token endpoint."""

from datetime import datetime
from typing import Any
from uuid import UUID

import httpx
import msgspec
from joserfc.util import urlsafe_b64decode

from .forger import TENANT

DEFAULT = "https://graph.microsoft.com/.default"


async def ask(client: httpx.AsyncClient, fields: dict[str, str], tenant: str = TENANT, **options: Any) -> Any:
    """The answer to a token request that must succeed."""
    answer = await client.post(f"/{tenant}/oauth2/v2.0/token", data=fields, **options)
    assert answer.status_code == 200, answer.text
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["content-type"].startswith("application/json")
    return answer.json()


def check_refusal(answer: httpx.Response, number: int, error: str, status: int = 400) -> dict[str, Any]:
    """Check that an answer is a refusal in Entra's shape; its body."""
    body: dict[str, Any] = answer.json()
    assert (body["error_codes"], body["error"], answer.status_code) == ([number], error, status), body
    ids = f"Trace ID: {body['trace_id']} Correlation ID: {body['correlation_id']}"
    assert body["error_description"].startswith(f"AADSTS{number}: ")
    assert body["error_description"].endswith(f" {ids} Timestamp: {body['timestamp']}")
    assert datetime.strptime(body["timestamp"], "%Y-%m-%d %H:%M:%SZ").year in (2027, 2028)  # by the tests' clock
    assert UUID(body["trace_id"])
    assert UUID(body["correlation_id"])
    assert body["error_uri"] == f"https://login.microsoftonline.com/error?code={number}"
    assert answer.headers["cache-control"] == "no-store"
    return body


async def refuse(
    client: httpx.AsyncClient, fields: dict[str, str], number: int, error: str, status: int = 400, **options: Any
) -> dict[str, Any]:
    """The body of the answer to a token request that must be refused."""
    path = f"/{options.pop('tenant', TENANT)}/oauth2/v2.0/token"
    return check_refusal(await client.post(path, data=fields, **options), number, error, status)


def claims(token: str) -> dict[str, Any]:
    """What a token claims."""
    return msgspec.json.decode(urlsafe_b64decode(token.split(".")[1].encode()), type=dict[str, Any])
