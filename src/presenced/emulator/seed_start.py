"""Seed start: a new folder filled with a seed, also when the first start is killed while it does so."""

from presenced.clock import Clock, SettableClock
from presenced.emulator.baseline import Baseline, starts_at
from presenced.emulator.restorer import Restorer
from presenced.identity.identity import Identity
from presenced.store.base import Store

_COLLECTION, _KEY = "seed", "under-way"


async def is_under_way(store: Store) -> bool:
    """Whether a start before this one did not come to its end with it."""
    return await store.document(_COLLECTION, _KEY) is not None


async def begin(store: Store) -> None:
    """Note that the folder is being filled, before anything is in it."""
    await store.put(_COLLECTION, _KEY, b"1")


async def finish(store: Store, identity: Identity, baseline: Baseline, clock: Clock) -> None:
    """Fill it, by the clock that the seed says, if it may be set. Raises Refused."""
    asked = baseline.seed.clock
    if isinstance(clock, SettableClock) and asked is not None:
        if asked.frozen:
            clock.freeze()
        if asked.now is not None:
            clock.set(starts_at(baseline.seed, clock.real()))
    await Restorer(store).restore(baseline, clock.now())
    await identity.reload()
    await store.put(_COLLECTION, _KEY, None)
