"""Seeds: the seed that a running server goes back to: put in, exported, restored together with all beside the store."""

import asyncio
from collections.abc import Callable

import msgspec

from presenced.calendar.calendars import Calendars
from presenced.clock import SettableClock
from presenced.emulator import sample
from presenced.emulator.baseline import Baseline, starts_at
from presenced.emulator.export import export
from presenced.emulator.restorer import Restorer
from presenced.emulator.seed import Seed, SeedClock
from presenced.emulator.time_control import TimeControl
from presenced.identity.identity import Identity
from presenced.notify.notifier import Notifier
from presenced.presence.refused import Refused
from presenced.store.base import Store


class Put(msgspec.Struct):
    """How much a seed holds."""

    tenants: int
    apps: int
    people: int

    @classmethod
    def of(cls, baseline: Baseline) -> "Put":
        tenants = baseline.seed.tenants
        return cls(len(tenants), sum(len(tenant.apps) for tenant in tenants), len(baseline.people))


class Seeds:
    """The seed of a running server. ``forget``: what a reset clears besides the store, each a call."""

    def __init__(
        self,
        store: Store,
        identity: Identity,
        calendars: Calendars,
        clock: SettableClock,
        time: TimeControl,
        notifier: Notifier,
        forget: list[Callable[[], object]],
        baseline: Baseline | None,
        *,
        put_in: bool,
        with_sample: bool,
    ) -> None:
        self._store = store
        self._identity = identity
        self._calendars = calendars
        self._clock = clock
        self._time = time
        self._notifier = notifier
        self.forget = forget
        """What a reset clears besides the store."""
        self._baseline = baseline
        self._with_sample = with_sample
        self._restorer = Restorer(store)
        self._restorer.watch(put_in=put_in)
        self._one = asyncio.Lock()

    async def put(self, seed: Seed) -> Put:
        """Have the server hold this seed, and go back to it from now on. Raises SeedWrong."""
        async with self._one:
            baseline = await Baseline.of(seed, self._clock.real())
            self._restorer.anything()
            await self._restore(baseline)
            self._baseline = baseline
        return Put.of(baseline)

    async def reset(self) -> None:
        """Go back to the seed. Raises Refused if there is none."""
        async with self._one:
            await self._restore(await self._ready())

    async def export(self) -> Seed:
        """A seed that says what the server holds now."""
        now = self._clock.now()
        seed = await export(self._store, self._identity, self._calendars, now)
        if self._clock.moved:
            state = self._time.state()
            seed = msgspec.structs.replace(seed, clock=SeedClock(now=state.now, frozen=state.frozen))
        return seed

    def secret(self, tenant: str, app: str) -> str | None:
        """The secret of an app that the seed says in plain text."""
        return None if self._baseline is None else self._baseline.secrets.get((tenant, app))

    async def hide_sample(self) -> None:
        """Have resets leave the sample's credentials as they are now: replaced, since others reach the server."""
        if self._with_sample:
            baseline = await self._ready()
            for collection in ("apps", "passwords"):
                there = await self._store.documents(collection)
                kept = baseline.documents[collection]
                baseline.documents[collection] = {key: there.get(key, document) for key, document in kept.items()}
            baseline.secrets.clear()

    async def _ready(self) -> Baseline:
        if self._baseline is None and self._with_sample:
            self._baseline = await Baseline.of(sample.seed(), self._clock.real())
        if self._baseline is None:
            raise Refused(
                "InvalidArgument",
                "There is no seed to go back to. Start the server with --seed FILE or --sample, or PUT a seed to "
                "/presenced/seed.",
            )
        return self._baseline

    async def _restore(self, baseline: Baseline) -> None:
        now = starts_at(baseline.seed, self._clock.real())
        baseline.check(now)  # before anything is touched
        await self._notifier.clear()
        await self._time.reset()
        asked = baseline.seed.clock
        if asked is not None:
            await self._time.change(at=None if asked.now is None else now, frozen=asked.frozen)
        await self._restorer.restore(baseline, now)
        await self._identity.reload()
        for forget in self.forget:
            forget()
