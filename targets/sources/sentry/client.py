"""Asking JPL's Sentry for possible impacts."""

import datetime as dt

from coordination.common.providers.errors import Nonsense, Wrong
from coordination.common.providers.fetching import Fetched, fetch
from coordination.common.providers.registry import accepted_versions
from coordination.common.providers.transport import ask
from targets.sources.rows import Rows
from targets.sources.sentry import parse
from targets.sources.sentry.parse import PROVIDER, VERSIONS


def fetch_risk_list() -> Fetched[Rows[parse.RiskRow]]:
    """All objects with possible impacts. Raises a SourceError."""
    return fetch(
        PROVIDER,
        lambda: ask(PROVIDER),
        lambda body: parse.parse_risk_list(body, accepted_versions(PROVIDER, VERSIONS)),
    )


def fetch_risk(
    designation: str, *, known_computed_at: dt.datetime | None = None
) -> Fetched[parse.RiskObject | parse.Removed]:
    """One object with its virtual impactors, or that it was removed.

    A result older than `known_computed_at` is refused. Raises a SourceError, NotFound among them.
    """

    def read(body: bytes) -> parse.RiskObject | parse.Removed:
        found = parse.parse_risk(body, designation, accepted_versions(PROVIDER, VERSIONS))
        computed_at = found.computed_at if isinstance(found, parse.RiskObject) else None
        if known_computed_at is not None and computed_at is not None and computed_at < known_computed_at:
            message = f"computed {computed_at:%Y-%m-%d %H:%M}, older than the result before"
            raise Nonsense(PROVIDER, message, Wrong.OLDER, body)
        return found

    return fetch(PROVIDER, lambda: ask(PROVIDER, {"des": designation}), read)


def fetch_removed() -> Fetched[Rows[parse.Removed]]:
    """All objects that were removed. Raises a SourceError."""
    return fetch(
        PROVIDER,
        lambda: ask(PROVIDER, {"removed": "1"}),
        lambda body: parse.parse_removed(body, accepted_versions(PROVIDER, VERSIONS)),
    )
