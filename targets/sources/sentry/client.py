"""Asking JPL's Sentry for possible impacts."""

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


def fetch_risk(designation: str) -> Fetched[parse.RiskObject | parse.Removed]:
    """One object with its virtual impactors, or that it was removed. Raises a SourceError, NotFound among them."""
    return fetch(
        PROVIDER,
        lambda: ask(PROVIDER, {"des": designation}),
        lambda body: parse.parse_risk(body, designation, accepted_versions(PROVIDER, VERSIONS)),
    )


def fetch_removed() -> Fetched[Rows[parse.Removed]]:
    """All objects that were removed. Raises a SourceError."""
    return fetch(
        PROVIDER,
        lambda: ask(PROVIDER, {"removed": "1"}),
        lambda body: parse.parse_removed(body, accepted_versions(PROVIDER, VERSIONS)),
    )
