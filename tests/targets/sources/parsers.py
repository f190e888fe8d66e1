"""Every parser with its synthetic answers, and the recorded ones where there are any."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from observatories.sources.obscodes import api as obscodes
from targets.sources.cad import parse as cad
from targets.sources.esa import parse as esa
from targets.sources.horizons import parse as horizons
from targets.sources.identifier import parse as identifier
from targets.sources.mpc import lines as mpc
from targets.sources.neocp import parse as neocp
from targets.sources.neofixer import parse as neofixer
from targets.sources.sbdb import parse as sbdb
from targets.sources.sbdb_query import parse as sbdb_query
from targets.sources.scout import parse as scout
from targets.sources.sentry import parse as sentry
from tests.shared import SHARED

SYNTHETIC = Path(__file__).parent / "synthetic"
RECORDED = SHARED / "fixtures"
ASKED = ("SYN0002", "Synthetica", "Twin", "nobody")

Parser = Callable[[bytes], Any]
PARSERS: dict[str, Parser] = {
    "sbdb.json": sbdb.parse_object,
    "sbdb_query.json": sbdb_query.parse_rows,
    "cad.json": cad.parse_approaches,
    "sentry_list.json": sentry.parse_risk_list,
    "sentry_object.json": sentry.parse_risk,
    "sentry_removed.json": sentry.parse_removed,
    "scout_list.json": scout.parse_list,
    "scout_object.json": scout.parse_detail,
    "identifier.json": partial(identifier.parse_identifications, asked=ASKED),
    "neofixer.json": partial(neofixer.parse_targets, site="Z90"),
    "obscodes.json": obscodes.parse_answer,
    "neocp.txt": neocp.parse_list,
    "esa.txt": esa.parse_priority_list,
    "mpc.txt": mpc.parse_lines,
    "horizons_observer.txt": horizons.parse_observer,
    "horizons_vectors.txt": horizons.parse_vectors,
}

# Of the recorded answers, those that a parser of ours is for.
_RECORDED: dict[str, Parser] = {
    "sbdb": sbdb.parse_object,
    "cad": cad.parse_approaches,
    "sentry/sentry_summary.json": sentry.parse_risk_list,
    "sentry": sentry.parse_risk,
    "scout/scout_summary_ZTF10BL.json": scout.parse_list,
    "scout": scout.parse_detail,
    "neocp": neocp.parse_list,
    "neocp/test_mpcorbit_2019EN.neocp": mpc.parse_lines,
    "horizons": horizons.parse_observer,
    "neofixer": partial(neofixer.parse_targets, site="Z90"),
}
_OTHER = ("horizons/horizons_batch.txt",)  # a form to fill in


def recorded() -> list[tuple[str, Parser]]:
    """Files below RECORDED with their parsers; none where the reference data is not there."""
    names = sorted(str(path.relative_to(RECORDED)) for path in RECORDED.rglob("*.*") if path.is_file())
    return [(name, _RECORDED.get(name) or _RECORDED[name.split("/")[0]]) for name in names if name not in _OTHER]
