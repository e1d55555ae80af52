"""Names: one person of a tenant per userPrincipalName, found in any letter case."""

import asyncio
import random
from collections.abc import Awaitable, Callable

import pytest

from presenced.presence.record import Profile, Record
from presenced.store.base import Action, Change, NameTaken, Store

Opened = Callable[[], Awaitable[Store]]

TENANT = "contoso"


def named(name: str | None, sequence: int = 1) -> Action:
    return lambda _: Record(0.0, sequence, Profile(name))


def forget(record: Record | None) -> Record | None:
    return None


async def test_a_person_is_found_by_name_in_any_letter_case(store: Store) -> None:
    await store.change(TENANT, "adele", named("Adele.Vance@Contoso.com"))
    for name in ("adele.vance@contoso.com", "ADELE.VANCE@CONTOSO.COM", "Adele.Vance@Contoso.com"):
        assert await store.find(TENANT, name) == "adele"
    assert await store.find(TENANT, "adele") is None
    assert await store.find(TENANT, "") is None


async def test_a_name_belongs_to_one_person_of_a_tenant(store: Store) -> None:
    await store.change(TENANT, "adele", named("a@contoso.com"))
    with pytest.raises(NameTaken):
        await store.change(TENANT, "alex", named("A@CONTOSO.COM"))
    assert await store.read(TENANT, ["alex"]) == [None]
    assert await store.find(TENANT, "a@contoso.com") == "adele"
    assert len(await store.feed(0)) == 1


async def test_a_refused_name_leaves_the_person_with_the_old_one(store: Store) -> None:
    await store.change(TENANT, "adele", named("a@contoso.com"))
    await store.change(TENANT, "alex", named("b@contoso.com"))
    with pytest.raises(NameTaken):
        await store.change(TENANT, "alex", named("a@contoso.com", 2))
    assert await store.find(TENANT, "b@contoso.com") == "alex"
    assert await store.read(TENANT, ["alex"]) == [Record(0.0, 1, Profile("b@contoso.com"))]


async def test_tenants_have_their_own_names(store: Store) -> None:
    await store.change("a", "adele", named("x@x"))
    await store.change("b", "alex", named("x@x"))
    assert (await store.find("a", "x@x"), await store.find("b", "x@x")) == ("adele", "alex")
    assert await store.find("c", "x@x") is None


async def test_any_number_of_persons_may_have_no_name(store: Store) -> None:
    await asyncio.gather(*(store.change(TENANT, f"p{n}", named(None)) for n in range(10)))
    assert len(await store.people(TENANT)) == 10


async def test_keeping_the_name_or_changing_its_case_is_no_conflict(store: Store) -> None:
    for name in ("a@contoso.com", "a@contoso.com", "A@Contoso.com"):
        await store.change(TENANT, "adele", named(name))
    assert await store.find(TENANT, "a@contoso.com") == "adele"


async def test_forgetting_or_renaming_a_person_frees_the_name(store: Store) -> None:
    await store.change(TENANT, "adele", named("a@contoso.com"))
    await store.change(TENANT, "adele", named("new@contoso.com"))
    assert await store.find(TENANT, "a@contoso.com") is None
    assert await store.find(TENANT, "new@contoso.com") == "adele"
    await store.change(TENANT, "alex", named("a@contoso.com"))
    await store.change(TENANT, "adele", forget)
    assert await store.find(TENANT, "new@contoso.com") is None
    await store.change(TENANT, "lidia", named("new@contoso.com"))
    assert await store.find(TENANT, "new@contoso.com") == "lidia"
    assert await store.find(TENANT, "a@contoso.com") == "alex"


async def test_a_name_may_pass_from_one_person_to_another_at_once(store: Store) -> None:
    await store.change(TENANT, "adele", named("a@contoso.com"))
    await store.change(TENANT, "alex", named("b@contoso.com"))
    await asyncio.gather(  # swap, by way of no name
        store.change(TENANT, "adele", named(None, 2)),
        store.change(TENANT, "alex", named("a@contoso.com", 2)),
        store.change(TENANT, "adele", named("b@contoso.com", 3)),
    )
    assert await store.find(TENANT, "a@contoso.com") == "alex"
    assert await store.find(TENANT, "b@contoso.com") == "adele"


async def test_of_many_who_claim_a_name_at_once_one_gets_it(store: Store) -> None:
    outcomes = await asyncio.gather(
        *(store.change(TENANT, f"p{n}", named("a@contoso.com")) for n in range(50)), return_exceptions=True
    )
    got = [outcome for outcome in outcomes if isinstance(outcome, Record)]
    refused = [outcome for outcome in outcomes if isinstance(outcome, NameTaken)]
    assert (len(got), len(refused)) == (1, 49)
    ((holder, _),) = await store.people(TENANT)
    assert await store.find(TENANT, "a@contoso.com") == holder


async def test_a_name_is_found_as_its_followers_have_heard_and_not_before(store: Store) -> None:
    """While a change waits to be durable, names are as they were: nobody is lost, nobody shows early."""
    await store.change(TENANT, "adele", named("a@contoso.com"))
    await store.change(TENANT, "alex", named("b@contoso.com"))
    looks: list[list[str | None]] = []
    heard: list[Change] = []
    store.follow(heard.extend)
    writes = [
        asyncio.create_task(store.change(TENANT, "adele", forget)),
        asyncio.create_task(store.change(TENANT, "alex", named("c@contoso.com"))),
        asyncio.create_task(store.change(TENANT, "lidia", named("a@contoso.com"))),
    ]
    while not all(write.done() for write in writes):
        await asyncio.sleep(0)
        found = [await store.find(TENANT, f"{letter}@contoso.com") for letter in "abc"]
        if not heard:
            looks.append(found)
    assert all(found == ["adele", "alex", None] for found in looks)
    assert [await store.find(TENANT, f"{letter}@contoso.com") for letter in "abc"] == ["lidia", None, "alex"]


async def test_a_storm_of_renames_leaves_names_and_records_in_agreement(store: Store) -> None:
    dice = random.Random(7)
    names = [f"n{n}@x" for n in range(8)]

    async def one() -> None:
        person = f"p{dice.randrange(12)}"
        action = forget if dice.random() < 0.2 else named(dice.choice([*names, None]))
        await store.change(TENANT, person, action)

    for _ in range(20):
        outcomes = await asyncio.gather(*(one() for _ in range(40)), return_exceptions=True)
        assert all(outcome is None or isinstance(outcome, NameTaken) for outcome in outcomes)
        people = {record.profile.user_principal_name: person for person, record in await store.people(TENANT)}
        for name in names:
            assert await store.find(TENANT, name) == people.get(name)


async def test_names_are_known_after_a_restart(reopen: Opened) -> None:
    store = await reopen()
    await store.change(TENANT, "adele", named("Adele@Contoso.com"))
    await store.change(TENANT, "alex", named("b@contoso.com"))
    await store.change(TENANT, "alex", named(None, 2))
    store = await reopen()
    assert await store.find(TENANT, "adele@contoso.COM") == "adele"
    assert await store.find(TENANT, "b@contoso.com") is None
    with pytest.raises(NameTaken):
        await store.change(TENANT, "lidia", named("adele@contoso.com"))
