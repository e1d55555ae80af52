"""Signing in with name and password: the one way, whichever grant or page asks."""

from presenced.identity.entra_errors import locked, wrong_password
from presenced.identity.identity import Identity
from presenced.identity.issuer import User

# A userPrincipalName has at most 113 characters (user resource). Longer ones are not counted or looked up.
LONGEST_NAME = 113


async def sign_in(identity: Identity, tenant: str, name: str, password: str) -> User:
    """Who gave this name and password. Takes as long for a person who does not exist. Raises EntraError."""
    name = name.strip().lower()
    if len(name) > LONGEST_NAME:
        raise wrong_password()
    if not identity.guesses.begin(tenant, name):
        raise locked()
    user = await identity.find_person(tenant, name)
    person = user[0] if user else ""
    stamp = identity.passwords.stamp(tenant, person)
    right = await identity.passwords.verify(tenant, person, password)
    # a password that was changed meanwhile is right no more, and what it gives must not outlive that
    if user is None or not right or identity.passwords.stamp(tenant, person) != stamp:
        raise wrong_password()
    identity.guesses.succeeded(tenant, name)
    return user


async def still_signed_in(identity: Identity, tenant: str, person: str, stamp: str) -> User | None:
    """The person who signed in while their password had this stamp, if they are still there and it is the same."""
    if identity.passwords.stamp(tenant, person) != stamp:
        return None
    return await identity.find_person(tenant, person)
