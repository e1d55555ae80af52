"""Apps, passwords and tenants: kept in the store, and found again by the next process."""

import time

import pytest

from presenced.identity.apps import Apps, Passwords
from presenced.identity.tenants import PERSONAL_ACCOUNTS, Tenants
from presenced.store.memory import MemoryStore

from .forger import ADELE, APP, TENANT, Certificate

OTHER_TENANT = "99999999-2222-4333-8444-555555555555"


async def test_an_app_is_kept_without_its_secret(store: MemoryStore) -> None:
    apps = await Apps.load(store)
    app, secret = await apps.add(TENANT, "An app", application=["Presence.Read.All"], delegated=["Presence.Read"])
    assert secret is not None
    assert len(secret) == 43  # 256 bits
    ((key, document),) = (await store.documents("apps")).items()
    assert key == f"{TENANT}/{app.id}"
    assert secret.encode() not in document
    again = await Apps.load(store)
    assert again.get(TENANT, app.id.upper()) == app
    assert again.verify_secret(app, secret)
    assert not again.verify_secret(app, secret + "x")
    assert not again.verify_secret(app, "")
    assert not again.verify_secret(app, app.secrets[0])
    assert not again.verify_secret(app, "\ud800")
    assert app.id != app.principal


async def test_a_given_id_and_secret(store: MemoryStore) -> None:
    apps = await Apps.load(store)
    app, secret = await apps.add(TENANT, "An app", app_id=APP.upper(), secret="given")
    assert (app.id, secret) == (APP, "given")
    again, _ = await apps.add(TENANT, "Renamed", app_id=APP)
    assert again.principal == app.principal
    assert apps.list(TENANT) == [again]
    with pytest.raises(ValueError, match="GUID"):
        await apps.add(TENANT, "An app", app_id="my-app")


async def test_an_app_belongs_to_one_tenant(store: MemoryStore) -> None:
    apps = await Apps.load(store)
    app, _ = await apps.add(TENANT, "An app")
    assert apps.get(OTHER_TENANT, app.id) is None
    assert apps.list(OTHER_TENANT) == []


async def test_a_new_secret_takes_the_place_of_the_old(store: MemoryStore) -> None:
    apps = await Apps.load(store)
    stale, old = await apps.add(TENANT, "An app", secret="old")
    for new in (await apps.set_secret(stale), await apps.set_secret(stale, "given")):
        newest = apps.list(TENANT)[0]
        assert old is not None
        assert not apps.verify_secret(newest, old)
        old = new
    assert apps.verify_secret(apps.list(TENANT)[0], "given")


async def test_no_secret_is_made_for_who_needs_none(store: MemoryStore) -> None:
    apps = await Apps.load(store)
    with_certificate, secret = await apps.add(TENANT, "One", certificates=[Certificate().der])
    assert secret is None
    public, secret = await apps.add(TENANT, "Two", sign_in=True)
    assert secret is None
    assert with_certificate.secrets == public.secrets == ()
    with pytest.raises(ValueError, match="parsing"):
        await apps.add(TENANT, "Three", certificates=[b"no certificate"])


async def test_passwords(store: MemoryStore) -> None:
    passwords = await Passwords.load(store)
    await passwords.set(TENANT, ADELE, "pässword")
    ((key, document),) = (await store.documents("passwords")).items()
    assert key == f"{TENANT}/{ADELE}"
    assert document.startswith(b"scrypt$16384$8$5$")
    again = await Passwords.load(store)
    assert await again.verify(TENANT, ADELE, "pässword")
    assert not await again.verify(TENANT, ADELE, "password")
    assert not await again.verify(TENANT, ADELE, "\ud800")
    assert not await again.verify(OTHER_TENANT, ADELE, "pässword")
    assert not await again.verify(TENANT, ADELE, "x" * 1025)
    await again.set(TENANT, ADELE, None)
    assert not await again.verify(TENANT, ADELE, "pässword")
    assert not await store.documents("passwords")
    for refused in ("", "x" * 1025):
        with pytest.raises(ValueError, match="1 to 1024"):
            await again.set(TENANT, ADELE, refused)


async def test_the_same_password_has_another_hash(store: MemoryStore) -> None:
    passwords = await Passwords.load(store)
    await passwords.set(TENANT, ADELE, "same")
    await passwords.set(TENANT, APP, "same")
    assert len(set((await store.documents("passwords")).values())) == 2


async def test_nobody_can_be_told_from_somebody_by_the_time(store: MemoryStore) -> None:
    passwords = await Passwords.load(store)
    await passwords.set(TENANT, ADELE, "password")

    async def cpu(person: str | None) -> float:
        started = time.process_time()
        assert not await passwords.verify(TENANT, person, "wrong")
        return time.process_time() - started

    somebody, nobody = [min([await cpu(person) for _ in range(3)]) for person in (ADELE, None)]
    assert 0.5 < nobody / somebody < 2


async def test_a_home_tenant_is_made_once(store: MemoryStore) -> None:
    tenants = await Tenants.load(store)
    assert tenants.known(tenants.home)
    assert (await Tenants.load(store)).home == tenants.home
    moved = await Tenants.load(store, TENANT.upper())
    assert moved.home == TENANT
    assert moved.known(tenants.home)
    assert (await Tenants.load(store)).home == TENANT
    assert sum(tenant.home for tenant in moved.list()) == 1


async def test_tenants_by_their_spellings(store: MemoryStore) -> None:
    tenants = await Tenants.load(store, TENANT)
    assert not tenants.known(OTHER_TENANT)
    assert await tenants.add(OTHER_TENANT.upper(), ["Contoso.example"]) == OTHER_TENANT
    for spelling in (TENANT, TENANT.upper(), "common", "Organizations"):
        assert tenants.find(spelling) == TENANT
    again = await Tenants.load(store)
    for spelling in (OTHER_TENANT, "contoso.EXAMPLE"):
        assert again.find(spelling) == OTHER_TENANT
    for spelling in ("", "fabrikam.example", "consumers", PERSONAL_ACCOUNTS):
        assert again.find(spelling) is None
    await tenants.add(TENANT)
    assert (await Tenants.load(store)).home == TENANT


@pytest.mark.parametrize("tenant", ["", "contoso", PERSONAL_ACCOUNTS, PERSONAL_ACCOUNTS.upper()])
async def test_what_cannot_be_a_tenant(store: MemoryStore, tenant: str) -> None:
    tenants = await Tenants.load(store)
    with pytest.raises(ValueError, match="tenant"):
        await tenants.add(tenant)
    if tenant:
        with pytest.raises(ValueError, match="tenant"):
            await Tenants.load(store, tenant)
