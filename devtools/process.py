"""Starting and ending processes so that none is left behind, and none of somebody else's is hit."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

PR_SET_PDEATHSIG = 1
PR_SET_SECUREBITS, SECBIT_NO_SETUID_FIXUP = 28, 1 << 2
PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE = 47, 2
CAP_DAC_OVERRIDE = 1
LINUX = sys.platform.startswith("linux")
_libc = ctypes.CDLL(None, use_errno=True)  # bound before any fork: the child only calls it


def die_with_parent(number: int) -> Callable[[], None]:
    """A preexec function: the child gets this signal when its parent ends, even by SIGKILL.

    Linux only. Elsewhere what is left over is ended by the next start, from its record.
    """
    parent = os.getpid()

    def prepare() -> None:
        if LINUX:
            _libc.prctl(PR_SET_PDEATHSIG, number, 0, 0, 0)
            if os.getppid() != parent:  # it ended before the line above
                os.kill(os.getpid(), number)

    return prepare


def become(uid: int, gid: int, keep_file_access: bool) -> None:
    """In a forked child of root: become another account, for good.

    ``keep_file_access`` keeps the one capability CAP_DAC_OVERRIDE, so that a checkout below a closed
    directory (/root) works without opening that directory to every account of the machine.
    """
    if keep_file_access:
        # Without it access(2), which PostgreSQL asks about its own programs, would disregard the capability.
        fixed = _libc.prctl(PR_SET_SECUREBITS, SECBIT_NO_SETUID_FIXUP, 0, 0, 0)
        _checked("prctl(PR_SET_SECUREBITS)", fixed)
    os.setgroups([])
    os.setgid(gid)
    os.setuid(uid)
    if keep_file_access:
        mask = 1 << CAP_DAC_OVERRIDE
        header = (ctypes.c_uint32 * 2)(0x20080522, 0)  # _LINUX_CAPABILITY_VERSION_3, this process
        data = (ctypes.c_uint32 * 6)(mask, mask, mask, 0, 0, 0)  # effective, permitted, inheritable
        _checked("capset", _libc.capset(header, data))
        ambient = _libc.prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_DAC_OVERRIDE, 0, 0)
        _checked("prctl(PR_CAP_AMBIENT)", ambient)


def _checked(call: str, result: int) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{call}: {os.strerror(number)}")


def started_at(pid: int) -> str | None:
    """When a living process began, in the kernel's own words; None if there is no such process.

    Process ids come round again; a pair of id and start does not.
    """
    if LINUX:
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            return None
        return None if fields[0] == "Z" else fields[19]
    done = subprocess.run(["ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True)
    return done.stdout.strip() or None


def command_line(pid: int) -> str:
    """The command line of a process, or an empty text."""
    if LINUX:
        try:
            return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            return ""
    return subprocess.run(["ps", "-o", "command=", "-p", str(pid)], capture_output=True, text=True).stdout


def end_leftover(pid: int, started: str | None, number: int, grace_s: float = 5) -> None:
    """End a process group that an earlier, killed run left behind; any other process is left alone."""
    if started is None or started_at(pid) != started:
        return
    for stronger in (number, signal.SIGKILL):
        signal_group(pid, stronger)
        if wait_until(lambda: started_at(pid) != started, grace_s):
            break
    signal_group(pid, signal.SIGKILL)


def signal_group(pgid: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pgid, number)


def wait_until(condition: Callable[[], bool], timeout_s: float, step_s: float = 0.02) -> bool:
    """Look again in short steps until the condition holds; False when the time is over."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(step_s)
    return True
