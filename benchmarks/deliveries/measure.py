"""Measure: what a delivered notification costs presenced, beside a bare loop posting the same bodies, and its delay.

In each round the server makes the same number of changes twice: to people whom nobody watches, and to people whom one
subscription watches. What the second costs more is the delivery's. Then the bare loop posts the very bodies that came.
"""

import subprocess
import sys
import time
from base64 import b64encode
from collections import defaultdict, deque
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from urllib.request import Request, urlopen

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from benchmarks import cpu
from benchmarks.deliveries.changes import Change, ChangePlan
from benchmarks.deliveries.sink import Arrival
from benchmarks.peers.presenced import Presenced
from benchmarks.process import ROOT, Process, run

PER_SECOND = 500.0
_PEOPLE = 250
_PATIENCE = 60.0


class Round(msgspec.Struct):
    """One round: CPU (us) per change unwatched and watched, of the bare loop per POST, counts, and delays (ms)."""

    unwatched_us: float
    watched_us: float
    bare_us: float
    changes: int
    posts: int
    delays: list[float]
    per_second: float

    @property
    def delivery_us(self) -> float:
        """CPU per notification."""
        return self.watched_us - self.unwatched_us

    @property
    def bare_delivery_us(self) -> float:
        """CPU per notification of the bare loop, which posts as many of them at a time."""
        return self.bare_us * self.posts / self.changes

    @property
    def times(self) -> float:
        """How many times the bare loop's CPU."""
        return self.delivery_us / self.bare_delivery_us


class Deliveries(msgspec.Struct):
    """The rounds of one kind of notification."""

    kind: str
    rounds: list[Round]

    def middle(self, of: Callable[[Round], float]) -> float:
        """The median of the rounds."""
        return median(map(of, self.rounds))

    def delay(self, share: float) -> float:
        """The delay (ms) that this share of all notifications did not exceed."""
        delays = sorted(delay for one in self.rounds for delay in one.delays)
        return delays[min(int(len(delays) * share), len(delays) - 1)]


class Measurement:
    """A server with a subscription to half of its people, and a sink. ``step`` is told what happens next."""

    def __init__(self, folder: Path, changes: int, step: Callable[[str], None], ran: Callable[[], None]) -> None:
        self._folder = folder
        self._changes = changes
        self._step = step
        self._ran = ran

    def run(self, kind: str, rounds: int) -> Deliveries:
        """Measure ``basic`` or ``rich`` notifications."""
        folder = self._folder / kind
        folder.mkdir()
        people = [f"{number:08x}-0000-4000-8000-000000000000" for number in range(2 * _PEOPLE)]
        watched, others = people[:_PEOPLE], people[_PEOPLE:]
        options = {"PRESENCED_THROTTLE_PRESENCE": "0", "PRESENCED_EXTENSIONS": "true"}
        presenced = Presenced(folder / "data")
        with _sink(folder) as sink, presenced.start(folder / "log", options) as server:
            hook = f"http://127.0.0.1:{int(sink.wait_for_line('port ([0-9]+)'))}"
            token = presenced.new_token("writer", "Presence.ReadWrite.All")
            plan = ChangePlan(presenced.port, token, others, PER_SECOND, 2 * _PEOPLE, 0)
            self._change(plan)  # makes these people known, and warms up
            plan.people = watched
            self._change(plan)
            plan.turn = 2
            _subscribe(presenced.port, token, f"{hook}/hook", watched, rich=kind == "rich")
            self._change(plan)
            _take(hook, 2 * _PEOPLE)
            plan.turn = 4
            found = []
            for number in range(rounds):
                self._step(f"{kind} notifications, round {number + 1} of {rounds}")
                found.append(self._round(plan, server, hook, watched, others))
                self._ran()
        return Deliveries(kind, found)

    def _round(self, plan: ChangePlan, server: Process, hook: str, watched: list[str], others: list[str]) -> Round:
        plan.count = self._changes
        before = cpu.used(server.pid)
        plan.people = others
        self._change(plan)
        between = cpu.used(server.pid)
        plan.people = watched
        changes = self._change(plan)
        arrivals = _take(hook, self._changes)
        after = cpu.used(server.pid)
        plan.turn += self._changes // _PEOPLE
        return Round(
            unwatched_us=(between - before) / 1000 / self._changes,
            watched_us=(after - between) / 1000 / self._changes,
            bare_us=self._bare(hook, [one.body for one in arrivals]),
            changes=self._changes,
            posts=len(arrivals),
            delays=_delays(changes, arrivals),
            per_second=(len(changes) - 1) / (max(one.sent for one in changes) - min(one.sent for one in changes)),
        )

    def _change(self, plan: ChangePlan) -> list[Change]:
        file = self._folder / "changes.json"
        file.write_bytes(msgspec.json.encode(plan))
        said = run(cpu.on_client_core([sys.executable, "-m", "benchmarks.deliveries.changes", str(file)]))
        return msgspec.json.decode(said, type=list[Change])

    def _bare(self, hook: str, bodies: list[bytes]) -> float:
        """CPU (us) of the bare loop per POST."""
        file = self._folder / "bodies"
        file.write_bytes(msgspec.msgpack.encode(bodies))
        command = cpu.on_server_core([sys.executable, "-m", "benchmarks.deliveries.poster", f"{hook}/hook", str(file)])
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT) as poster:
            assert poster.stdin is not None
            assert poster.stdout is not None
            poster.stdout.readline()
            used = 0
            for _ in range(2):  # the first warms up
                before = cpu.used(poster.pid)
                print(file=poster.stdin, flush=True)
                if poster.stdout.readline() != "done\n":
                    raise RuntimeError("The bare loop has failed.")
                used = cpu.used(poster.pid) - before
            poster.stdin.close()
        _take(hook, 0)
        return used / 1000 / len(bodies)


def _sink(folder: Path) -> Process:
    command = cpu.on_client_core([sys.executable, "-m", "benchmarks.deliveries.sink"])
    return Process(command, folder / "sink.log")


def _subscribe(port: int, token: str, url: str, people: list[str], *, rich: bool) -> None:
    body: dict[str, object] = {
        "changeType": "updated",
        "notificationUrl": url,
        "resource": f"communications/presences?$filter=id in ({','.join(people)})",
        "expirationDateTime": (datetime.now(UTC) + timedelta(hours=20)).isoformat(),
        "clientState": "benchmark",
    }
    if rich:
        body |= {
            "includeResourceData": True,
            "encryptionCertificate": b64encode(_certificate()).decode(),
            "encryptionCertificateId": "benchmark",
        }
    request = Request(
        f"http://127.0.0.1:{port}/v1.0/subscriptions",
        msgspec.json.encode(body),
        {"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
    )
    with urlopen(request, timeout=_PATIENCE) as answer:
        answer.read()


def _certificate() -> bytes:
    """A subscriber's, in DER."""
    key, name = rsa.generate_private_key(65537, 2048), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sink")])
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
        .public_bytes(serialization.Encoding.DER)
    )


def _take(hook: str, items: int) -> list[Arrival]:
    """What has come, once there are so many notifications."""
    arrivals: list[Arrival] = []
    until = time.monotonic() + _PATIENCE
    while True:
        with urlopen(f"{hook}/take", timeout=_PATIENCE) as answer:
            arrivals += msgspec.msgpack.decode(answer.read(), type=list[Arrival])
        if sum(len(_persons(one)) for one in arrivals) >= items:
            return arrivals
        if time.monotonic() > until:
            raise RuntimeError(f"Of {items} notifications only {len(arrivals)} POSTs came.")
        time.sleep(0.05)


def _delays(changes: list[Change], arrivals: list[Arrival]) -> list[float]:
    """Milliseconds from the sending of each change's request to the arrival of its notification."""
    sent: dict[str, deque[float]] = defaultdict(deque)
    for change in sorted(changes, key=lambda one: one.sent):
        sent[change.person].append(change.sent)
    return [(one.at - sent[person].popleft()) * 1000 for one in arrivals for person in _persons(one)]


class _Resource(msgspec.Struct):
    id: str


class _Item(msgspec.Struct, rename="camel"):
    resource_data: _Resource


class _Collection(msgspec.Struct):
    value: list[_Item]


def _persons(arrival: Arrival) -> list[str]:
    return [item.resource_data.id for item in msgspec.json.decode(arrival.body, type=_Collection).value]
