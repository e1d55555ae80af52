"""The load generator, a process of its own: python -m benchmarks.load PLAN WARM_UP CALLS.

It keeps a few connections busy, checks every answer, and prints how much CPU the server used meanwhile.
"""

import gc
import itertools
import selectors
import sys
import time
from pathlib import Path

import msgspec

from benchmarks import cpu
from benchmarks.connection import Connection
from benchmarks.plan import Exchange, Outcome, Plan, WrongAnswer

CONNECTIONS = 4
EDGE = 64
"""Bytes compared at either end of every answer, beside its length."""
SAMPLE = 61
"""Every 61st answer is compared whole; a prime, so that all prepared requests come to be sampled."""


class Load:
    """A few connections to one server, working through its plan in turn."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._turns = itertools.cycle(plan.exchanges)
        self._selector = selectors.DefaultSelector()
        self._connections = [Connection(plan.port) for _ in range(CONNECTIONS)]
        for connection in self._connections:
            self._selector.register(connection.socket, selectors.EVENT_READ, connection)

    def run(self, calls: int) -> Outcome:
        """Make so many calls and measure them."""
        before, began = cpu.used(self._plan.pid), time.perf_counter()
        self._exchange(calls)
        seconds, used = time.perf_counter() - began, cpu.used(self._plan.pid) - before
        return Outcome(calls=calls, cpu_us=used / calls / 1000, per_second=calls / seconds)

    def close(self) -> None:
        """End the connections."""
        for connection in self._connections:
            connection.close()
        self._selector.close()

    def _exchange(self, calls: int) -> None:
        expected: dict[Connection, Exchange] = {}
        for connection in self._connections[:calls]:
            expected[connection] = self._send(connection)
        sent, done = len(expected), 0
        while done < calls:
            ready = self._selector.select(timeout=30)
            if not ready:
                raise WrongAnswer("no answer within 30 seconds")
            for key, _ in ready:
                busy: Connection = key.data
                answer = busy.receive()
                if answer is None:
                    continue
                done += 1
                _check(answer, expected[busy].answer, whole=done % SAMPLE == 0)
                if sent < calls:
                    expected[busy] = self._send(busy)
                    sent += 1

    def _send(self, connection: Connection) -> Exchange:
        exchange = next(self._turns)
        connection.send(exchange.request, None if self._plan.framed else len(exchange.answer))
        return exchange


def _check(answer: memoryview, expected: bytes, *, whole: bool) -> None:
    right = len(answer) == len(expected) and answer[:EDGE] == expected[:EDGE] and answer[-EDGE:] == expected[-EDGE:]
    if not right or (whole and answer != expected):
        raise WrongAnswer(f"{len(answer)} bytes for {len(expected)}: {bytes(answer[:EDGE])!r}...")


def main() -> None:
    """Warm the server up, measure it, print the outcome as JSON."""
    path, warm_up, calls = sys.argv[1:]
    load = Load(Plan.read(Path(path)))
    gc.disable()
    try:
        load.run(int(warm_up))
        print(msgspec.json.encode(load.run(int(calls))).decode())
    except WrongAnswer as wrong:
        sys.exit(f"wrong answer: {wrong}")
    finally:
        load.close()


if __name__ == "__main__":
    main()
