"""The signing keys and their file."""

import json
import os
from pathlib import Path

import pytest

from presenced.identity.keys import LONGEST_LIFETIME, KeysUnusable, SigningKeys

from .forger import SetClock


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "keys.json"


def kids(keys: SigningKeys) -> list[str]:
    return [key["kid"] for key in keys.public_jwks()["keys"]]


def test_made_once(path: Path, clock: SetClock) -> None:
    keys = SigningKeys.open(clock, path)
    again = SigningKeys.open(clock, path)
    assert again.current.kid == keys.current.kid
    assert again.current.created == clock.instant
    assert again.current.key.as_dict(private=True) == keys.current.key.as_dict(private=True)
    assert keys.current.key.private_key is not None
    assert keys.current.key.private_key.key_size == 2048
    assert [file.name for file in path.parent.iterdir()] == ["keys.json"]


def test_only_the_owner_may_use_the_file(path: Path, clock: SetClock) -> None:
    before = os.umask(0)
    try:
        SigningKeys.open(clock, path).rotate()
    finally:
        os.umask(before)
    assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o620, 0o644, 0o601])
def test_a_file_that_others_may_use(path: Path, clock: SetClock, mode: int) -> None:
    SigningKeys.open(clock, path)
    path.chmod(mode)
    with pytest.raises(KeysUnusable, match=f"chmod 600 {path}"):
        SigningKeys.open(clock, path)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{}",
        b"[]",
        b'{"keys":[]}',
        b'{"keys":[{}]}',
        b'{"keys":[{"created":1,"kty":"RSA"}]}',
        b'{"keys":[{"created":1,"kty":"oct","k":"AAAA","kid":"x"}]}',
        b"\xff",
    ],
)
def test_a_file_of_something_else(path: Path, clock: SetClock, content: bytes) -> None:
    path.write_bytes(content)
    path.chmod(0o600)
    with pytest.raises(KeysUnusable, match="does not hold signing keys"):
        SigningKeys.open(clock, path)
    assert path.read_bytes() == content


def test_a_damaged_key_is_not_quoted(path: Path, clock: SetClock) -> None:
    SigningKeys.open(clock, path)
    jwks = json.loads(path.read_bytes())
    jwks["keys"][0]["n"] = "AQAB"
    path.write_text(json.dumps(jwks))
    with pytest.raises(KeysUnusable) as error:
        SigningKeys.open(clock, path)
    assert jwks["keys"][0]["d"] not in str(error.value)


def test_only_public_halves_are_shown(path: Path, clock: SetClock) -> None:
    keys = SigningKeys.open(clock, path)
    (shown,) = keys.public_jwks()["keys"]
    assert set(shown) == {"kty", "n", "e", "kid", "use", "alg"}
    assert (shown["kty"], shown["use"], shown["alg"]) == ("RSA", "sig", "RS256")


def test_rotation_keeps_the_old_key_as_long_as_its_tokens(path: Path, clock: SetClock) -> None:
    keys = SigningKeys.open(clock, path)
    first = keys.current.kid
    clock.instant += 1_000_000
    keys.rotate()
    second = keys.current.kid
    assert kids(keys) == [second, first]
    assert kids(SigningKeys.open(clock, path)) == [second, first]
    clock.instant += LONGEST_LIFETIME - 1
    assert keys.find(first)
    clock.instant += 1
    assert keys.find(first) is None
    assert kids(keys) == [second]
    keys.rotate()
    assert first not in path.read_text()
    assert kids(keys)[1:] == [second]


def test_revocation_drops_the_old_keys_at_once(path: Path, clock: SetClock) -> None:
    keys = SigningKeys.open(clock, path)
    old = [keys.current.kid, keys.rotate().kid]
    keys.rotate(revoke=True)
    assert kids(keys) == [keys.current.kid]
    assert not set(old) & set(kids(SigningKeys.open(clock, path)))
    assert all(keys.find(kid) is None for kid in old)


def test_a_failed_write_changes_nothing(path: Path, clock: SetClock, monkeypatch: pytest.MonkeyPatch) -> None:
    keys = SigningKeys.open(clock, path)
    kid, content = keys.current.kid, path.read_bytes()

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(KeysUnusable, match="No space left"):
        keys.rotate(revoke=True)
    assert keys.current.kid == kid
    assert path.read_bytes() == content
    assert list(path.parent.iterdir()) == [path]


def test_a_folder_that_is_not_there(tmp_path: Path, clock: SetClock) -> None:
    with pytest.raises(KeysUnusable, match="cannot be written"):
        SigningKeys.open(clock, tmp_path / "nowhere" / "keys.json")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    with pytest.raises(KeysUnusable, match="cannot be read"):
        SigningKeys.open(clock, tmp_path / "loop")


def test_without_a_file(clock: SetClock) -> None:
    keys = SigningKeys.open(clock)
    assert kids(keys) == [keys.current.kid]
    assert keys.find(keys.current.kid)
    assert keys.find("another") is None
