"""People: whom the benchmark asks about, and the lists of ids it asks for. The same on every run: both are seeded."""

import random
import uuid
from pathlib import Path

import msgspec

PREPARED = 200
"""Requests prepared for each size, sent in turn: with 650 ids they name everyone of 10,000 people many times."""


def make(count: int) -> list[str]:
    """Object ids. A greater count begins with the same people."""
    chance = random.Random("people")  # noqa: S311  it only has to be the same every time
    return [str(uuid.UUID(int=chance.getrandbits(128), version=4)) for _ in range(count)]


def questions(people: list[str], ids: int) -> list[list[str]]:
    """Lists of ``ids`` distinct people, drawn at random from all of them."""
    chance = random.Random(f"questions of {ids}")  # noqa: S311
    return [chance.sample(people, ids) for _ in range(PREPARED)]


def save(people: list[str], numbered_from: int, path: Path) -> None:
    """Write people as ``presenced users import`` reads them."""
    path.write_bytes(
        msgspec.json.encode(
            [
                {
                    "id": person,
                    "userPrincipalName": f"person{number}@example.com",
                    "displayName": f"Person {number}",
                    "jobTitle": "Consultant",
                }
                for number, person in enumerate(people, numbered_from)
            ]
        )
    )
