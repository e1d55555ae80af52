"""What the programs of tests/clients run against: two servers with the sample tenant and a receiver."""

import asyncio
import contextlib
import json
import os
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from uuid import NAMESPACE_DNS, uuid5

from tests.clients.certificate import certify
from tests.receiver import Receiver
from tests.running import Server, clean_environment, running

from presenced.emulator import sample

HERE = Path(__file__).parent
NADIA = "fa8bf3dc-eca7-46b7-bad1-db199b62afc3"
TOMAS = "66825e03-7ef5-42da-9069-724602c31f6b"
_PERSON = f"tomas@{sample.DOMAIN}"
_SITE = "https://site.example/back"
_MOST_IDS = 650
_BUDGET = 3


def cache() -> Path:
    """Where the programs keep what they install."""
    default = Path.home() / ".cache" / "presenced-clients"
    return Path(os.environ.get("PRESENCED_CLIENTS_CACHE") or default)


@contextlib.contextmanager
def surroundings(folder: Path) -> Iterator[dict[str, str]]:
    """The environment of a program, while the servers and the receiver run. What they write goes to the folder."""
    throttled_by = (sys.executable, str(HERE / "throttled.py"))
    with (
        running(folder / "data", "--sample", "--tls", "--throttle-presence", "0") as server,
        running(
            folder / "throttled", "--sample", "--tls", "--throttle-presence", str(_BUDGET), prefix=throttled_by
        ) as throttled,
        _receiving() as receiver,
    ):
        token = server.command("token", "--user", _PERSON, "--lifetime", "12h").strip()
        site = _app(server, "--delegated", "--redirect-uri", _SITE)
        certificate = certify().write(folder)
        certified = _app(server, "--certificate", str(certificate))
        other = throttled.environment()
        yield clean_environment() | {
            **{name: value for name, value in server.environment().items() if value},
            "PRESENCED_CLIENTS_CACHE": str(cache()),
            "PRESENCED_DELEGATED_CLIENT_ID": sample.SIGN_IN_APP,
            "PRESENCED_DELEGATED_TOKEN": token,
            "PRESENCED_SITE_CLIENT_ID": site["id"],
            "PRESENCED_SITE_CLIENT_SECRET": site["secret"],
            "PRESENCED_SITE_REDIRECT_URI": _SITE,
            "PRESENCED_CERTIFICATE_CLIENT_ID": certified["id"],
            "PRESENCED_CERTIFICATE_FILE": str(certificate),
            "PRESENCED_USER": _PERSON,
            "PRESENCED_PASSWORD": sample.PASSWORD,
            "PRESENCED_PEOPLE_FILE": str(_people(server, folder)),
            "PRESENCED_NOTIFICATION_URL": receiver.url,
            "PRESENCED_THROTTLED_BASE_URL_TLS": other["GRAPH_BASE_URL_TLS"],
            "PRESENCED_THROTTLED_AUTHORITY_HOST": other["AZURE_AUTHORITY_HOST"],
            "PRESENCED_THROTTLED_CA_FILE": other["PRESENCED_CA_FILE"],
        }


def _app(server: Server, *options: str) -> dict[str, str]:
    """An app that may read presence: its id, and its secret if it has one."""
    added = server.command("apps", "add", "an app", "--permission", "Presence.Read.All", "--json", *options)
    found: dict[str, str] = json.loads(added)
    return found


def _people(server: Server, folder: Path) -> Path:
    """A file with the ids of people whom the server knows: two of the sample, the others added."""
    more = [str(uuid5(NAMESPACE_DNS, f"person-{number}.{sample.DOMAIN}")) for number in range(_MOST_IDS - 2)]
    table = folder / "people.csv"
    table.write_text("\n".join(["id,userPrincipalName", *(f"{one},{one}@{sample.DOMAIN}" for one in more)]) + "\n")
    server.command("users", "import", str(table))
    file = folder / "people.txt"
    file.write_text("\n".join([NADIA, TOMAS, *more]) + "\n")
    return file


@contextlib.contextmanager
def _receiving() -> Iterator[Receiver]:
    """A receiver of notifications, in a thread of its own."""
    receiver, loop = Receiver(), asyncio.new_event_loop()
    loop.run_until_complete(receiver.start())
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        yield receiver
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.run_until_complete(receiver.stop())
        loop.close()
