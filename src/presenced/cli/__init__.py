"""The command line: one file per command."""

import click

from presenced import __version__
from presenced.cli.apps import apps
from presenced.cli.board import board
from presenced.cli.board_link import board_link
from presenced.cli.calendar import calendar
from presenced.cli.clock import clock
from presenced.cli.env import env
from presenced.cli.faults import faults
from presenced.cli.get import get
from presenced.cli.keys import keys
from presenced.cli.listen import listen
from presenced.cli.log import log
from presenced.cli.openapi import openapi
from presenced.cli.run import run
from presenced.cli.seed import export, reset, seed
from presenced.cli.serve import serve
from presenced.cli.set import set_
from presenced.cli.subscriptions import deliveries, subscriptions
from presenced.cli.token import token
from presenced.cli.users import users
from presenced.cli.wait import wait


@click.group(context_settings={"auto_envvar_prefix": "PRESENCED", "help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="presenced")
def main() -> None:
    """A presence server that speaks Microsoft Graph's presence API.

    Begin with:  presenced serve --sample --tls
    """


COMMANDS = (
    serve,
    run,
    env,
    token,
    get,
    set_,
    board,
    users,
    calendar,
    apps,
    keys,
    subscriptions,
    deliveries,
    listen,
    board_link,
    clock,
    faults,
    log,
    wait,
    seed,
    export,
    reset,
    openapi,
)

for command in COMMANDS:
    main.add_command(command)
