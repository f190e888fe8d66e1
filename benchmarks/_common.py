"""What the benchmarks share: where the project lies, the catalogue without a database, and how figures are shown."""

from __future__ import annotations

import importlib.util
import json
import os
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(_name, "1")  # as dev.py and the workers have it: one process per core, no threads inside
ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))  # the script is started by its path

SNAPSHOT = ROOT / "targets" / "data" / "mpc_nea_extended_2026-02.json.gz"
PEERS = {"astroplan": "astroplan", "skyfield": "skyfield pandas", "assist": '"rebound<5" assist', "kete": "kete"}


def catalogue_records() -> list[Any]:
    """The shipped catalogue as it is written: elements by name."""
    from targets.sources.files import read_file
    from targets.sources.records import TargetRecord

    return [record for record in read_file(SNAPSHOT).parse() if isinstance(record, TargetRecord)]


def orbits_of(records: Sequence[Any]) -> Any:
    """Records as one `OrbitBatch`, named by number or principal designation."""
    from targets.orbits.elements import OrbitBatch
    from targets.orbits.planets import MJD_ZERO_JD

    def column(field: str) -> list[float]:
        values = [getattr(record.orbit, field) for record in records]
        return [float("nan") if value is None else value for value in values]

    fields = ("a_au", "e", "i_deg", "node_deg", "peri_deg", "mean_anomaly_deg", "h_mag", "g_slope")
    return OrbitBatch.from_keplerian(
        [record.number or record.designation for record in records],
        [epoch - MJD_ZERO_JD for epoch in column("epoch_tdb_jd")],
        *(column(field) for field in fields),
    )


def catalogue_orbits() -> Any:
    """The shipped catalogue as one `OrbitBatch`."""
    return orbits_of(catalogue_records())


def installed(peer: str) -> bool:
    """Whether a peer can be compared with; says how to get it where it cannot. None is a dependency of the service."""
    if importlib.util.find_spec(peer) is not None:
        return True
    print(f"{peer} is not installed, so not compared: .venv/bin/python -m pip install {PEERS[peer]}", file=sys.stderr)
    return False


def seconds(work: Callable[[], Any], rounds: int = 1, clock: Callable[[], float] = time.perf_counter) -> Any:
    """Time of the fastest of some rounds, and what the last one gave.

    By the wall's clock, or with `time.process_time` of this process on the processor: what computes in one process can
    then be compared on a machine that others use too.
    """
    best, result = float("inf"), None
    for _ in range(rounds):
        start = clock()
        result = work()
        best = min(best, clock() - start)
    return best, result


def machine() -> dict[str, Any]:
    """What was measured on, and how busy others kept it."""
    return {"cores": os.cpu_count(), "load_1min": round(os.getloadavg()[0], 1), "python": sys.version.split()[0]}


def show(header: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """A table on standard output: the first column to the left, the others to the right."""
    table = [list(map(str, header)), *(["" if cell is None else str(cell) for cell in row] for row in rows)]
    widths = [max(len(row[k]) for row in table) for k in range(len(header))]
    for row in table:
        cells = [cell.rjust(width) for cell, width in zip(row, widths, strict=True)]
        print("  ".join([row[0].ljust(widths[0]), *cells[1:]]).rstrip())
    print()


def finish(name: str, figures: dict[str, Any]) -> None:
    """The last line of standard output: everything measured, as one JSON object."""
    print(json.dumps({"benchmark": name, "machine": machine(), **figures}, default=float))
