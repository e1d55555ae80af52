"""Changes: a generator of changes at a steady pace, in a process of its own.

    python -m benchmarks.deliveries.changes PLAN

It changes people in turn, each time to another state, whether or not the changes before were answered yet, and prints
as JSON when each request was sent and answered, in seconds of the monotonic clock.
"""

import asyncio
import sys
import time
from pathlib import Path
from typing import NamedTuple

import aiohttp
import msgspec
import uvloop

_STATES = (("Busy", "InACall"), ("Busy", "InAConferenceCall"))


class ChangePlan(msgspec.Struct):
    """Whom to change where, how often a second and in all; ``turn`` is how often they were changed before."""

    port: int
    token: str
    people: list[str]
    per_second: float
    count: int
    turn: int


class Change(NamedTuple):
    """One change: whose, and when its request was sent and answered."""

    person: str
    sent: float
    answered: float


async def change_all(plan: ChangePlan) -> list[Change]:
    headers = {"Authorization": f"Bearer {plan.token}"}
    connector = aiohttp.TCPConnector(limit=32)
    async with aiohttp.ClientSession(f"http://127.0.0.1:{plan.port}", headers=headers, connector=connector) as session:

        async def change(number: int) -> Change:
            turn, place = divmod(number, len(plan.people))
            person = plan.people[place]
            availability, activity = _STATES[(plan.turn + turn) % 2]
            body = {"sessionId": "s", "availability": availability, "activity": activity, "expirationDuration": "PT4H"}
            sent = time.monotonic()
            async with session.post(f"/v1.0/users/{person}/presence/setPresence", json=body) as answer:
                if answer.status != 200:
                    raise SystemExit(f"setPresence answered {answer.status}: {await answer.text()}")
            return Change(person, sent, time.monotonic())

        begin, changing = time.monotonic() + 0.1, []
        for number in range(plan.count):
            await asyncio.sleep(max(begin + number / plan.per_second - time.monotonic(), 0))
            changing.append(asyncio.create_task(change(number)))
        return list(await asyncio.gather(*changing))


if __name__ == "__main__":
    asked = msgspec.json.decode(Path(sys.argv[1]).read_bytes(), type=ChangePlan)
    print(msgspec.json.encode(uvloop.run(change_all(asked))).decode())
