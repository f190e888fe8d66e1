"""Asking the Minor Planet Center for its confirmation page. What it answers is not for the public."""

from coordination.common.providers.errors import Nonsense, Wrong
from coordination.common.providers.fetching import Fetched, fetch
from coordination.common.providers.transport import ask
from targets.sources.neocp.parse import PROVIDER, NeocpObject, parse_list
from targets.sources.rows import Rows


def fetch_list() -> Fetched[Rows[NeocpObject]]:
    """The objects on the page. Raises a SourceError."""
    return fetch(PROVIDER, lambda: ask(PROVIDER), _parse_whole)


def _parse_whole(body: bytes) -> Rows[NeocpObject]:
    """The page says nothing of its length, but ends with the end of a line, and is never empty."""
    if not body.endswith(b"\n"):
        raise Nonsense(PROVIDER, "the page is cut off" if body else "the page is empty", Wrong.UNREADABLE, body)
    return parse_list(body)
