"""Asking the Minor Planet Center for its observatory codes."""

from coordination.common.providers.fetching import Fetched, fetch
from coordination.common.providers.transport import ask

from .api import PROVIDER, parse_answer
from .parse import ObservatoryCode, RejectedCode


def fetch_codes() -> Fetched[tuple[list[ObservatoryCode], list[RejectedCode]]]:
    """All codes, and those whose records cannot be used. Raises a SourceError."""
    return fetch(PROVIDER, lambda: ask(PROVIDER, json={}), parse_answer)
