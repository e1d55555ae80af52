"""A client for endpoints on loopback, and certificates for them."""

from collections.abc import AsyncIterator

import pytest
from tests.notify.endpoint import Certificates

from presenced.notify.addresses import Rules
from presenced.notify.client import WebhookClient


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return Certificates(tmp_path_factory.mktemp("tls"))


@pytest.fixture
async def client(certificates: Certificates) -> AsyncIterator[WebhookClient]:
    """Trusts the development authority and may call this machine."""
    client = WebhookClient(Rules(allow_loopback=True), certificates.ca)
    yield client
    await client.close()
