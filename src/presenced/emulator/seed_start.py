"""Seed start: a new folder filled with a seed, also when the first start is killed while it does so."""

from presenced.clock import Clock
from presenced.emulator.baseline import Baseline
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
    """Fill it."""
    await Restorer(store).restore(baseline, clock.now())
    await identity.reload()
    await store.put(_COLLECTION, _KEY, None)
