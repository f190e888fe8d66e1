"""Asking the Minor Planet Center for its catalogue of near-Earth objects (NEA.txt)."""

from coordination.common.providers.fetching import Fetched, fetch
from coordination.common.providers.transport import ask
from targets.sources.mpc.lines import PROVIDER, parse_lines
from targets.sources.records import TargetRecord
from targets.sources.rows import Rows


def fetch_catalogue() -> Fetched[Rows[TargetRecord]]:
    """All near-Earth objects with their orbits. Raises a SourceError."""
    return fetch(PROVIDER, lambda: ask(PROVIDER), parse_lines)
