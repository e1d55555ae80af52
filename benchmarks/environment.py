"""Environment: what the numbers were measured on, without the names of machines or folders."""

import os
import platform
import re
import shutil
import subprocess
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from presenced.entries import COMPILED

_LIBRARIES = ("uvicorn", "uvloop", "httptools", "msgspec", "fastapi", "pydantic")


def facts() -> dict[str, str]:
    """Each fact by its name."""
    return {
        "Date": datetime.now(UTC).strftime("%Y-%m-%d"),
        "Processor": f"{_processor()}, {len(os.sched_getaffinity(0))} cores for the benchmark",
        "Kernel": f"{platform.system()} {platform.release()}",
        "Python": f"{platform.python_implementation()} {platform.python_version()}, {platform.libc_ver()[0]}",
        "Bulk reads": "compiled" if COMPILED else "not compiled",
        "Libraries": ", ".join(f"{name} {version(name)}" for name in _LIBRARIES),
        "nginx": _first_version("nginx", "-v"),
        "Redis": _first_version("redis-server", "--version"),
    }


def _processor() -> str:
    found = re.search(r"^model name\s*:\s*(.+)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    return found[1].strip() if found else platform.machine()


def _first_version(program: str, option: str) -> str:
    command = shutil.which(program, path=os.environ.get("PATH", "") + os.pathsep + "/usr/sbin")
    if command is None:
        return "not found"
    done = subprocess.run([command, option], capture_output=True, text=True, check=False)
    found = re.search(r"\d+\.\d+(\.\d+)?", done.stdout + done.stderr)
    return found[0] if found else "unknown"
