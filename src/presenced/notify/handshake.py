"""The question asked of an endpoint before anything is sent to it: whether it wants notifications at all.

learn.microsoft.com/graph/change-notifications-delivery-webhooks#notificationurl-validation: a POST with
``validationToken`` in the query, to be answered within 10 seconds by 200, ``text/plain`` and the token, decoded. The
token's text and the texts of failures are those users of Graph reported.

``latestSupportedTlsVersion`` of a subscription changes nothing here: any of its values is taken, the connection gets
the newest version that both sides have, and never one below 1.2. An endpoint that has nothing newer than 1.1 fails this
validation, which says why, instead of the property being refused for endpoints whose owner merely wrote it low.
"""

import re
from http import HTTPStatus
from urllib.parse import quote, unquote_plus
from uuid import uuid4

from presenced.notify.client import Answer, CallFailed, WebhookClient
from presenced.notify.interception import Interceptor, Post

TIMEOUT = 10.0
_MOST_BODY = 4096
_HEADERS = {"Content-Type": "text/plain; charset=utf-8"}
_TIMED_OUT = "Subscription validation request timed out."
_MUST = "Subscription validation request failed. Notification endpoint must respond with {} to validation request."
# Where .NET, whose names Graph shows, has another name for a status than Python (in any of its versions).
_NAMES = {
    203: "NonAuthoritativeInformation",
    413: "RequestEntityTooLarge",
    414: "RequestUriTooLong",
    416: "RequestedRangeNotSatisfiable",
    418: "418",
    422: "UnprocessableEntity",
    425: "425",
}


class ValidationFailed(Exception):
    """An endpoint that did not ask for notifications: the error of the answer to its subscriber."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


async def validate(
    client: WebhookClient, url: str, interceptor: Interceptor | None = None, owner: tuple[str, str] = ("", "")
) -> None:
    """Ask the endpoint at ``url`` whether it takes notifications. Raises ValidationFailed.

    ``owner`` is the tenant and the app that subscribe, for an interceptor.
    """
    token = f"Validation: Testing client application reachability for subscription Request-Id: {uuid4()}"
    effect = None if interceptor is None else interceptor.of_handshake(*owner)
    asked = Post(True, _with_token(url, token), *owner, _HEADERS, b"", () if effect is None else (effect.fault,))
    try:
        answer = await client.post(asked.url, None, _HEADERS, TIMEOUT, _MOST_BODY, "handshake")
    except CallFailed as failed:
        if interceptor is not None:
            interceptor.posted(asked._replace(error=failed.reason, seconds=failed.seconds))
        if failed.timed_out:
            raise ValidationFailed("InvalidRequest", _TIMED_OUT) from failed
        message = f"Subscription validation request failed. {failed.reason}"
        raise ValidationFailed("ValidationError", message) from failed
    if interceptor is not None:
        interceptor.posted(asked._replace(answer=answer, seconds=answer.seconds))
    if effect is not None and effect.timed_out:
        raise ValidationFailed("InvalidRequest", _TIMED_OUT)
    if (wrong := _wrong(answer, token if effect is None else "")) is not None:
        raise ValidationFailed("ValidationError", wrong)


def _with_token(url: str, token: str) -> str:
    between = "?" if "?" not in url else "" if url.endswith(("?", "&")) else "&"
    return f"{url}{between}validationToken={quote(token, safe='')}"


def _wrong(answer: Answer, token: str) -> str | None:
    if answer.status != 200:
        failed, must = _MUST.format("200 OK").split(". ", 1)
        return f"{failed}. HTTP status code is '{_status_name(answer.status)}'. {must}"
    if answer.content_type != "text/plain":
        return _MUST.format("content type 'text/plain'")
    body = answer.body.decode("utf-8", "replace").strip()
    if answer.whole and body == token:
        return None
    if body != token and unquote_plus(body) == token:
        return _MUST.format("the URL-decoded validation token, not the encoded one,")
    return _MUST.format("the validation token as its whole body")


def _status_name(status: int) -> str:
    """As .NET spells it: Forbidden, NotFound, InternalServerError."""
    if status in _NAMES:
        return _NAMES[status]
    try:
        return re.sub("[^A-Za-z]", "", HTTPStatus(status).name.title())
    except ValueError:
        return str(status)
