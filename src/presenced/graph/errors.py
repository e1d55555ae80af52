"""Errors: everything that is not a success, in Graph's envelope.

Source: Graph's page "Error responses and resource types", and recorded answers for the member order and the date
without a zone. The codes and texts of presence itself are those observed; see docs/compatibility.md.
"""

from datetime import UTC, datetime

import msgspec

from presenced.presence.refused import Refused


class GraphError(Exception):
    """An answer that is an error. ``headers`` are added to the answer's."""

    def __init__(self, status: int, code: str, message: str, headers: tuple[tuple[str, str], ...] = ()) -> None:
        super().__init__(f"{status} {code}: {message}")
        self.status = status
        self.code = code
        self.message = message
        self.headers = headers


_STATUS = {
    "BadRequest": 400,
    "InvalidArgument": 400,
    "Request_BadRequest": 400,
    "Forbidden": 403,
    "NotFound": 404,
    "Request_ResourceNotFound": 404,
}


def from_refusal(refused: Refused) -> GraphError:
    """The answer to a request that a rule refused."""
    return GraphError(_STATUS[refused.code], refused.code, refused.message)


class _InnerError(msgspec.Struct):
    date: str
    request_id: str = msgspec.field(name="request-id")
    client_request_id: str = msgspec.field(name="client-request-id")


class _Error(msgspec.Struct):
    code: str
    message: str
    inner_error: _InnerError = msgspec.field(name="innerError")


class Envelope(msgspec.Struct):
    """The body of every error."""

    error: _Error


def envelope(code: str, message: str, request_id: str, client_request_id: str, now: float) -> bytes:
    """The body of an error answer at ``now`` (seconds, UTC)."""
    date = datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return msgspec.json.encode(Envelope(_Error(code, message, _InnerError(date, request_id, client_request_id))))
