"""presenced serve: run the server until Ctrl-C or SIGTERM."""

import asyncio
import logging
import os
import shlex
import signal
import sys
from pathlib import Path
from typing import Any

import click
import structlog
import uvloop

from presenced.app import App, is_for_this_machine
from presenced.cli.board_link import address
from presenced.cli.connection import run
from presenced.cli.options import settings_from, settings_options
from presenced.emulator import sample
from presenced.folder import DataFolder, RunningServer
from presenced.http_server import CannotListen, Listeners, bind, bind_unix
from presenced.identity.loopback import is_loopback
from presenced.settings import Settings
from presenced.tls import DevelopmentTls


@click.command()
@settings_options()
def serve(**values: Any) -> None:
    """Serve presence over HTTP, and over HTTPS with --tls."""
    settings = settings_from(values)
    if (settings.tls_cert is None) != (settings.tls_key is None):
        raise click.UsageError("--tls-cert and --tls-key go together.")
    _log_to_stderr()
    asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())
    run(_serve(settings))


async def _serve(settings: Settings) -> None:
    stop = asyncio.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    folder = DataFolder(settings.data)
    folder.open()
    try:
        async with App.opened(folder, settings) as app:
            if not is_for_this_machine(settings):
                await _hide_sample(app)
            listeners, server = _listen(app, folder, settings)
            await app.start()
            await listeners.start()
            folder.note(server)
            _say_ready(app, folder, server, settings)
            await stop.wait()
            click.echo("Stopping: finishing what is under way.", err=True)
            app.hang_up()
            await listeners.stop()
            await app.stop()
    finally:
        folder.close()


def _listen(app: App, folder: DataFolder, settings: Settings) -> tuple[Listeners, RunningServer]:
    """Bind every socket before anything is served, so that a port in use stops the start. Raises CannotListen."""
    listeners = Listeners()
    plain = bind(settings.host, settings.port, "--port")
    listeners.add(app, plain)
    server = RunningServer(os.getpid(), str(folder.socket_path()), _url("http", settings.host, plain.getsockname()[1]))
    if settings.tls or settings.tls_cert is not None:
        secure = bind(settings.host, settings.tls_port, "--tls-port")
        listeners.add(app, secure, _certificate(folder, settings))
        server.https = _url("https", settings.host, secure.getsockname()[1])
    listeners.add(app.control, bind_unix(Path(server.socket)))
    return listeners, server


def _certificate(folder: DataFolder, settings: Settings) -> tuple[Path, Path]:
    if settings.tls_cert is not None and settings.tls_key is not None:
        return settings.tls_cert, settings.tls_key
    development = DevelopmentTls(folder.certificates)
    try:
        development.prepare()
    except (OSError, ValueError) as error:
        raise CannotListen(f"The development certificates in {folder.certificates} cannot be used: {error}") from error
    return development.certificate, development.key


def _url(scheme: str, host: str, port: int) -> str:
    """The address to tell people: loopback as ``localhost`` over TLS, since that is the certificate's first name."""
    if host in ("0.0.0.0", "::"):  # noqa: S104  a comparison, not a binding
        host = "localhost"
    if scheme == "https" and is_loopback(host):
        host = "localhost"
    return f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"


async def _hide_sample(app: App) -> None:
    shown = await sample.hide(app.identity.apps, app.identity.passwords)
    if app.emulator is not None:
        await app.emulator.seeds.hide_sample()
    if shown is None:
        return
    click.echo(
        "This server can be reached from other machines, so the sample's documented credentials were replaced.\n"
        "These are shown this once:\n"
        f"  secret of the sample service ({sample.SERVICE_APP}): {shown.service_secret}\n"
        f"  secret of the sample sign-in app ({sample.SIGN_IN_APP}): {shown.sign_in_secret}\n"
        f"  password of the sample people: {shown.password}"
    )


def _say_ready(app: App, folder: DataFolder, server: RunningServer, settings: Settings) -> None:
    addresses = " and ".join(filter(None, (server.http, server.https)))
    click.echo(f"presenced is ready at {addresses}, data in {folder.path}")
    link = address(settings.public_url or server.http, app.board.links.new())
    click.echo(f"The live board, by a link that is good once and for ten minutes: {link}")
    if settings.seed is not None and not app.put_in:
        note = f"The folder was not empty, so what it holds was left as it is and {settings.seed} was not put in."
        click.echo(note + (" To put it in now: presenced reset" if settings.control else ""))
    if settings.sample:
        program = shlex.quote(os.path.relpath(sys.argv[0]) if os.path.sep in sys.argv[0] else sys.argv[0])
        ids = '{"ids": ["fa8bf3dc-eca7-46b7-bad1-db199b62afc3", "66825e03-7ef5-42da-9069-724602c31f6b"]}'
        click.echo(
            "\nTry it in another terminal:\n\n"
            f"  curl {server.http}/v1.0/communications/getPresencesByUserId \\\n"
            f'    -H "Authorization: Bearer $({program} token --app {sample.SERVICE_APP} '
            f'--data {shlex.quote(str(folder.path))})" \\\n'
            f"    -H 'Content-Type: application/json' -d '{ids}'\n"
        )
    sys.stdout.flush()


def _log_to_stderr() -> None:
    structlog.configure(
        processors=[
            structlog.stdlib.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            # never the renderer's own tracebacks: they show the values of variables, and those may be secrets
            structlog.dev.ConsoleRenderer(
                colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
            ),
        ],
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    logging.basicConfig(level=logging.ERROR, stream=sys.stderr, format="%(levelname)s %(name)s: %(message)s")
