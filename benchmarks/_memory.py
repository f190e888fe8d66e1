"""Peak memory of several processes together, from /proc (Linux): proportional set size, so that what processes share
counts once.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from pathlib import Path

_PAUSE_S = 0.25  # looking costs a hundredth of a processor, most of it for the shared memory of PostgreSQL


def server_of_database() -> int | None:
    """The process of the PostgreSQL server, if it runs on this machine and we may look at it."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        backend = cursor.fetchone()[0]
    try:
        status = Path(f"/proc/{backend}/stat").read_text().rpartition(")")[2].split()
        return int(status[1]) if "postgres" in Path(f"/proc/{backend}/comm").read_text() else None
    except OSError:
        return None


class Watch:
    """Looks four times a second until it is stopped."""

    def __init__(self, pids: Sequence[int], database_pid: int | None) -> None:
        self._pids, self._database = list(pids), database_pid
        self._peaks = {"processes": 0, "database": 0, "together": 0}
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def stop(self) -> dict[str, float | None]:
        """Peaks in MB; None where there is nothing to be read."""
        self._ended.set()
        self._thread.join()
        return {f"peak_memory_{name}_mb": round(peak / 1024) or None for name, peak in self._peaks.items()}

    def _watch(self) -> None:
        while not self._ended.is_set():
            own = sum(map(_kb, self._pids))
            database = sum(map(_kb, _family(self._database))) if self._database else 0
            for name, now in (("processes", own), ("database", database), ("together", own + database)):
                self._peaks[name] = max(self._peaks[name], now)
            time.sleep(_PAUSE_S)


def _family(pid: int) -> list[int]:
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return []
    return [pid, *map(int, children)]


def _kb(pid: int) -> int:
    try:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1])
    except OSError:
        pass
    return 0
