"""A process of its own around a SqliteStore, for tests that kill it or take its disk away.

``write FILE SEED``: write under load until killed, telling each acknowledged write on stdout.
``limited FILE``: fill the file up to a size limit of the process, then lift the limit, and check what is promised.
``readonly``: open stores where nothing may be written.
"""

import asyncio
import os
import random
import resource
import sys
import tempfile
from pathlib import Path

from presenced.presence.record import Profile, Record, StatusMessage
from presenced.store.base import Action, Change, StoreUnavailable
from presenced.store.sqlite import SqliteStore

TENANT = "contoso"
WRITERS = 40
PERSONS = 25


def say(*words: object) -> None:
    os.write(1, (" ".join(map(str, words)) + "\n").encode())


def keep(record: Record) -> Action:
    return lambda _: record


async def write(path: Path, seed: int) -> None:
    """Changes and documents, by many writers at once. ``sequence`` counts the changes of a person."""
    store = await SqliteStore.open(path)
    dice = random.Random(seed)

    async def writer(number: int) -> None:
        count = seed * 1_000_000
        while True:
            person = f"p{dice.randrange(PERSONS)}"
            size = dice.choice([0, 10, 3000])
            if dice.random() < 0.05:
                count += 1
                await store.put("apps", f"w{number}", str(count).encode())
                say("put", f"w{number}", count)
                continue

            def action(record: Record | None, person: str = person, size: int = size) -> Record:
                sequence = 1 if record is None else record.sequence + 1
                name = f"{person}.{sequence % 3}@contoso.com"
                return Record(0.0, sequence, Profile(name), status_message=StatusMessage("x" * size, 0.0, 60.0))

            kept = await store.change(TENANT, person, action)
            assert kept is not None
            say("kept", person, kept.sequence)

    await asyncio.gather(*(writer(number) for number in range(WRITERS)))


async def limited(path: Path) -> None:
    """What a full disk does: EFBIG from write(2), in the middle of a commit."""
    store = await SqliteStore.open(path)
    heard: list[Change] = []
    store.follow(heard.extend)

    def named(name: str) -> Record:
        return Record(0.0, 1, Profile(name), status_message=StatusMessage("x" * 50_000, 0.0))

    await store.change(TENANT, "adele", keep(named("adele@contoso.com")))
    _, most = resource.getrlimit(resource.RLIMIT_FSIZE)
    used = max(file.stat().st_size for file in path.parent.iterdir())
    resource.setrlimit(resource.RLIMIT_FSIZE, (used + 200_000, most))
    outcomes: list[Record | BaseException | None] = []
    for round_ in range(5):
        people = [f"p{round_}.{n}" for n in range(4)]
        outcomes += await asyncio.gather(
            *(store.change(TENANT, person, keep(named(f"{person}@contoso.com"))) for person in people),
            return_exceptions=True,
        )
    kept = [outcome for outcome in outcomes if isinstance(outcome, Record)]
    failed = [outcome for outcome in outcomes if isinstance(outcome, StoreUnavailable)]
    assert len(kept) + len(failed) == 20
    assert failed, "the limit was never reached"
    assert len(heard) == 1 + len(kept)
    assert len(await store.people(TENANT)) == 1 + len(kept)
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
    again = named("p4.3@contoso.com")
    assert await store.change(TENANT, "afterwards", keep(again)) == again
    assert [change.position for change in await store.feed(0)] == list(range(1, len(kept) + 3))
    await store.close()
    store = await SqliteStore.open(path)
    assert await store.find(TENANT, "p4.3@contoso.com") == "afterwards"
    assert len(await store.people(TENANT)) == 2 + len(kept)
    await store.close()
    say(failed[0])


def take_rights_away(path: Path) -> None:
    """Root may write anything, so be nobody."""
    path.chmod(0o444)
    path.parent.chmod(0o555)
    if os.geteuid() == 0:
        os.seteuid(65534)


async def readonly(folder: Path) -> None:
    path = folder / "facts.sqlite3"
    store = await SqliteStore.open(path)
    await store.change(TENANT, "adele", lambda _: Record(0.0, 1))
    await store.close()
    take_rights_away(path)
    for file in (path, folder / "not there"):
        try:
            store = await SqliteStore.open(file)
        except StoreUnavailable as error:
            say(error)
            continue
        try:
            await store.change(TENANT, "adele", lambda _: Record(0.0, 2))
        except StoreUnavailable as error:
            say(error)
        assert await store.read(TENANT, ["adele"]) == [Record(0.0, 1)]
        await store.close()


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["write", file, seed]:
            asyncio.run(write(Path(file), int(seed)))
        case ["limited", file]:
            asyncio.run(limited(Path(file)))
        case ["readonly"]:
            with tempfile.TemporaryDirectory() as folder:
                asyncio.run(readonly(Path(folder)))
                os.seteuid(os.getuid())
                Path(folder).chmod(0o755)
