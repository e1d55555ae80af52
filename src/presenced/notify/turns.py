"""Turns: how many calls there are at a time, of each host, of each kind, and of all.

aiohttp would have calls wait too, but their waiting would count as the endpoint's slowness.
"""

import asyncio
from collections.abc import Mapping
from typing import NamedTuple


class Turn(NamedTuple):
    """A call's place among the others, to be left when it ends."""

    host: str
    slots: tuple[asyncio.Semaphore, ...]


class _Host:
    """The calls to one host: how many are under way or wait, and the slots they share."""

    def __init__(self, most: int) -> None:
        self.users = 0
        self.slots = asyncio.Semaphore(most)


class Turns:
    """So many calls at a time: ``most`` of all, ``of_host`` of each host, ``of_kind`` of each kind that is named."""

    def __init__(self, most: int, of_host: int, of_kind: Mapping[str, int]) -> None:
        self._all = asyncio.Semaphore(most)
        self._of_kind = {kind: (asyncio.Semaphore(some), self._all) for kind, some in of_kind.items()}
        self._of_host = of_host
        self._hosts: dict[str, _Host] = {}

    async def take(self, host: str, kind: str, patience: float) -> Turn:
        """Wait for a free place of this host, of this kind, then of all. Raises TimeoutError after so many seconds."""
        entry = self._hosts.get(host)
        if entry is None:
            entry = self._hosts[host] = _Host(self._of_host)
        entry.users += 1
        slots = entry.slots, *self._of_kind.get(kind, (self._all,))
        try:
            if any(slot.locked() for slot in slots):
                await self._wait(slots, patience)
            else:  # most often, and a timeout costs more than the places themselves
                for slot in slots:
                    await slot.acquire()
        except BaseException:
            self._forget(host)
            raise
        return Turn(host, slots)

    def leave(self, turn: Turn) -> None:
        """The call has ended."""
        for slot in turn.slots:
            slot.release()
        self._forget(turn.host)

    async def _wait(self, slots: tuple[asyncio.Semaphore, ...], patience: float) -> None:
        taken: list[asyncio.Semaphore] = []
        try:
            async with asyncio.timeout(patience):
                for slot in slots:
                    await slot.acquire()
                    taken.append(slot)
        except BaseException:
            for slot in taken:
                slot.release()
            raise

    def _forget(self, host: str) -> None:
        entry = self._hosts[host]
        entry.users -= 1
        if entry.users == 0:
            del self._hosts[host]
