"""Validating an endpoint: the one right answer, and every wrong one."""

import re
from collections.abc import Callable
from urllib.parse import quote, quote_plus, unquote

import pytest
from tests.notify.endpoint import Certificates, Endpoint, Writer, endpoint, never

from presenced.notify import handshake
from presenced.notify.addresses import Rules
from presenced.notify.client import WebhookClient
from presenced.notify.handshake import ValidationFailed, validate

_TOKEN = re.compile(
    r"Validation: Testing client application reachability for subscription Request-Id: "
    r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
)


class Subscriber:
    """Answers validations with what ``answer`` makes of the token."""

    def __init__(self, answer: Callable[[str], str], status: str = "200 OK", content_type: str = "text/plain") -> None:
        self.answer = answer
        self.status = status
        self.content_type = content_type
        self.hook: Endpoint | None = None

    async def __call__(self, writer: Writer) -> None:
        assert self.hook is not None
        body = self.answer(self.token()).encode()
        head = f"HTTP/1.1 {self.status}\r\nContent-Type: {self.content_type}\r\nContent-Length: {len(body)}\r\n\r\n"
        writer.write(head.encode() + body)

    def raw_token(self) -> str:
        assert self.hook is not None
        return self.hook.requests[-1].split(" ")[1].partition("validationToken=")[2]

    def token(self) -> str:
        return unquote(self.raw_token())


async def outcome(client: WebhookClient, subscriber: Subscriber) -> tuple[str, str]:
    async with endpoint(subscriber) as hook:
        subscriber.hook = hook
        with pytest.raises(ValidationFailed) as failed:
            await validate(client, hook.url)
    return failed.value.code, failed.value.message


@pytest.mark.parametrize(
    ("added", "line"),
    [
        ("", "POST /hook?validationToken="),
        ("?code=a%2Fb==", "POST /hook?code=a%2Fb==&validationToken="),
        ("?", "POST /hook?validationToken="),
        ("?a=b&", "POST /hook?a=b&validationToken="),
        ("?" + "a" * (2048 - 40), "POST /hook?" + "a" * (2048 - 40) + "&validationToken="),
    ],
)
async def test_the_request(client: WebhookClient, certificates: Certificates, added: str, line: str) -> None:
    subscriber = Subscriber(lambda token: token)
    async with endpoint(subscriber, certificates.server()) as hook:
        subscriber.hook = hook
        await validate(client, hook.url + added)
        await validate(client, hook.url + added)
        assert len(hook.requests) == 2
        for request in hook.requests:
            assert request.startswith(line)
            assert "content-type: text/plain; charset=utf-8\r\n" in request.lower()
            assert "content-length: 0\r\n" in request.lower()
        assert _TOKEN.fullmatch(subscriber.token())
        assert "+" not in subscriber.raw_token()
        assert "Validation%3A%20Testing%20client" in subscriber.raw_token()
        first, second = (request.split(" ")[1] for request in hook.requests)
        assert first != second


@pytest.mark.parametrize("content_type", ["text/plain", "Text/Plain; charset=utf-8", "text/plain;charset=us-ascii"])
@pytest.mark.parametrize("around", ["", " \r\n", "\n"])
async def test_right_answers(client: WebhookClient, content_type: str, around: str) -> None:
    subscriber = Subscriber(lambda token: around + token + around, content_type=content_type)
    async with endpoint(subscriber) as hook:
        subscriber.hook = hook
        await validate(client, hook.url)


FAILED = "Subscription validation request failed."
MUST = "Notification endpoint must respond with"
REQUEST = "to validation request."


@pytest.mark.parametrize(
    ("status", "name"),
    [
        ("201 Created", "Created"),
        ("202 Accepted", "Accepted"),
        ("204 No Content", "NoContent"),
        ("302 Found", "Found"),
        ("401 Unauthorized", "Unauthorized"),
        ("403 Forbidden", "Forbidden"),
        ("404 Nothing Here", "NotFound"),
        ("413 X", "RequestEntityTooLarge"),
        ("422 X", "UnprocessableEntity"),
        ("500 X", "InternalServerError"),
        ("502 X", "BadGateway"),
        ("599 X", "599"),
    ],
)
async def test_other_statuses(client: WebhookClient, status: str, name: str) -> None:
    answer = Subscriber(lambda token: "" if status.startswith("204") else token, status)
    text = f"{FAILED} HTTP status code is '{name}'. {MUST} 200 OK {REQUEST}"
    assert await outcome(client, answer) == ("ValidationError", text)


@pytest.mark.parametrize("content_type", ["application/json", "text/html", "text/plainer", ""])
async def test_other_content_types(client: WebhookClient, content_type: str) -> None:
    found = await outcome(client, Subscriber(lambda token: token, content_type=content_type))
    assert found == ("ValidationError", f"{FAILED} {MUST} content type 'text/plain' {REQUEST}")


@pytest.mark.parametrize("encode", [lambda token: quote(token, safe=""), quote, quote_plus])
async def test_encoded_tokens(client: WebhookClient, encode: Callable[[str], str]) -> None:
    text = f"{FAILED} {MUST} the URL-decoded validation token, not the encoded one, {REQUEST}"
    assert await outcome(client, Subscriber(encode)) == ("ValidationError", text)


@pytest.mark.parametrize(
    "change",
    [
        lambda token: "",
        lambda token: "ok",
        lambda token: token[:-1],
        lambda token: token + "0",
        lambda token: f'"{token}"',
        lambda token: token.upper(),
        lambda token: token + " " * 5000,
        lambda token: token + " " * 5000 + "x",
        lambda token: "\N{SNOWMAN}" * 100000,
    ],
)
async def test_other_bodies(client: WebhookClient, change: Callable[[str], str]) -> None:
    text = f"{FAILED} {MUST} the validation token as its whole body {REQUEST}"
    assert await outcome(client, Subscriber(change)) == ("ValidationError", text)


async def test_too_slow(client: WebhookClient, monkeypatch: pytest.MonkeyPatch) -> None:
    assert handshake.TIMEOUT == 10.0
    monkeypatch.setattr(handshake, "TIMEOUT", 0.3)

    async with endpoint(never) as hook:
        with pytest.raises(ValidationFailed, match=r"^Subscription validation request timed out\.$") as failed:
            await validate(client, hook.url)
    assert failed.value.code == "InvalidRequest"


async def test_calls_that_fail(client: WebhookClient, certificates: Certificates) -> None:
    async with endpoint(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n", certificates.server()) as hook:
        for url, reason in (
            (hook.url.replace("https", "http"), "The connection was closed before the answer was complete."),
            ("https://127.0.0.1:1/", "No connection could be made (https needs TLS 1.2 or newer)."),
            ("https://no-such-name.invalid/", "The host name has no address that may be called."),
        ):
            with pytest.raises(ValidationFailed) as failed:
                await validate(client, url)
            assert (failed.value.code, failed.value.message) == ("ValidationError", f"{FAILED} {reason}")


async def test_an_address_that_may_not_be_called() -> None:
    client = WebhookClient(Rules())
    with pytest.raises(ValidationFailed, match="not a public one"):
        await validate(client, "https://169.254.169.254/latest/meta-data/")
    await client.close()
