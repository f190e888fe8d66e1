"""Every question that the jobs of targets ask of providers.

Raises what `coordination.common.providers.errors` has, and `Paused` where a provider is left alone for now.
"""

import datetime as dt
from collections.abc import Sequence

from coordination.common import breaker
from coordination.common.providers.errors import Nonsense, Wrong
from targets.sources.cad.client import fetch_approaches
from targets.sources.cad.parse import CloseApproach
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


def sbdb_record(designation: str, known_solved_at: dt.datetime | None = None) -> TargetRecord:
    """One object with its orbit; a solution older than the one that is known is refused as nonsense."""
    with breaker.about(designation):
        found = fetch_object(designation, known_solved_at=known_solved_at).value
    try:
        return target_record(found)
    except RecordError as error:
        breaker.quarantine("sbdb", designation, str(error), repr(found).encode()[:2000])
        raise Nonsense("sbdb", str(error), Wrong.FIELD) from error


def solutions() -> Rows[SolutionRow]:
    with breaker.about("list of solutions"):
        return fetch_solutions().value


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
