"""Every question that the jobs of targets ask of providers.

Raises what `coordination.common.providers.errors` has, and `Paused` where a provider is left alone for now.
"""

import datetime as dt
from collections.abc import Sequence

import numpy as np

from coordination.common import breaker
from coordination.common.providers.errors import Nonsense, Wrong
from targets.orbits.planets import MJD_ZERO_JD
from targets.orbits.tabulated import StateTable
from targets.services.ephemerides import Span
from targets.services.horizons import midnights
from targets.sources.cad.client import fetch_approaches
from targets.sources.cad.parse import CloseApproach
from targets.sources.horizons.client import fetch_observer, fetch_vectors
from targets.sources.identifier.client import fetch_identifications
from targets.sources.identifier.parse import Identification
from targets.sources.mpc.client import fetch_catalogue
from targets.sources.neocp import client as neocp_client
from targets.sources.neocp.parse import NeocpObject
from targets.sources.records import RecordError, TargetRecord
from targets.sources.rows import Rows
from targets.sources.sbdb.client import fetch_object
from targets.sources.sbdb.records import target_record
from targets.sources.sbdb_query.client import fetch_solutions
from targets.sources.sbdb_query.parse import SolutionRow
from targets.sources.scout import client as scout_client
from targets.sources.scout.parse import ScoutObject
from targets.sources.sentry.client import fetch_removed, fetch_risk_list
from targets.sources.sentry.parse import Removed, RiskRow

_NEARLY_D = 0.01  # by which the ends of a table may miss those that were asked for


def sbdb_record(designation: str, known_solved_at: dt.datetime | None = None) -> TargetRecord:
    """One object with its orbit; a solution older than the one that is known is refused as nonsense."""
    with breaker.about(designation):
        found = fetch_object(designation, known_solved_at=known_solved_at).value
    try:
        return target_record(found)
    except RecordError as error:
        raise _nonsense("sbdb", designation, str(error), found) from error


def solutions() -> Rows[SolutionRow]:
    with breaker.about("list of solutions"):
        return fetch_solutions().value


def horizons_table(designation: str, span: Span, step: str) -> StateTable:
    """The path of one object over a span of whole days, in rows `step` apart ("1h", "10m")."""
    with breaker.about(designation):
        found = fetch_vectors(designation, span.starts_at, span.ends_at, step).value
    # The limits are taken as TDB: a minute before those of UTC.
    first, last = (found.tdb_jd[k] - MJD_ZERO_JD - _mjd(at) for k, at in ((0, span.starts_at), (-1, span.ends_at)))
    try:
        if abs(first) > _NEARLY_D or abs(last) > _NEARLY_D:
            raise ValueError("the table does not reach over what was asked for")
        if not found.header.solution:
            raise ValueError("the table does not name its solution")
        state = np.concatenate([found.position_au, found.velocity_au_d], axis=1)
        return StateTable(found.tdb_jd - MJD_ZERO_JD, state, solution=found.header.solution)
    except ValueError as error:
        raise _nonsense("horizons", designation, str(error), found.header) from error


def horizons_sigmas(designation: str, span: Span) -> list[float]:
    """1-sigma of the place of one object from the Earth's centre at 00:00 UTC of each day of a span of whole days, in
    arcsec: the root of the sum of the squares of right ascension and declination. Empty where there is no covariance.
    """
    with breaker.about(designation):
        found = fetch_observer(designation, span.starts_at, span.ends_at, "1d").value
    if list(found.times) != midnights(span.starts_at, (span.ends_at - span.starts_at).days + 1):
        raise _nonsense("horizons", designation, "the table has not the days that were asked for", found.header)
    if found.ra_sigma_arcsec is None or found.dec_sigma_arcsec is None:
        return []
    return [float(each) for each in np.hypot(found.ra_sigma_arcsec, found.dec_sigma_arcsec)]


def _nonsense(source: str, designation: str, reason: str, found: object) -> Nonsense:
    """What could be read, but not be used; quarantined."""
    breaker.quarantine(source, designation, reason, repr(found).encode()[:2000])
    return Nonsense(source, reason, Wrong.FIELD)


def _mjd(at: dt.datetime) -> float:
    return (at - dt.datetime(1858, 11, 17, tzinfo=dt.UTC)) / dt.timedelta(days=1)


def risk_list() -> Rows[RiskRow]:
    with breaker.about("risk list"):
        return fetch_risk_list().value


def removed_from_risk_list() -> Rows[Removed]:
    with breaker.about("removed from the risk list"):
        return fetch_removed().value


def close_approaches(since: dt.datetime, until: dt.datetime) -> Rows[CloseApproach]:
    with breaker.about("close approaches"):
        return fetch_approaches(since.date(), until.date()).value


def catalogue() -> Rows[TargetRecord]:
    with breaker.about("catalogue"):
        return fetch_catalogue().value


def neocp() -> Rows[NeocpObject]:
    with breaker.about("confirmation page"):
        return neocp_client.fetch_list().value


def scout() -> Rows[ScoutObject]:
    with breaker.about("list of Scout"):
        return scout_client.fetch_list().value


def identifications(texts: Sequence[str]) -> dict[str, Identification]:
    with breaker.about(", ".join(texts)):
        return fetch_identifications(texts).value
