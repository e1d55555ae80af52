"""Entries, compiled: a mapping like a dictionary, and the quick way to many, which says what the long way says."""

import json
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from random import Random
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from tests.running import clean_environment

from presenced.entries import COMPILED, Entries, pack

MOST = 650
ONE, TWO = "fa8bf3dc-eca7-46b7-bad1-db199b62afc3", "66825e03-7ef5-42da-9069-724602c31f6b"
ROOT = Path(__file__).parents[1]

guids = st.uuids().map(str)
close = st.integers(0, 40).map(lambda number: str(UUID(int=number << 64 | number)))
"""Ids that come up often, so that they are found again."""
odd = st.sampled_from(["", "nobody@example.com", "FA8BF3DC-ECA7-46B7-BAD1-DB199B62AFC3", "ä" * 36, "-" * 36, "0" * 36])
persons = st.one_of(close, close, guids, odd)
texts = st.binary(max_size=700)


def of_one_and_two() -> Entries:
    entries = Entries()
    entries[ONE], entries[TWO] = b"<one>", b"<two>"
    return entries


def test_it_was_compiled() -> None:
    """Here it must be: the other tests of this file would try nothing."""
    assert COMPILED


class AsADictionary(RuleBasedStateMachine):
    """Whatever is done to it, it holds what a dictionary would."""

    def __init__(self) -> None:
        super().__init__()
        self.entries = Entries()
        self.wanted: dict[str, bytes] = {}

    @rule(person=persons, entry=texts)
    def put(self, person: str, entry: bytes) -> None:
        self.entries[person] = self.wanted[person] = entry

    @rule(persons=st.lists(guids, max_size=40), entry=texts)
    def put_many(self, persons: list[str], entry: bytes) -> None:
        for person in persons:
            self.put(person, entry)

    @rule(person=persons)
    def pop(self, person: str) -> None:
        assert self.entries.pop(person, None) == self.wanted.pop(person, None)

    @rule(person=persons)
    def delete(self, person: str) -> None:
        if person in self.wanted:
            del self.wanted[person], self.entries[person]
        else:
            with pytest.raises(KeyError):
                del self.entries[person]

    @rule(person=persons)
    def look(self, person: str) -> None:
        assert self.entries.get(person) == self.wanted.get(person)
        assert (person in self.entries) == (person in self.wanted)

    @rule(chosen=st.lists(persons, min_size=1, max_size=30), own=st.none() | close)
    def join(self, chosen: list[str], own: str | None) -> None:
        ids = pack(json.dumps({"ids": chosen}).encode(), MOST)
        if ids is not None:
            assert self.entries.join(ids, b"[", own) == the_long_way(self.wanted, chosen, b"[", own)

    @invariant()
    def all_are_there(self) -> None:
        assert len(self.entries) == len(self.wanted)
        assert all(self.entries[person] == entry for person, entry in self.wanted.items())


TestAsADictionary = AsADictionary.TestCase
TestAsADictionary.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)


def the_long_way(entries: dict[str, bytes], ids: list[str], start: bytes, own: str | None) -> bytes | None:
    """What join is to say, or None where it is to leave it to others."""
    asked = [person.lower() for person in ids]
    if len(set(asked)) < len(asked) or own in asked or not set(asked) <= set(entries):
        return None
    return start + b",".join(entries[person] for person in asked) + b"]}"


def test_many_that_come_and_go() -> None:
    """Tens of thousands, through many sizes of the table; those behind a freed place are still found."""
    chance = Random("come and go")
    entries, wanted = Entries(), dict[str, bytes]()
    for number in range(60_000):
        if wanted and chance.random() < 0.4:
            person = chance.choice(list(wanted)) if number % 1000 == 0 else next(iter(wanted))
            assert entries.pop(person, None) == wanted.pop(person)
        else:
            person = str(UUID(int=chance.getrandbits(128) if number % 2 else number))
            entries[person] = wanted[person] = b"%d" % number
    assert len(entries) == len(wanted)
    assert all(entries.get(person) == entry for person, entry in wanted.items())


def test_small_tables() -> None:
    """Of eight slots, whichever of them are taken: what does not fit at the end begins again at the start."""
    chance = Random("small")
    for _ in range(300):
        people = [str(UUID(int=chance.getrandbits(128))) for _ in range(5)]
        entries = Entries()
        for person in people:
            entries[person] = person.encode()
        ids = packed(*people)
        assert entries.join(ids, b"", None) == ",".join(people).encode() + b"]}"
        assert entries.pop(people.pop(chance.randrange(5)), None)
        assert entries.join(ids, b"", None) is None
        assert entries.join(packed(*people), b"", None) == ",".join(people).encode() + b"]}"


def test_ids_that_look_like_another() -> None:
    """A person goes by one id in lower case; whatever else one is called is somebody else."""
    others = [
        ONE.upper(),
        ONE + "0",
        ONE[:-1],
        ONE[:-1] + "é",
        ONE[:-1] + "\u0133",
        ONE.replace("-", "_"),
        f"{{{ONE}}}",
    ]
    others += [ONE[:at] + "0" + ONE[at + 1 :] for at, character in enumerate(ONE) if character == "-"]
    entries = Entries()
    entries[ONE] = b"one"
    for other in others:
        assert other not in entries
        entries[other] = other.encode()
    assert len(entries) == len(others) + 1
    assert entries[ONE] == b"one"
    assert [entries[other] for other in others] == [other.encode() for other in others]


def test_the_own_entry_takes_the_long_way() -> None:
    entries = of_one_and_two()
    assert entries.join(packed(TWO), b"", ONE) == b"<two>]}"
    assert entries.join(packed(TWO, ONE), b"", ONE) is None
    assert entries.join(packed(TWO, ONE.upper()), b"", ONE) is None
    assert entries.join(packed(TWO), b"", "somebody") == b"<two>]}"


def packed(*ids: str) -> bytes:
    ids_packed = pack(json.dumps({"ids": ids}).encode(), MOST)
    assert ids_packed is not None
    return ids_packed


def test_what_is_kept_is_let_go_of() -> None:
    """References: an entry is held once, until it is replaced, taken out, or its entries are forgotten."""
    entries, entry = Entries(), bytes(bytearray(b"an entry of its own"))
    free = sys.getrefcount(entry)
    people = [str(UUID(int=number)) for number in range(50)]
    for person in people:
        entries[person] = entry
        entries[person] = entry
    entries["someone"] = entry
    assert sys.getrefcount(entry) == free + 51
    for _ in range(10):
        assert entries.get(people[0]) is entries["someone"] is entry
        assert entries.join(packed(*people), b"", None) == b",".join([entry] * 50) + b"]}"
        assert entries.join(packed(people[0], people[0]), b"", None) is None
    assert sys.getrefcount(entry) == free + 51
    entries[people[0]] = b"another"
    del entries[people[1]]
    assert entries.pop(people[2], None) is entry
    assert entries.pop("someone", None) is entry
    assert sys.getrefcount(entry) == free + 47
    del entries
    assert sys.getrefcount(entry) == free


def test_misuse_is_refused() -> None:
    entries = Entries()
    for bad in (1, None, b"bytes"):
        with pytest.raises(TypeError):
            entries.get(bad)  # type: ignore[arg-type]
        with pytest.raises(TypeError):
            entries[bad] = b""  # type: ignore[index]
    for person in ("someone", str(UUID(int=1))):
        with pytest.raises(TypeError):
            entries[person] = "text"  # type: ignore[assignment]
    joins: list[tuple[Any, ...]] = [(b"x" * 16, b""), (b"", b"", None), (b"x" * 17, b"", None), ("", b"", None)]
    for arguments in joins:
        with pytest.raises(TypeError):
            entries.join(*arguments)
    with pytest.raises(TypeError):
        entries.join(packed(str(UUID(int=1))), b"", 1)  # type: ignore[arg-type]
    packs: list[tuple[Any, ...]] = [("text", 1), (b"", "1"), (b"",)]
    for arguments in packs:
        with pytest.raises(TypeError):
            pack(*arguments)
    for number in (-1, 65_537, 1 << 80):
        with pytest.raises((OverflowError, ValueError)):
            pack(b"{}", number)
    with pytest.raises(TypeError):
        Entries({})  # type: ignore[call-arg]
    assert not len(entries)


# --- bodies ---------------------------------------------------------------------------------------------------------


def said_of(body: bytes, most: int = MOST) -> bytes | None:
    ids = pack(body, most)
    return None if ids is None else of_one_and_two().join(ids, b"", None)


@pytest.mark.parametrize(
    "body",
    [
        f'{{"ids":["{ONE}","{TWO}"]}}',
        f'{{"ids": ["{ONE}", "{TWO}"]}}',
        f' {{\n\t"ids" :\r\n[ "{ONE}" , "{TWO}" ] }} ',
        f'{{"ids":["{ONE.upper()}","{TWO.upper()}"]}}',
    ],
)
def test_what_clients_send_is_packed(body: str) -> None:
    assert said_of(body.encode()) == b"<one>,<two>]}"


@pytest.mark.parametrize(
    "body",
    [
        "",
        " ",
        "{",
        "{}",
        "[]",
        "null",
        '{"ids":[]}',
        '{"ids":null}',
        '{"ids":[1]}',
        '{"ids":["x"]}',
        f'["{ONE}"]',
        f'{{"IDS":["{ONE}"]}}',
        f'{{"ids":"{ONE}"}}',
        f'{{"ids":["{ONE}",]}}',
        f'{{"ids":[,"{ONE}"]}}',
        f'{{"ids":["{ONE}" "{TWO}"]}}',
        f'{{"ids":["{ONE}"]',
        f'{{"ids":["{ONE}"',
        f'{{"ids":["{ONE}',
        f'{{"ids":["{ONE}"]}}x',
        f'{{"ids":["{ONE}"]}}{{}}',
        f'{{"ids":["{ONE}"],}}',
        f'{{"ids":["{ONE}"],"more":1}}',
        f'{{"@odata.type":"#x","ids":["{ONE}"]}}',
        f'{{"ids":["{ONE}"],"ids":["{TWO}"]}}',
        f'{{"ids":["{ONE} "]}}',
        f'{{"ids":[" {ONE}"]}}',
        f'{{"ids":["{ONE[:-1]}\\u0033"]}}',
        f'{{"ids":["{ONE.replace("-", "")}"]}}',
        f'{{"ids":["{{{ONE}}}"]}}',
        f'{{"ids":["{ONE[:-1]}g"]}}',
        f'{{"ids":["{ONE[:8]}_{ONE[9:]}"]}}',
        f'{{"ids":["{ONE[:13]}0{ONE[14:]}"]}}',
        f'{{"ids":["{ONE[:18]}0{ONE[19:]}"]}}',
        f'{{"ids":["{ONE[:23]}0{ONE[24:]}"]}}',
        f'{{"ids":[x{ONE}"]}}',
        f"{{\"ids\":['{ONE}']}}",
        f'{{"ids":["{ONE[:-1]}３"]}}',
        f'\ufeff{{"ids":["{ONE}"]}}',
        f'\x00{{"ids":["{ONE}"]}}',
        f'{{"ids":["{ONE}"]}}\x00',
        f"{{'ids':['{ONE}']}}",
    ],
)
def test_anything_else_takes_the_long_way(body: str) -> None:
    assert pack(body.encode(), MOST) is None


def test_no_more_than_may_be() -> None:
    ids = [str(UUID(int=number)) for number in range(MOST + 1)]
    for count, most, taken in ((650, 650, True), (651, 650, False), (1, 1, True), (2, 1, False), (1, 0, False)):
        assert (pack(json.dumps({"ids": ids[:count]}).encode(), most) is not None) == taken


@given(st.data())
@settings(max_examples=400, deadline=None)
def test_a_body_with_something_changed(data: st.DataObject) -> None:
    """Whatever is packed is JSON and says just that; nothing is read beyond its end."""
    body = bytearray(json.dumps({"ids": [ONE, TWO]}).encode())
    for _ in range(data.draw(st.integers(1, 3))):
        start = data.draw(st.integers(0, len(body)))
        end = data.draw(st.integers(start, min(start + 3, len(body))))
        body[start:end] = data.draw(
            st.binary(max_size=3) | st.sampled_from([b" ", b"\n", b",", b'"', b"]}", b"\\", b"-"])
        )
    ids = pack(bytes(body), MOST)
    if ids is not None:
        read = json.loads(body)
        assert list(read) == ["ids"]
        everybody = Entries()
        wanted = {person.lower(): person.lower().encode() for person in read["ids"]}
        for person, entry in wanted.items():
            everybody[person] = entry
        assert everybody.join(ids, b"", None) == the_long_way(wanted, read["ids"], b"", None)


# --- without a compiler -----------------------------------------------------------------------------------------------


def built(folder: Path, **environment: str) -> Path:
    """The wheel of this tree's source, built in ``folder``."""
    tree = folder / "tree"
    shutil.copytree(ROOT / "src", tree / "src", ignore=shutil.ignore_patterns("*.so", "__pycache__"))
    shutil.copytree(ROOT / "native", tree / "native")
    for name in ("pyproject.toml", "hatch_build.py", "README.md"):
        shutil.copy(ROOT / name, tree)
    command = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "-w", str(folder), str(tree)]
    subprocess.run(command, env=clean_environment(**environment), check=True, capture_output=True, timeout=240)
    (wheel,) = folder.glob("*.whl")
    return wheel


def test_a_wheel_is_compiled(tmp_path: Path) -> None:
    wheel = built(tmp_path)
    assert not wheel.name.endswith("-none-any.whl")
    names = zipfile.ZipFile(wheel).namelist()
    assert sum(name.startswith("presenced/_entries.") and not name.endswith(".pyi") for name in names) == 1
    assert not any("native" in name for name in names)
    assert not list((tmp_path / "tree").rglob("*.so"))


def test_without_a_compiler_it_works_all_the_same(tmp_path: Path) -> None:
    """The wheel is everybody's, and its server answers a bulk read."""
    wheel = built(tmp_path, CC="false")
    assert wheel.name.endswith("-py3-none-any.whl")
    place = tmp_path / "site"
    zipfile.ZipFile(wheel).extractall(place)
    program = f"""
import sys
sys.path.insert(0, {str(place)!r})
from presenced.entries import COMPILED
assert not COMPILED
from presenced.testing import Presenced
with Presenced() as server:
    with server.client() as client:
        answer = client.post("communications/getPresencesByUserId", json={{"ids": ["{TWO}", "{ONE}"]}})
    print(*(entry["id"] for entry in answer.json()["value"]))
"""
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=clean_environment(PYTHONPATH=str(place)),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.stdout.split() == [TWO, ONE], done.stderr
