"""nginx: the least that sending these bytes can cost. It serves one of presenced's answers from a file."""

import os
import shutil
from pathlib import Path

from benchmarks import http
from benchmarks.plan import Exchange, Plan, WrongAnswer
from benchmarks.process import Process, ServerFailed, free_port

_CONFIG = """
{user}
worker_processes 1;
daemon off;
pid nginx.pid;
error_log stderr warn;
events {{ worker_connections 64; }}
http {{
  access_log off;
  sendfile on;
  tcp_nopush on;
  keepalive_timeout 1h;
  keepalive_requests 1000000000;
  types {{ }}
  default_type "{content_type}";
  client_body_temp_path temporary;
  proxy_temp_path temporary;
  fastcgi_temp_path temporary;
  uwsgi_temp_path temporary;
  scgi_temp_path temporary;
  server {{ listen 127.0.0.1:{port}; root files; }}
}}
"""

_CONTENT_TYPE = "application/json;odata.metadata=minimal;odata.streaming=true;IEEE754Compatible=false;charset=utf-8"
"""presenced's."""


class Nginx:
    """An nginx with one worker. Its file is the same in every call and stays in the caches, which favours nginx."""

    name = "nginx"
    what = "GET of one file with the same bytes (it takes no POST for a file); sendfile, one worker, no access log"

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._port = free_port()
        self._pid = 0

    def start(self, log: Path) -> Process:
        """Start it and wait until it listens."""
        (self._folder / "files").mkdir(parents=True)
        # As root, the worker would become another user, who may not read a temporary folder.
        user = "user root;" if os.getuid() == 0 else ""
        config = self._folder / "nginx.conf"
        config.write_text(_CONFIG.format(user=user, port=self._port, content_type=_CONTENT_TYPE))
        server = Process([_command(), "-p", str(self._folder), "-c", str(config), "-e", "stderr"], log)
        server.wait_for_port(self._port)
        self._pid = server.pid
        return server

    def plan(self, name: str, answer: bytes) -> Plan:
        """A GET of a file that holds this answer."""
        (self._folder / "files" / name).write_bytes(answer)
        request = http.get(f"/{name}")
        if http.ask_all(self._port, [request]) != [answer]:
            raise WrongAnswer("nginx does not serve the file's bytes")
        return Plan(self._port, self._pid, [Exchange(request, answer)])


def _command() -> str:
    command = shutil.which("nginx", path=os.environ.get("PATH", "") + os.pathsep + "/usr/sbin")
    if command is None:
        raise ServerFailed("nginx is not installed; ./scripts/bench installs it.")
    return command
