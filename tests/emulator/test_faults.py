"""Faults in requests: what is made to go wrong goes wrong, counted, and the same each time."""

import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.conftest import JONAS, NADIA, TOMAS
from tests.emulator.controlled import TENANT, Controlled, controlled
from tests.running import command

from presenced.emulator.fault import Effect, Fault, FaultMatch, NewFault

UNKNOWN = "00000000-0000-4000-8000-00000000ffff"


@pytest.fixture(scope="module")
def module(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Controlled]:
    with controlled(tmp_path_factory.mktemp("faults") / "data") as made:
        yield made


@pytest.fixture
def desk(module: Controlled) -> Controlled:
    module.begin()
    return module


@pytest.mark.parametrize(
    ("effect", "code", "retry_after"),
    [
        ({"status": 429}, "TooManyRequests", "10"),
        ({"status": 429, "retryAfter": "PT5S"}, "TooManyRequests", "5"),
        ({"status": 500}, "InternalServerError", None),
        ({"status": 503, "retryAfter": "PT1M"}, "ServiceNotAvailable", "60"),
        ({"status": 504}, "GatewayTimeout", None),
    ],
)
def test_an_answer_is_made_up_as_graph_writes_it(
    desk: Controlled, effect: dict[str, Any], code: str, retry_after: str | None
) -> None:
    number = desk.add(effect)
    answer = desk.read()
    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (effect["status"], code)
    assert answer.headers.get("retry-after") == retry_after
    assert error["innerError"]["request-id"] == answer.headers["request-id"]
    assert answer.headers["presenced-fault"] == number
    assert desk.counts(number) == (1, 1)
    desk.control.delete(f"/faults/{number}")
    assert desk.read().status_code == 200


def test_the_nth_of_what_is_meant(desk: Controlled) -> None:
    number = desk.add({"status": 503}, operation="getPresencesByUserId", nth=2)
    desk.graph.get(f"/users/{NADIA}/presence")  # another operation does not count
    assert [desk.read().status_code for _ in range(4)] == [200, 503, 200, 200]
    assert desk.counts(number) == (4, 1)


def test_so_many_times_and_several_faults(desk: Controlled) -> None:
    first = desk.add({"status": 429}, times=2)
    second = desk.add({"status": 500}, nth=4)
    assert [desk.read().status_code for _ in range(5)] == [429, 429, 200, 500, 200]
    assert (desk.counts(first), desk.counts(second)) == ((5, 2), (5, 1))


def test_a_share_is_the_same_each_time(desk: Controlled) -> None:
    def run(seed: int) -> list[int]:
        number = desk.add({"status": 503}, share=0.3, seed=seed)
        statuses = [desk.read().status_code for _ in range(40)]
        assert desk.counts(number) == (40, statuses.count(503))
        desk.control.delete("/faults")
        return statuses

    assert run(7) == run(7) != run(8)
    assert 0 < run(7).count(503) < 40


@given(st.floats(0.01, 0.99), st.integers(0, 2**63 - 1), st.integers(1, 300))
@settings(max_examples=50)
def test_whatever_the_seed_the_same_are_struck(share: float, seed: int, count: int) -> None:
    def run() -> list[bool]:
        fault = Fault(NewFault(Effect(status=500), FaultMatch(share=share, seed=seed)), "")
        struck = [fault.strikes() for _ in range(count)]
        assert fault.struck == sum(struck)
        return struck

    assert run() == run()


def test_who_is_meant(desk: Controlled) -> None:
    desk.read()
    app = desk.log()[-1]["app"]
    other = "99999999-0000-4000-8000-000000000000"
    for match, meant in [
        ({"tenant": TENANT}, True),
        ({"tenant": TENANT.upper()}, True),
        ({"tenant": "common"}, True),
        ({"tenant": other}, False),
        ({"app": app}, True),
        ({"app": other}, False),
        ({"person": NADIA}, True),
        ({"person": NADIA.upper()}, True),
        ({"person": JONAS}, False),
        ({"header": {"name": "User-Agent"}}, True),
        ({"header": {"name": "x-try", "value": "1"}}, False),
        ({"operation": "getPresence"}, False),
    ]:
        number = desk.add({"status": 503}, **match)
        assert desk.read(TOMAS, NADIA).status_code == (503 if meant else 200), match
        desk.control.delete(f"/faults/{number}")
    desk.add({"status": 503}, header={"name": "X-Try", "value": "1"})
    assert desk.graph.get("/users", headers={"x-try": "1"}).status_code == 503


@pytest.mark.parametrize(
    "path",
    ["/me/presence", f"/users/{NADIA}/presence", f"/users('{NADIA.upper()}')/presence",
     f"/communications/presences/{NADIA}", f"/communications/presences?$filter=id in ('{NADIA}')"],
)  # fmt: skip
def test_a_person_by_every_path(desk: Controlled, path: str) -> None:
    number = desk.add({"status": 503}, person=NADIA)
    assert desk.nadia.get(path).status_code == 503
    other = path.replace("/me/", f"/users/{TOMAS}/").replace(NADIA, TOMAS).replace(NADIA.upper(), TOMAS)
    assert desk.nadia.get(other).status_code == 200
    assert desk.counts(number) == (1, 1)


def test_the_parts_of_a_batch_go_wrong_one_by_one(desk: Controlled) -> None:
    number = desk.add({"status": 429, "retryAfter": "PT7S"}, operation="getPresence", person=NADIA)
    requests = [
        {"id": str(place), "method": "GET", "url": f"/users/{person}/presence"}
        for place, person in enumerate([TOMAS, NADIA, JONAS])
    ]
    answer = desk.graph.post("/$batch", json={"requests": requests})
    parts = {part["id"]: part for part in answer.json()["responses"]}
    assert (answer.status_code, [parts[key]["status"] for key in "012"]) == (200, [200, 429, 200])
    assert parts["1"]["headers"]["Retry-After"] == "7"
    assert parts["1"]["body"]["error"]["code"] == "TooManyRequests"
    entries = desk.log()
    assert (entries[-1]["operation"], entries[-1]["part"]) == ("batch", False)
    logged = {entry["path"].split("/")[3]: entry for entry in entries[:-1]}
    assert {key: (one["operation"], one["status"], one["faults"], one["part"]) for key, one in logged.items()} == {
        TOMAS: ("getPresence", 200, [], True),
        NADIA: ("getPresence", 429, [number], True),
        JONAS: ("getPresence", 200, [], True),
    }
    assert {entry["requestId"] for entry in entries} == {answer.headers["request-id"]}


def test_a_batch_fails_as_a_whole(desk: Controlled) -> None:
    number = desk.add({"status": 503})
    requests = [{"id": "1", "method": "GET", "url": f"/users/{NADIA}/presence"}]
    assert desk.graph.post("/$batch", json={"requests": requests}).status_code == 503
    assert desk.counts(number) == (1, 1)


def test_an_answer_takes_its_time_of_the_real_clock(desk: Controlled) -> None:
    desk.control.post("/clock", json={"frozen": True})
    both = [desk.add({"latency": "PT0.4S"}, person=NADIA), desk.add({"latency": "PT0.4S"}, times=1)]
    began = time.monotonic()
    answer = desk.read(NADIA)
    assert time.monotonic() - began >= 0.8  # nothing comes sooner; how much later is the machine's business
    assert (answer.status_code, answer.headers["presenced-fault"]) == (200, ", ".join(both))
    assert desk.log()[-1]["duration"] >= 0.8
    assert desk.graph.get(f"/users/{UNKNOWN}/presence").status_code == 404


@pytest.mark.parametrize(("cut", "done"), [("before", False), ("after", True), ("within", True)])
def test_a_connection_is_cut(desk: Controlled, cut: str, done: bool) -> None:
    number = desk.add({"cut": cut}, operation="setStatusMessage")
    body = {"statusMessage": {"message": {"content": f"cut {cut}", "contentType": "text"}}}
    with pytest.raises(httpx.TransportError):
        desk.graph.post(f"/users/{NADIA}/presence/setStatusMessage", json=body)
    shown = desk.graph.get(f"/users/{NADIA}/presence").json()["statusMessage"]
    assert (shown is not None and shown["message"]["content"] == f"cut {cut}") == done
    assert desk.counts(number) == (1, 1)
    entry = next(entry for entry in desk.log() if entry["operation"] == "setStatusMessage")
    assert (entry["status"], entry["problem"], entry["faults"]) == (None, "The connection was cut.", [number])


def test_half_an_answer_is_sent_when_it_is_cut_within(desk: Controlled) -> None:
    desk.add({"cut": "within"}, operation="getPresence")
    with pytest.raises(httpx.RemoteProtocolError, match=r"received [1-9][0-9]* bytes"):
        desk.graph.get(f"/users/{NADIA}/presence")


def test_a_part_cuts_the_whole_batch(desk: Controlled) -> None:
    desk.add({"cut": "after"}, operation="getPresence")
    requests = [{"id": "1", "method": "GET", "url": f"/users/{NADIA}/presence"}]
    with pytest.raises(httpx.TransportError):
        desk.graph.post("/$batch", json={"requests": requests})


def activity(client: httpx.Client, person: str) -> str:
    return str(client.get(f"/users/{person}/presence").json()["activity"])


def bulk(desk: Controlled, *people: str) -> list[str]:
    return [str(one["activity"]) for one in desk.read(*people).json()["value"]]


def test_stale_presence_of_one_person(desk: Controlled) -> None:
    desk.set_state("InACall", person=JONAS)
    number = desk.add({"stale": True}, person=JONAS)
    desk.set_state("Available", person=JONAS)
    desk.set_state("InAConferenceCall", person=TOMAS)
    assert bulk(desk, TOMAS, JONAS) == ["InAConferenceCall", "InACall"]
    assert activity(desk.graph, JONAS) == "InACall"
    assert desk.graph.get(f"/communications/presences?$filter=id in ('{JONAS}')&$select=activity").json()["value"] == [
        {"activity": "InACall"}
    ]
    assert desk.read(TOMAS).headers.get("presenced-fault") is None
    desk.control.delete(f"/faults/{number}")
    assert bulk(desk, TOMAS, JONAS) == ["InAConferenceCall", "Available"]


def test_stale_presence_of_everybody(desk: Controlled) -> None:
    desk.control.post("/clock", json={"frozen": True})
    desk.set_state("InACall", duration="PT10M")
    before = desk.graph.get("/communications/presences?$top=999").json()["value"]
    own = desk.nadia.get("/me/presence").json()
    desk.add({"stale": True})
    desk.control.post("/clock/advance", json={"by": "PT1H"})
    desk.set_state("Away", person=UNKNOWN)
    assert activity(desk.graph, JONAS) == "InACall"
    assert bulk(desk, UNKNOWN.upper(), JONAS) == ["PresenceUnknown", "InACall"]
    assert desk.graph.get(f"/users/{UNKNOWN}/presence").status_code == 404
    assert desk.graph.get("/communications/presences?$top=999").json()["value"] == before
    assert desk.nadia.get("/me/presence").json() == own
    desk.control.delete("/faults")
    assert activity(desk.graph, JONAS) == "Offline"


def test_listed_looked_at_and_removed(desk: Controlled) -> None:
    first, second = desk.add({"status": 500}, operation="getMe"), desk.add({"latency": "PT1S"}, person=JONAS, nth=9)
    listed = desk.control.get("/faults").json()["faults"]
    assert [one["id"] for one in listed] == [first, second]
    assert listed[1]["match"] == {"person": JONAS, "nth": 9}
    assert listed[1]["effect"] == {"latency": "PT1S"}
    assert desk.control.get(f"/faults/{second}").json() == listed[1]
    assert desk.control.delete(f"/faults/{first}").json() == listed[0]
    assert desk.control.get(f"/faults/{first}").status_code == 404
    assert desk.control.delete(f"/faults/{first}").json()["error"]["code"] == "NotFound"
    assert desk.control.delete("/faults").json() == {"removed": 1}
    assert desk.control.get("/faults").json() == {"faults": []}
    assert desk.add({"status": 500}) != first  # an id names one fault for ever


def test_a_reset_forgets_them(desk: Controlled) -> None:
    desk.add({"status": 500})
    desk.read()
    desk.begin()
    assert desk.control.get("/faults").json() == {"faults": []}
    assert desk.log() == []


BAD: list[tuple[Any, str]] = [
    ({}, "effect"),
    ({"effect": {}}, "one of status, latency, cut, stale, notification and handshake"),
    ({"effect": {"status": 429, "cut": "before"}}, "one of"),
    ({"effect": {"status": 418}}, "There are: 429, 500, 503, 504"),
    ({"effect": {"status": "429"}}, "status"),
    ({"effect": {"status": 429, "retryAfter": "soon"}}, "PT5M"),
    ({"effect": {"status": 429, "retryAfter": "PT0.5S"}}, "whole seconds"),
    ({"effect": {"status": 429, "retryAfter": "P9D"}}, "3600 seconds"),
    ({"effect": {"status": 429, "retryAfter": "-PT5S"}}, "3600 seconds"),
    ({"effect": {"retryAfter": "PT5S", "latency": "PT1S"}}, "goes with a status"),
    ({"effect": {"latency": "PT2M"}}, "60 seconds"),
    ({"effect": {"latency": "P" + "9" * 60 + "D"}}, "latency"),
    ({"effect": {"latency": "P" * 100}}, "64"),
    ({"effect": {"cut": "off"}}, "There are: after, before, within"),
    ({"effect": {"stale": False}}, "one of"),
    ({"effect": {"notification": "late"}}, "delay"),
    ({"effect": {"notification": "lost", "delay": "PT1S"}}, "delay"),
    ({"effect": {"notification": "late", "delay": "P2D"}}, "86400"),
    ({"effect": {"notification": "lost"}, "match": {"operation": "getMe"}}, "no operation"),
    ({"effect": {"handshake": "timeout"}, "match": {"person": NADIA}}, "no person"),
    ({"effect": {"status": 500}, "match": {"op": "getMe"}}, "There are: operation, tenant, app, person"),
    ({"effect": {"status": 500}, "match": {"operation": "getPresences"}}, "Did you mean getPresencesByUserId"),
    ({"effect": {"status": 500}, "match": {"operation": "zzz"}}, "There are: getPresencesByUserId"),
    ({"effect": {"status": 500}, "match": {"operation": "token"}}, "There is no operation"),
    ({"effect": {"status": 500}, "match": {"operation": "x" * 65}}, "64"),
    ({"effect": {"status": 500}, "match": {"tenant": "nowhere.example"}}, "no tenant"),
    ({"effect": {"status": 500}, "match": {"person": "nadia@sample.example"}}, "GUID"),
    ({"effect": {"status": 500}, "match": {"header": "x"}}, "header"),
    ({"effect": {"status": 500}, "match": {"nth": 0}}, ">= 1"),
    ({"effect": {"status": 500}, "match": {"nth": 10**30}}, "nth"),
    ({"effect": {"status": 500}, "match": {"nth": 1, "share": 0.5}}, "not both"),
    ({"effect": {"status": 500}, "match": {"share": 0}}, "share"),
    ({"effect": {"status": 500}, "match": {"share": 1.1}}, "<= 1"),
    ({"effect": {"status": 500}, "match": {"seed": -1}}, ">= 0"),
    ({"effect": {"status": 500}, "times": 0}, ">= 1"),
    ([], "object"),
    (b"\xff", "malformed"),
    (b"[" * 100_000, "expected"),
    (b'{"effect":{"status":500},"match":' * 5000, "expected"),
    (b"{", "expected"),
    (b'{"effect":{"status":500},"match":{"app":"\\ud800"}}', "expected"),
]


@pytest.mark.parametrize(("body", "says"), BAD, ids=lambda value: str(value)[:60])
def test_what_no_fault_can_be(desk: Controlled, body: Any, says: str) -> None:
    answer = desk.control.post("/faults", **({"content": body} if isinstance(body, bytes) else {"json": body}))
    assert answer.status_code == 400, answer.text
    error = answer.json()["error"]
    assert error["code"] == "InvalidArgument"
    assert says in error["message"]
    assert desk.control.get("/faults").json() == {"faults": []}


def test_there_can_be_only_so_many(desk: Controlled) -> None:
    for _ in range(100):
        desk.add({"status": 500}, operation="getMe")
    answer = desk.control.post("/faults", json={"effect": {"status": 500}})
    assert (answer.status_code, "remove some" in answer.json()["error"]["message"]) == (400, True)
    assert desk.read().status_code == 200


@pytest.mark.parametrize("path", ["/faults/x", "/faults/-1", "/faults/%00", "/faults/1/2", "/faults/" + "9" * 5000])
def test_ids_that_are_none(desk: Controlled, path: str) -> None:
    for method in ("GET", "DELETE"):
        assert desk.control.request(method, path).status_code == 404
    assert desk.control.put(path).status_code in (404, 405)


def test_nobody_else_can_add_one(desk: Controlled) -> None:
    url = str(desk.control.base_url.join("faults"))
    body = {"effect": {"status": 500}}
    token = {"Authorization": desk.graph.headers["authorization"]}
    assert httpx.post(url, json=body, headers=token).status_code == 401
    assert httpx.post(url, json=body, headers={"Origin": "https://evil.example"}).status_code == 403
    for path in ("log/requests", "log/deliveries"):
        assert httpx.get(str(desk.control.base_url.join(path)), headers=token).status_code == 401


def test_as_commands(desk: Controlled) -> None:
    server = desk.server
    add = (
        "faults",
        "add",
        "--operation",
        "getPresencesByUserId",
        "--status",
        "429",
        "--retry-after",
        "PT5S",
        "--nth",
        "1",
    )
    number = server.command(*add).strip()
    server.command(
        "faults", "add", "--header", "x=1", "--latency", "PT1S", "--share", "0.5", "--seed", "3", "--times", "2"
    )
    server.command("faults", "add", "--stale", "--person", JONAS)
    server.command("faults", "add", "--notification", "late", "--delay", "PT5M", "--tenant", TENANT)
    assert desk.read().headers["retry-after"] == "5"
    listed = server.command("faults", "list").splitlines()
    assert listed == server.command("faults").splitlines()
    words = listed[1].split()
    assert words[0] == number
    assert (words[-2:], "status 429, retryAfter PT5S" in listed[1]) == (["1", "1"], True)
    assert "operation getPresencesByUserId, nth 1" in listed[1]
    assert listed[-1] == "4 faults"
    assert server.command("faults", "remove", number) == f"removed {number}, which struck 1 of 1\n"
    assert server.command("faults", "clear") == "removed 3\n"
    for wrong, says in [
        (("add",), "one of status"),
        (("add", "--status", "418"), "There are: 429"),
        (("add", "--status", "429", "--operation", "getPresences"), "Did you mean"),
        (("remove", "77"), "There is no fault"),
        (("remove", "../clock"), "is not the id"),
    ]:
        refused = command("faults", *wrong, "--data", str(server.data), check=False)
        assert (refused.returncode, says in refused.stderr, "Traceback" in refused.stderr) == (1, True, False), refused
