"""Permissions: which one each operation needs. The one table, which the documentation shows too.

Sources: the permission tables on each operation's page (spec 9.1), and for the directory and the mailbox the user
pages. The split of GET presence into one's own and another's follows that page's examples. Personal accounts: never.
"""

from typing import NamedTuple

from presenced.identity.caller import Caller


class Need(NamedTuple):
    """Any one of ``delegated`` for a token with a person, of ``application`` for one without. None: not supported."""

    delegated: tuple[str, ...]
    application: tuple[str, ...]


NEEDS = {
    "getPresencesByUserId": Need(("Presence.Read.All",), ("Presence.Read.All", "Presence.ReadWrite.All")),
    "getOwnPresence": Need(("Presence.Read", "Presence.Read.All"), ("Presence.Read.All", "Presence.ReadWrite.All")),
    "getPresence": Need(("Presence.Read.All",), ("Presence.Read.All", "Presence.ReadWrite.All")),
    "listPresences": Need(("Presence.Read.All",), ("Presence.Read.All", "Presence.ReadWrite.All")),
    "listAllPresences": Need((), ("Presence.Read.All", "Presence.ReadWrite.All")),
    "setPresence": Need(("Presence.ReadWrite",), ("Presence.ReadWrite.All",)),
    "clearPresence": Need(("Presence.ReadWrite",), ("Presence.ReadWrite.All",)),
    "setUserPreferredPresence": Need(("Presence.ReadWrite",), ("Presence.ReadWrite.All",)),
    "clearUserPreferredPresence": Need(("Presence.ReadWrite",), ("Presence.ReadWrite.All",)),
    "setStatusMessage": Need(("Presence.ReadWrite",), ("Presence.ReadWrite.All",)),
    "setManualLocation": Need(("Presence.ReadWrite",), ()),
    "setAutomaticLocation": Need(("Presence.ReadWrite",), ()),
    "clearLocation": Need(("Presence.ReadWrite",), ()),
    "clearAutomaticLocation": Need(("Presence.ReadWrite",), ()),
    "subscriptions": Need(("Presence.Read.All",), ()),
    "subscriptionsExtended": Need(("Presence.Read.All",), ("Presence.Read.All", "Presence.ReadWrite.All")),
    "getMailboxSettings": Need(
        ("MailboxSettings.Read", "MailboxSettings.ReadWrite"), ("MailboxSettings.Read", "MailboxSettings.ReadWrite")
    ),
    "updateMailboxSettings": Need(("MailboxSettings.ReadWrite",), ("MailboxSettings.ReadWrite",)),
    "getMe": Need(("User.Read", "User.Read.All", "User.ReadWrite.All"), ()),
    "getUser": Need(("User.Read.All", "User.ReadWrite.All"), ("User.Read.All", "User.ReadWrite.All")),
    "listUsers": Need(("User.Read.All", "User.ReadWrite.All"), ("User.Read.All", "User.ReadWrite.All")),
    "createUser": Need(("User.ReadWrite.All",), ("User.ReadWrite.All",)),
    "updateUser": Need(("User.ReadWrite.All",), ("User.ReadWrite.All",)),
    "deleteUser": Need(("User.ReadWrite.All",), ("User.ReadWrite.All",)),
}

APPLICATION = tuple(sorted({name for need in NEEDS.values() for name in need.application}))
DELEGATED = tuple(sorted({name for need in NEEDS.values() for name in need.delegated}))


def allowed(caller: Caller, operation: str) -> bool:
    """Whether the caller's token holds a permission that ``operation`` needs."""
    return not caller.permissions.isdisjoint(accepted(caller, operation))


def accepted(caller: Caller, operation: str) -> tuple[str, ...]:
    """The permissions of the caller's kind that ``operation`` accepts, least privileged first."""
    need = NEEDS[operation]
    return need.application if caller.user is None else need.delegated
