"""The sample tenant: a dozen people in believable states, and two apps whose credentials everybody knows.

The ids are fixed and the credentials documented (docs/sample.md), as Azurite's are, so that examples work word for
word. The first two people are those of Graph's own page of getPresencesByUserId. Their sessions are those of signed-in
Teams clients: they last until someone changes them.
"""

from collections.abc import Callable
from typing import NamedTuple

import msgspec

from presenced.identity.apps import App, Apps, Passwords, new_secret
from presenced.identity.identity import Suggested
from presenced.identity.tenants import Tenants
from presenced.presence.record import OutOfOffice, Preferred, Profile, Record, Session, StatusMessage, WorkLocation
from presenced.presence.settle import new_record, settle
from presenced.presence.states import State
from presenced.store.base import Store

TENANT = "5ca1ab1e-0000-4000-8000-000000000001"
SERVICE_APP = "5ca1ab1e-0000-4000-8000-00000000a001"
SIGN_IN_APP = "5ca1ab1e-0000-4000-8000-00000000a002"
SECRET = "presenced-sample-secret"  # noqa: S105  public on purpose, refused beyond loopback
PASSWORD = "presenced-sample-password"  # noqa: S105  likewise
DOMAIN = "sample.example"
REDIRECT_URIS = ("http://localhost", "http://127.0.0.1", "http://[::1]")
SPA_REDIRECT_URIS = ("http://localhost", "http://localhost/redirect", "http://localhost/redirect.html")

_TEAMS_DESKTOP = "teams-desktop"
_TEAMS_MOBILE = "teams-mobile"


class _Someone(NamedTuple):
    id: str
    name: str
    job_title: str
    state: State | None = None
    preferred: State | None = None
    message: str | None = None
    away_message: str | None = None
    place: WorkLocation | None = None
    on_mobile: State | None = None


_PEOPLE = (
    _Someone("fa8bf3dc-eca7-46b7-bad1-db199b62afc3", "Nadia Petrova", "Product Manager", State("Busy", "InAMeeting")),
    _Someone("66825e03-7ef5-42da-9069-724602c31f6b", "Tomas Rivera", "Designer", State("Away", "Away")),
    _Someone(
        "5ca1ab1e-0000-4000-8000-000000000101",
        "Amara Okafor",
        "Support Engineer",
        State("Available", "Available"),
        message="On the help desk until four, ask away.",
        place=WorkLocation("office"),
    ),
    _Someone("5ca1ab1e-0000-4000-8000-000000000102", "Bao Tran", "Account Manager", State("Busy", "InACall")),
    _Someone(
        "5ca1ab1e-0000-4000-8000-000000000103", "Clara Lindqvist", "Sales Lead", State("Busy", "InAConferenceCall")
    ),
    _Someone("5ca1ab1e-0000-4000-8000-000000000104", "Dmitri Volkov", "Trainer", State("DoNotDisturb", "Presenting")),
    _Someone(
        "5ca1ab1e-0000-4000-8000-000000000105",
        "Elif Kaya",
        "Software Engineer",
        State("Available", "Available"),
        preferred=State("DoNotDisturb", "DoNotDisturb"),
        message="Heads down on the release.",
        place=WorkLocation("remote"),
    ),
    _Someone(
        "5ca1ab1e-0000-4000-8000-000000000106",
        "Farid Haddad",
        "Receptionist",
        State("Available", "Available"),
        preferred=State("BeRightBack", "BeRightBack"),
    ),
    _Someone(
        "5ca1ab1e-0000-4000-8000-000000000107",
        "Grace Mwangi",
        "Finance Director",
        State("Available", "Available"),
        preferred=State("Offline", "OffWork"),
    ),
    _Someone(
        "5ca1ab1e-0000-4000-8000-000000000108",
        "Hiro Tanaka",
        "Legal Counsel",
        away_message="On leave until Monday. For contracts, please write to Grace.",
    ),
    _Someone(
        "5ca1ab1e-0000-4000-8000-000000000109",
        "Ines Costa",
        "Field Technician",
        State("Away", "Away"),
        on_mobile=State("Available", "Available"),
    ),
    _Someone("5ca1ab1e-0000-4000-8000-00000000010a", "Jonas Weber", "Intern"),
)


class Shown(NamedTuple):
    """Credentials to be shown once, because they were made up just now."""

    service_secret: str
    sign_in_secret: str
    password: str


async def fill(store: Store, tenants: Tenants, apps: Apps, passwords: Passwords, now: float) -> None:
    """Put the sample into the folder, once: what was changed since stays changed."""
    if apps.get(TENANT, SERVICE_APP) is not None:
        return
    await tenants.add(TENANT)
    for someone in _PEOPLE:
        await store.change(TENANT, someone.id, _become(someone, now))
    await passwords.set_all(TENANT, [someone.id for someone in _PEOPLE], PASSWORD)
    await apps.add(
        TENANT,
        "Sample sign-in app",
        delegated=(
            "Presence.Read",
            "Presence.Read.All",
            "Presence.ReadWrite",
            "MailboxSettings.ReadWrite",
            "User.Read",
            "User.Read.All",
        ),
        app_id=SIGN_IN_APP,
        secret=SECRET,
        sign_in=True,
        redirect_uris=REDIRECT_URIS,
        spa_redirect_uris=SPA_REDIRECT_URIS,
    )
    # last, because it is what marks the sample as complete
    await apps.add(
        TENANT,
        "Sample service",
        application=(
            "Presence.Read.All",
            "Presence.ReadWrite.All",
            "MailboxSettings.ReadWrite",
            "User.Read.All",
            "User.ReadWrite.All",
        ),
        app_id=SERVICE_APP,
        secret=SECRET,
    )


async def hide(apps: Apps, passwords: Passwords) -> Shown | None:
    """Replace credentials that everybody knows, before the folder is served beyond loopback; None if there are none."""
    known = [app for app in (apps.get(TENANT, SERVICE_APP), apps.get(TENANT, SIGN_IN_APP)) if app is not None]
    if not any(apps.verify_secret(app, SECRET) for app in known):
        return None
    password = new_secret()
    known_by_all = [someone.id for someone in _PEOPLE if await passwords.verify(TENANT, someone.id, PASSWORD)]
    await passwords.set_all(TENANT, known_by_all, password)
    secrets = {app.id: await apps.set_secret(app) for app in known}
    return Shown(secrets.get(SERVICE_APP, ""), secrets.get(SIGN_IN_APP, ""), password)


def suggest(apps: Apps, tenant: str) -> Suggested:
    """The people to choose from on the sign-in page, while their password is the documented one."""
    app = apps.get(TENANT, SIGN_IN_APP) if tenant == TENANT else None
    if app is None or not has_known_secret(apps, app):
        return Suggested()
    return Suggested([Profile(upn(someone.name), someone.name) for someone in _PEOPLE], PASSWORD)


def has_known_secret(apps: Apps, app: App) -> bool:
    """Whether ``app`` still has the documented secret."""
    return app.tenant == TENANT and apps.verify_secret(app, SECRET)


def upn(name: str) -> str:
    """A sample person's userPrincipalName."""
    return f"{name.split()[0].lower()}@{DOMAIN}"


def _become(someone: _Someone, now: float) -> Callable[[Record | None], Record]:
    def action(record: Record | None) -> Record:
        profile = Profile(upn(someone.name), someone.name, upn(someone.name), someone.job_title)
        sessions = {}
        if someone.state is not None:
            sessions[_TEAMS_DESKTOP] = Session(someone.state, now)
        if someone.on_mobile is not None:
            sessions[_TEAMS_MOBILE] = Session(someone.on_mobile, now)
        before = record or new_record(now)
        return settle(
            before,
            msgspec.structs.replace(
                before,
                profile=profile,
                sessions=sessions,
                preferred=Preferred(*someone.preferred) if someone.preferred else None,
                status_message=StatusMessage(someone.message, now) if someone.message else None,
                out_of_office=_replies(someone.away_message) if someone.away_message else None,
                manual_location=someone.place,
            ),
            now,
        )

    return action


def _replies(message: str) -> OutOfOffice:
    return OutOfOffice(message, status="alwaysEnabled", internal_reply=message)
