"""A small seed for tests, as a dict and as files."""

from pathlib import Path
from typing import Any

TENANT = "11111111-0000-4000-8000-000000000001"
APP = "11111111-0000-4000-8000-00000000a001"
PERSON = "11111111-0000-4000-8000-000000000101"
SEED: dict[str, Any] = {
    "tenants": [
        {
            "id": TENANT,
            "apps": [
                {
                    "id": APP,
                    "name": "An app",
                    "secret": "a secret of tests",
                    "applicationPermissions": ["Presence.Read.All", "Presence.ReadWrite.All"],
                }
            ],
            "people": [
                {
                    "id": PERSON,
                    "userPrincipalName": "ada@test.example",
                    "sessions": [{"availability": "DoNotDisturb", "activity": "Presenting"}],
                }
            ],
        }
    ]
}
TOML = f"""\
[[tenants]]
id = "{TENANT}"

[[tenants.apps]]
id = "{APP}"
name = "An app"
secret = "a secret of tests"
applicationPermissions = ["Presence.Read.All", "Presence.ReadWrite.All"]

[[tenants.people]]
id = "{PERSON}"
userPrincipalName = "ada@test.example"
sessions = [{{ availability = "DoNotDisturb", activity = "Presenting" }}]
"""


def write(folder: Path, name: str = "seed.toml") -> Path:
    """The seed as a file."""
    file = folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(TOML)
    return file
