"""Signing in with name and password: the one way, whichever grant or page asks."""

from presenced.identity.entra_errors import locked, wrong_password
from presenced.identity.identity import Identity
from presenced.identity.issuer import User
from presenced.identity.passwords import LONGEST

LONGEST_NAME = 255
"""Characters, as the directory takes them. Longer names are not counted or looked up."""


async def sign_in(identity: Identity, tenant: str, name: str, password: str) -> User:
    """Who gave this name and password. Takes as long for a person who does not exist. Raises EntraError."""
    name = name.strip().lower()
    if len(name) > LONGEST_NAME or len(password) > LONGEST:
        raise wrong_password()
    user = await identity.find_person(tenant, name)
    person = user[0] if user else ""
    # by the person, who goes by a name and an id; a name of nobody is counted all the same, so that nothing shows
    guesser = identity.guesses if user else identity.guesses_at_nobody
    counted = person or name
    if not guesser.begin(tenant, counted):
        raise locked()
    stamp = identity.passwords.stamp(tenant, person)
    right = await identity.passwords.verify(tenant, person, password)
    # a password that was changed meanwhile is right no more, and what it gives must not outlive that
    if user is None or not right or identity.passwords.stamp(tenant, person) != stamp:
        raise wrong_password()
    guesser.succeeded(tenant, counted)
    return user


async def still_signed_in(identity: Identity, tenant: str, person: str, stamp: str) -> User | None:
    """The person who signed in while their password had this stamp, if they are still there and it is the same."""
    if identity.passwords.stamp(tenant, person) != stamp:
        return None
    return await identity.find_person(tenant, person)
