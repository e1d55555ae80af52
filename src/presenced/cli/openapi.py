"""presenced openapi: the description of the API, for tools that make clients or tests from one."""

from typing import Any

import click
import msgspec

from presenced.cli.options import settings_from, settings_options
from presenced.openapi.document import document_json


@click.command()
@settings_options("host", "port", "public_url")
def openapi(**values: Any) -> None:
    """Print the API as an OpenAPI 3.1 document.

    A running server has the same at /openapi.json, and a page to try it in at /docs.
    """
    settings = settings_from(values)
    base = settings.public_url or f"http://{settings.host}:{settings.port}"
    click.echo(msgspec.json.format(document_json(base.rstrip("/")), indent=2).decode())
