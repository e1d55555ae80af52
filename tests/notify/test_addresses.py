"""Which URLs and addresses are called, in every spelling someone may try."""

import ipaddress
import socket
from ipaddress import IPv4Address, IPv6Address, ip_address

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tests.notify.endpoint import Names

from presenced.notify.addresses import AddressRefused, PermittedResolver, Rules, check_url, parse_allowed

PUBLIC = Rules()
OWN = Rules(allow_loopback=True)


@pytest.mark.parametrize(
    ("text", "called"),
    [
        ("https://hooks.example.com", "https://hooks.example.com"),
        ("https://hooks.example.com/a%2fB;c?x=%zz&y=+%20&&z", "https://hooks.example.com/a%2fB;c?x=%zz&y=+%20&&z"),
        ("https://hooks.example.com?code=a==", "https://hooks.example.com/?code=a=="),
        ("https://hooks.example.com/../a//b/./c", "https://hooks.example.com/../a//b/./c"),
        ("HTTPS://Hooks.Example.COM:8443/A", "https://hooks.example.com:8443/A"),
        ("https://bücher.example/ä?ö={ü}", "https://xn--bcher-kva.example/%C3%A4?%C3%B6=%7B%C3%BC%7D"),
        ("https://my_service.example.com/", "https://my_service.example.com/"),
        ("https://8.8.8.8/", "https://8.8.8.8/"),
        ("https://[2606:4700::1111]:444/", "https://[2606:4700::1111]:444/"),
        ("https://[64:ff9b::8.8.8.8]/", "https://[64:ff9b::808:808]/"),
        ("https://[2002:808:808::1]/", "https://[2002:808:808::1]/"),
        ("https://3com.com/", "https://3com.com/"),
        ("https://0xface.example/", "https://0xface.example/"),
    ],
)
def test_urls_that_are_called(text: str, called: str) -> None:
    assert str(check_url(text, PUBLIC)) == called


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "not an absolute URL"),
        ("hooks.example.com/a", "not an absolute URL"),
        ("//hooks.example.com", "not an absolute URL"),
        ("https:/hooks.example.com", "no host"),
        ("https:///hooks.example.com", "no host"),
        ("https:////hooks.example.com/listen", "no host"),
        ("https:\\\\hooks.example.com", "no host"),
        ("https://", "no host"),
        ("https://?x", "no host"),
        ("http://hooks.example.com/", "scheme='http' is not supported"),
        ("http://127.0.0.1.example.com/", "scheme='http' is not supported"),
        ("http://localhost.example.com/", "scheme='http' is not supported"),
        ("http://[::ffff:127.0.0.1]/", "scheme='http' is not supported"),
        ("http://10.0.0.1/", "scheme='http' is not supported"),
        ("ftp://hooks.example.com/", "scheme='ftp' is not supported"),
        ("file:///etc/passwd", "scheme='file' is not supported"),
        ("gopher://127.0.0.1:6379/_FLUSHALL", "scheme='gopher' is not supported"),
        ("EventHub:https://v.vault.azure.net/secrets/s?tenantId=example.com", "scheme='EventHub' is not supported"),
        ("EventGrid:?azuresubscriptionid=1", "scheme='EventGrid' is not supported"),
        ("https://a:b@hooks.example.com/", "user name"),
        ("https://hooks.example.com@127.0.0.1/", "user name"),
        ("https://@hooks.example.com/", "user name"),
        ("https://127.0.0.1\\@hooks.example.com/", "user name"),
        ("https://hooks.example.com\\.evil.example/", "malformed"),
        ("https://hooks.example.com/#", "fragment"),
        ("https://hooks.example.com#@127.0.0.1/", "fragment"),
        ("https://hooks.example.com/a b", "spaces"),
        (" https://hooks.example.com/", "spaces"),
        ("https://hooks.example.com/\r\nX: y", "control"),
        ("https://hooks.example.com/\x00", "control"),
        ("https://hooks.example.com/\x85", "control"),
        ("https://hooks.example.com/\ud800", "control"),
        ("https://hooks.example.com:0/", "out of range"),
        ("https://hooks.example.com:65536/", "out of range"),
        ("https://hooks.example.com:99999999/", "malformed"),
        ("https://hooks.example.com:/", "malformed"),
        ("https://hooks.example.com:-1/", "malformed"),
        ("https://hooks.example.com:４４３/", "malformed"),
        ("https://hooks.example.com./", "malformed"),
        ("https://hooks..example.com/", "malformed"),
        ("https://-hooks.example.com/", "malformed"),
        ("https://hooks%2eexample.com/", "malformed"),
        ("https://127.0.0.1%20.example.com/", "malformed"),
        ("https://[::1]x/", "malformed"),
        ("https://[fe80::1%25eth0]/", "malformed"),
        ("https://[v1.x]/", "malformed"),
        ("https://[127.0.0.1]/", "malformed"),
        ("https://::1/", "malformed"),
        ("https://☃.example/", "malformed"),
        (f"https://{'a' * 64}.example/", "malformed"),
        (f"https://{'a.' * 127}example/", "malformed"),
        (f"https://{'ä.' * 126}example/", "malformed"),
        (f"https://hooks.example.com/{'a' * 2048}", "longer than 2048"),
    ],
)
def test_urls_that_are_not(text: str, words: str) -> None:
    with pytest.raises(AddressRefused, match=words) as refused:
        check_url(text, OWN)
    assert refused.value.message == str(refused.value)


def test_the_refusal_names_the_property() -> None:
    with pytest.raises(AddressRefused, match=r"^lifecycleNotificationUrl scheme='ws' is not supported"):
        check_url("ws://hooks.example.com", PUBLIC, name="lifecycleNotificationUrl")


FORBIDDEN = [
    *("0.0.0.0", "0.1.2.3", "10.0.0.1", "100.64.0.1", "100.127.255.255", "127.0.0.1", "127.255.255.254"),
    *("169.254.0.1", "169.254.169.254", "169.254.170.2", "172.16.0.1", "172.31.255.255", "192.0.0.1", "192.0.0.192"),
    *("192.0.2.1", "192.88.99.1", "192.168.1.1", "198.18.0.1", "198.19.255.255", "198.51.100.1", "203.0.113.1"),
    *("224.0.0.1", "239.255.255.250", "240.0.0.1", "255.255.255.255", "100.100.100.200", "168.63.129.16"),
    *("::", "::1", "::127.0.0.1", "::ffff:0:127.0.0.1", "64:ff9b:1::7f00:1", "100::1", "fc00::1", "fd00:ec2::254"),
    *("fd20:ce::254", "fe80::1", "fec0::1", "ff02::1", "2001:db8::1", "2001:2::1", "2001:10::1", "3fff::1", "5f00::1"),
    *("4000::1", "2001:0:7f00:1::1"),
]
INSIDE = [
    *("::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:a9fe:a9fe", "64:ff9b::127.0.0.1", "64:ff9b::169.254.169.254"),
    *("2002:7f00:1::", "2002:a00:1::1", "2002:a9fe:a9fe::1", "2001:0:808:808::80ff:fffe", "2001:0:a00:1::f7f7:f7f7"),
]


@pytest.mark.parametrize("address", FORBIDDEN + INSIDE)
async def test_addresses_that_are_not_public(address: str) -> None:
    literal = f"[{address}]" if ":" in address else address
    with pytest.raises(AddressRefused, match="not a public one"):
        check_url(f"https://{literal}/", PUBLIC)
    with pytest.raises(OSError, match="no address that may be called"):
        await PermittedResolver(Names(hooks=[[address]]), PUBLIC).resolve("hooks.example.com")


@pytest.mark.parametrize(
    "host",
    [
        *("2130706433", "0x7f000001", "0x7f.1", "0x7F.0x0.0x0.0x1", "0177.0.0.1", "017700000001", "127.1", "127.0.1"),
        *("0", "0x", "0.0", "127.0.0.1.", "127.0.0.1..", "127.0.0.01", "127.0.0.256", "127.0.0.1.1", "a.127", "a.0x7f"),
        *(
            "１２７.0.0.1",
            "127。0。0。1",
            "127．0．0．1",
            "①②⑦.⓪.⓪.①",
            "١٢٧.0.0.1",
            "2１30706433",
            "0ｘ7f.1",
            "127.0.0.1\u200b",
        ),
    ],
)
def test_odd_spellings_of_addresses(host: str) -> None:
    for rules in (PUBLIC, OWN, Rules(["0.0.0.0/0"])):
        with pytest.raises(AddressRefused, match=r"malformed|no host"):
            check_url(f"https://{host}/", rules)


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST", "ⓛocalhost", "ｌｏｃａｌｈｏｓｔ", "local\u00adhost"])
def test_the_own_machine(host: str) -> None:
    assert str(check_url(f"http://{host}:8000/x", OWN)) == "http://localhost:8000/x"
    with pytest.raises(AddressRefused, match="its own machine"):
        check_url(f"http://{host}:8000/x", PUBLIC)


@pytest.mark.parametrize("literal", ["127.0.0.1", "127.8.8.8", "[::1]"])
def test_the_own_addresses(literal: str) -> None:
    for scheme in ("http", "https"):
        assert check_url(f"{scheme}://{literal}/", OWN).scheme == scheme
        with pytest.raises(AddressRefused):
            check_url(f"{scheme}://{literal}/", PUBLIC)


def test_listed_networks() -> None:
    rules = Rules(["10.0.0.0/8", "fd00::/8", "169.254.0.0/16", "0.0.0.0/32", "192.168.1.7", "100.64.0.0/10"])
    permitted = "10.1.2.3", "::ffff:10.1.2.3", "64:ff9b::10.1.2.3", "fd12::1", "169.254.1.1", "192.168.1.7", "0.0.0.0"
    for address in permitted:
        assert rules.permits(ip_address(address)), address
    for address in ("11.0.0.1", "9.255.255.255"):
        assert rules.permits(ip_address(address)), address
    # what clouds answer credentials at is not listed along
    metadata = "169.254.169.254", "fd00:ec2::254", "::ffff:169.254.169.254", "100.100.100.200", "169.254.170.2"
    for address in ("192.168.1.8", "127.0.0.1", "::ffff:192.168.1.8", "172.16.0.1", *metadata):
        assert not rules.permits(ip_address(address)), address
    assert Rules(["169.254.169.254"]).permits(ip_address("169.254.169.254"))
    assert Rules(["169.254.170.2/32"]).permits(ip_address("::ffff:169.254.170.2"))
    assert not Rules(["169.254.170.2/32"]).permits(ip_address("169.254.170.3"))
    assert Rules(["127.0.0.2"]).permits(ip_address("127.0.0.2"))


def test_listed_names() -> None:
    rules = Rules(["Hooks.Internal", "bücher.example"])
    for address in ("10.0.0.1", "127.0.0.1", "::1", "fd12::1", "8.8.8.8", "100.64.0.1"):
        assert rules.permits(ip_address(address), "hooks.internal"), address
        assert rules.permits(ip_address(address), "xn--bcher-kva.example"), address
        assert rules.permits_for_any(ip_address(address))
    for address in ("169.254.169.254", "fd00:ec2::254", "0.0.0.0", "224.0.0.1", "fe80::1"):
        assert not rules.permits(ip_address(address), "hooks.internal"), address
        assert not rules.permits_for_any(ip_address(address))
    for host in ("a.hooks.internal", "internal", "hooks.internal.example.com", ""):
        assert not rules.permits(ip_address("10.0.0.1"), host)
    with pytest.raises(AddressRefused):
        check_url("https://10.0.0.1/", rules)
    with pytest.raises(AddressRefused, match="scheme='http'"):
        check_url("http://hooks.internal/", rules)


@pytest.mark.parametrize(
    "text", ["", "*", "*.example.com", "10.0.0.1/8", "10.0.0.0/33", "127.1", "example.com.", "https://a", "a:1", "a/8"]
)
def test_wrong_entries(text: str) -> None:
    with pytest.raises(ValueError, match="neither a network"):
        parse_allowed(text)


async def test_only_permitted_addresses_of_a_name_are_kept() -> None:
    names = Names(
        hooks=[["10.0.0.1", "8.8.8.8", "::1", "2606:4700::1111", "garbage", "010.0.0.1", "fe80::1%lo"]],
        localhost=[["127.0.0.1", "::1", "8.8.8.8"]],
    )
    resolver = PermittedResolver(names, OWN)
    kept = [found["host"] for found in await resolver.resolve("hooks.example.com", 443)]
    assert kept == ["8.8.8.8", "::1", "2606:4700::1111"]
    assert [found["host"] for found in await resolver.resolve("localhost")] == ["127.0.0.1", "::1"]
    await resolver.close()


ADDRESSES = st.one_of(st.ip_addresses(v=4), st.ip_addresses(v=6), st.sampled_from(FORBIDDEN + INSIDE).map(ip_address))


@given(ADDRESSES)
def test_what_python_calls_private_is_refused(address: IPv4Address | IPv6Address) -> None:
    special = address.is_loopback or address.is_private or address.is_link_local or address.is_multicast
    if special or address.is_unspecified or address.is_reserved:
        nat64 = address in ipaddress.ip_network("64:ff9b::/96")
        inner = IPv4Address(int(address) & 0xFFFFFFFF) if nat64 else getattr(address, "ipv4_mapped", None)
        assert not PUBLIC.permits(address) or (inner is not None and inner.is_global)


def numbers(value: int) -> st.SearchStrategy[str]:
    return st.sampled_from([str(value), hex(value), f"0{value:o}", f"0x{value:X}", f"00{value}", f"0x0{value:x}"])


@st.composite
def spellings(draw: st.DrawFn) -> str:
    """Ways to write IPv4 addresses that some resolver takes, most of them private."""
    address = draw(st.one_of(st.ip_addresses(v=4), st.sampled_from(FORBIDDEN[:27]).map(IPv4Address)))
    octets = list(address.packed)
    cut = draw(st.integers(1, 4))
    parts = [*octets[: cut - 1], int.from_bytes(bytes(octets[cut - 1 :]), "big")]
    text = ".".join(draw(numbers(part)) for part in parts)
    text = draw(st.sampled_from([text, text + ".", text.upper(), f"[{text}]", f"[::ffff:{text}]", f"[::{text}]"]))
    if draw(st.booleans()):
        dot = draw(st.sampled_from(".。．｡"))
        text = text.replace(".", dot).replace("1", draw(st.sampled_from("1１①")))
    return text


def leads_to(host: str) -> set[IPv4Address | IPv6Address]:
    """What the operating system makes of a host without asking anyone."""
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
    except (OSError, UnicodeError):
        return set()
    return {ip_address(str(at[0]).partition("%")[0]) for *_, at in found}


@given(st.one_of(spellings(), st.text(st.sampled_from("0123456789abcdefx.:[]%１①。-_@\\/?#"), max_size=24)))
@example("127.0.0.1")
@example("[::ffff:127.0.0.1]")
@example("0x7f.1")
def test_however_a_host_is_spelt(host: str) -> None:
    try:
        url = check_url(f"https://{host}/", PUBLIC)
    except AddressRefused:
        return
    assert url.raw_host is not None
    for called in (url.raw_host, host.partition("/")[0].strip("[]")):
        for address in leads_to(called):
            assert PUBLIC.permits(address), (host, address)
            assert not address.is_private


@given(st.text(max_size=60))
def test_any_text_is_called_as_it_was_read_or_refused(text: str) -> None:
    for url in (text, f"https://{text}", f"https://h.example/{text}"):
        try:
            found = check_url(url, PUBLIC)
        except AddressRefused:
            continue
        assert str(check_url(str(found), PUBLIC)) == str(found)
        assert str(found).isascii()
        assert not set(str(found)) & set(" \r\n\t\\")
