"""Asking the Minor Planet Center for its catalogue of near-Earth objects (NEA.txt)."""

from coordination.common.providers.errors import Nonsense, Wrong
from coordination.common.providers.fetching import Fetched, fetch
from coordination.common.providers.transport import ask
from targets.sources.mpc.lines import PROVIDER, parse_lines
from targets.sources.records import TargetRecord
from targets.sources.rows import Rows


def fetch_catalogue() -> Fetched[Rows[TargetRecord]]:
    """All near-Earth objects with their orbits. Raises a SourceError."""
    return fetch(PROVIDER, lambda: ask(PROVIDER), _parse_whole)


def _parse_whole(body: bytes) -> Rows[TargetRecord]:
    """The file says nothing of its length, but ends with the end of a line."""
    if body and not body.endswith(b"\n"):
        raise Nonsense(PROVIDER, "the file is cut off", Wrong.UNREADABLE, body)
    return parse_lines(body)
