"""Who is connected to: addresses, names that change, and what certificates prove."""

import asyncio
import os
import socket
import ssl
import time
from pathlib import Path

import pytest
from cryptography import x509
from tests.notify.calls import failure, post
from tests.notify.endpoint import LOOPBACK_NAME, OK, Certificates, Names, endpoint, greeter

from presenced.notify import client as module
from presenced.notify.addresses import Rules
from presenced.notify.client import SystemResolver, WebhookClient

HEAD = b"HTTP/1.1 200 OK\r\n"


async def test_tls_that_is_never_finished(client: WebhookClient) -> None:
    with socket.socket() as listening:  # accepts, and says nothing
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        failed = await failure(client, f"https://127.0.0.1:{listening.getsockname()[1]}/", 0.5)
    assert failed.timed_out


async def test_the_network_of_an_endpoint_is_not_scanned(client: WebhookClient) -> None:
    """Closed, not speaking TLS, speaking old TLS: the same answer."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        closed = await failure(client, f"https://127.0.0.1:{bound.getsockname()[1]}/")
    async with greeter() as mail:
        not_tls = await failure(client, mail.url)
    assert closed.reason == not_tls.reason == "No connection could be made (https needs TLS 1.2 or newer)."
    assert not closed.timed_out


async def test_old_tls(client: WebhookClient, certificates: Certificates, recwarn: pytest.WarningsRecorder) -> None:
    context = certificates.server(ssl.TLSVersion.TLSv1_1)
    context.minimum_version = ssl.TLSVersion.TLSv1_1
    context.set_ciphers("ALL:@SECLEVEL=0")
    recwarn.clear()
    async with endpoint(OK, context) as hook:
        assert "TLS 1.2 or newer" in (await failure(client, hook.url)).reason
    async with endpoint(OK, certificates.server(ssl.TLSVersion.TLSv1_2)) as hook:
        assert (await post(client, hook.url)).status == 200


@pytest.mark.parametrize(
    ("name", "ended", "host", "words"),
    [
        (x509.DNSName("localhost"), False, "127.0.0.1", "for another address"),
        (LOOPBACK_NAME, False, "localhost", "for another host"),
        (LOOPBACK_NAME, True, "127.0.0.1", "has expired"),
    ],
)
async def test_wrong_certificates(
    client: WebhookClient, certificates: Certificates, name: x509.GeneralName, ended: bool, host: str, words: str
) -> None:
    async with endpoint(OK, certificates.made(name, ended)) as hook:
        failed = await failure(client, hook.url.replace("127.0.0.1", host))
        assert words in failed.reason
        assert not hook.requests


async def test_an_unknown_authority(certificates: Certificates, tmp_path: Path) -> None:
    stranger = Certificates(tmp_path / "other")
    for ca in (None, stranger.ca):
        client = WebhookClient(Rules(allow_loopback=True), ca)
        async with endpoint(OK, certificates.server()) as hook:
            failed = await failure(client, hook.url)
            assert failed.reason == "The certificate of the endpoint is not trusted."
            assert not hook.requests
        await client.close()


@pytest.mark.parametrize("content", [None, "no certificate"])
async def test_a_wrong_file_of_authorities(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / "ca.pem").write_text(content)
    with pytest.raises(OSError, match=r"No such file|NO_CERTIFICATE|no certificate"):
        WebhookClient(Rules(), tmp_path / "ca.pem")


async def test_forbidden_addresses_are_never_connected_to(certificates: Certificates) -> None:
    names = Names(inside=[["127.0.0.1"]], mapped=[["::ffff:127.0.0.1"]])
    client = WebhookClient(Rules(), certificates.ca, names)
    async with endpoint(OK, certificates.server()) as hook:
        port = hook.url.rpartition(":")[2]
        known = [await failure(client, f"https://{host}.example.com:{port}") for host in ("inside", "mapped")]
        unknown = await failure(client, f"https://unknown.example.com:{port}")
        assert {failed.reason for failed in [*known, unknown]} == {"The host name has no address that may be called."}
        for url in (hook.url, hook.url.replace("https", "http"), hook.url.replace("127.0.0.1", "localhost")):
            assert "machine" in (failed := await failure(client, url)).reason or "public" in failed.reason
        assert hook.connections == 0
    await client.close()


async def test_a_name_that_changes_its_address(certificates: Certificates, monkeypatch: pytest.MonkeyPatch) -> None:
    """DNS rebinding: first an address that may be called, then one that may not."""
    monkeypatch.setattr(module, "NAMES_KEPT_FOR", 0)
    names = Names(hooks=[["127.0.0.2"], ["127.0.0.2", "127.0.0.1"], ["127.0.0.1"]])
    client = WebhookClient(Rules(["127.0.0.2"]), certificates.ca, names)
    async with greeter("127.0.0.2") as permitted:
        port = int(permitted.url.rpartition(":")[2].rstrip("/"))
        async with greeter("127.0.0.1", port) as victim:  # greeters: it is the address that counts
            reasons = [(await failure(client, f"https://hooks.example.com:{port}/")).reason for _ in range(3)]
            assert (names.asked, permitted.connections, victim.connections) == (3, 2, 0)
            assert [words.split(" ")[1] for words in reasons] == ["connection", "connection", "host"]
    await client.close()


async def test_a_name_is_looked_up_once_in_a_while(certificates: Certificates) -> None:
    names = Names(hooks=[["127.0.0.1"]])
    client = WebhookClient(Rules(["hooks.example.com"]), certificates.ca, names)
    async with greeter() as hook:
        for _ in range(5):
            await failure(client, hook.url.replace("127.0.0.1", "hooks.example.com"))
        assert (names.asked, hook.connections) == (1, 5)
    await client.close()


async def test_the_last_check(client: WebhookClient) -> None:
    strict = WebhookClient(Rules(["10.0.0.0/8"]))
    info = (socket.AF_INET, socket.SOCK_STREAM, 0, "", ("127.0.0.1", 80))
    with pytest.raises(OSError, match="may not be called"):
        strict._permitted_socket(info)
    client._permitted_socket(info).close()
    await strict.close()


async def test_the_systems_look_up() -> None:
    resolver = SystemResolver()
    assert "127.0.0.1" in [found["host"] for found in await resolver.resolve("localhost", 80, socket.AF_INET)]
    for host in ("no-such-name.invalid", "a" * 64 + ".example", "a..b"):
        with pytest.raises(OSError, match=r"."):
            await resolver.resolve(host, 80)
    await resolver.close()


async def test_a_slow_look_up_blocks_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    def slow(*_: object, **__: object) -> list[object]:
        time.sleep(1.5)
        return []

    monkeypatch.setattr(socket, "getaddrinfo", slow)
    client = WebhookClient(Rules(allow_loopback=True))
    calls = [asyncio.create_task(failure(client, f"https://h{n}.example.com/", 0.3)) for n in range(40)]
    async with endpoint(OK) as hook:
        assert (await post(client, hook.url)).status == 200
        assert (await asyncio.to_thread(os.getpid)) == os.getpid()
        assert not any(call.done() for call in calls)
    assert all(failed.timed_out for failed in await asyncio.gather(*calls))
    await client.close()
