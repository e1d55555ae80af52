"""Killed at any moment, the store has every write it acknowledged, and all it has fits together."""

import asyncio
import os
import random
import sys
from pathlib import Path

from presenced.store.sqlite import SqliteStore

ROUNDS = 15
SCRIPT = Path(__file__).with_name("sqlite_process.py")


async def killed_while_writing(path: Path, seed: int, after: float) -> list[list[str]]:
    """Run the writers, kill -9 them ``after`` seconds of writing. Returns what they told, word by word."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, str(SCRIPT), "write", str(path), str(seed), stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    told = await process.stdout.readline()
    read = asyncio.create_task(process.stdout.read())
    await asyncio.sleep(after)
    os.kill(process.pid, 9)
    told += await read
    assert await process.wait() == -9
    # the last line may be cut off; what it says was acknowledged, but we cannot tell what it was
    return [line.split() for line in told.decode().split("\n")[:-1]]


async def test_every_acknowledged_write_survives_kill_9_at_a_random_moment(tmp_path: Path) -> None:
    path = tmp_path / "facts.sqlite3"
    dice = random.Random()
    told: dict[tuple[str, str], int] = {}
    for seed in range(ROUNDS):
        for kind, key, value in await killed_while_writing(path, seed, dice.uniform(0.0, 0.2)):
            told[kind, key] = max(told.get((kind, key), 0), int(value))
        store = await SqliteStore.open(path)
        people = dict(await store.people("contoso"))
        documents = await store.documents("apps")
        for (kind, key), number in told.items():
            kept = people[key].sequence if kind == "kept" else int(documents[key])
            assert kept >= number, f"round {seed}: acknowledged was {kind} {key} {number}"
        feed = await store.feed(0, 10_000_000)
        assert [change.position for change in feed] == list(range(1, len(feed) + 1))
        replayed: dict[str, int] = {}
        for change in feed:
            assert change.record is not None
            assert change.record.sequence == replayed.get(change.person, 0) + 1
            replayed[change.person] = change.record.sequence
        assert {change.person: change.record for change in feed} == people
        for person, record in people.items():
            name = record.profile.user_principal_name
            assert name is not None
            assert await store.find("contoso", name) == person
        assert await store.next_due() == 60.0
        await store.close()
    assert {kind for kind, _ in told} == {"kept", "put"}
