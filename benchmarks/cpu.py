"""CPU: how much processor time a server has used, and which cores the server and the load generator run on."""

import ctypes
import os
import shutil
import time
from pathlib import Path

_libc = ctypes.CDLL(None, use_errno=True)


def used(pid: int) -> int:
    """Nanoseconds of CPU, user and system, that the process and its living descendants have used so far.

    This is the kernel's own clock of the process: exact where /proc/PID/stat counts in hundredths of a second, and
    it keeps the time of threads that have ended.
    """
    return sum(_process_clock(member) for member in family(pid))


def family(pid: int) -> list[int]:
    """The process and its descendants."""
    members = [pid]
    for parent in members:
        for children in Path(f"/proc/{parent}/task").glob("*/children"):
            members += map(int, children.read_text().split())
    return members


def _process_clock(pid: int) -> int:
    clock = ctypes.c_int()
    if error := _libc.clock_getcpuclockid(pid, ctypes.byref(clock)):
        raise ProcessLookupError(error, f"process {pid} has ended")
    return time.clock_gettime_ns(clock.value)


def on_server_core(command: list[str]) -> list[str]:
    """The command, made to run on a core that the load generator leaves alone, where there are two."""
    return _pinned(command, 0)


def on_client_core(command: list[str]) -> list[str]:
    """The command, made to run on the load generator's core."""
    return _pinned(command, -1)


def _pinned(command: list[str], index: int) -> list[str]:
    cores = sorted(os.sched_getaffinity(0))
    taskset = shutil.which("taskset")
    return [taskset, "-c", str(cores[index]), *command] if taskset and len(cores) > 1 else command
