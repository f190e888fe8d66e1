"""Asking JPL Horizons for positions."""

import datetime as dt

from astroquery.jplhorizons import HorizonsClass

from coordination.common.providers.astroquery_session import ask_through
from coordination.common.providers.fetching import Fetched, fetch
from coordination.common.providers.registry import accepted_versions
from targets.designations import kind_of, target_kind_of
from targets.sources.horizons.parse import (
    PROVIDER,
    VERSIONS,
    ObserverTable,
    VectorTable,
    parse_observer,
    parse_vectors,
)

# Astrometric place, rates, azimuth and altitude, V, r, delta, elongation, phase, 3-sigma of the place.
_QUANTITIES = "1,3,4,9,19,20,23,24,36"
GEOCENTRE = "500"
SUN = "500@10"


def fetch_observer(
    designation: str, starts_at: dt.datetime, ends_at: dt.datetime, step: str, *, observatory_code: str = GEOCENTRE
) -> Fetched[ObserverTable]:
    """Places as an observatory sees them, every `step` ("10m", "1h") of UTC. Raises a SourceError."""
    service = _service(designation, observatory_code, starts_at, ends_at, step)
    query = {"quantities": _QUANTITIES, "extra_precision": True, **_choice(designation)}
    return fetch(
        PROVIDER,
        lambda: ask_through(PROVIDER, service, lambda: service.ephemerides_async(**query)),
        lambda body: parse_observer(body, designation, accepted_versions(PROVIDER, VERSIONS)),
    )


def fetch_vectors(
    designation: str, starts_at: dt.datetime, ends_at: dt.datetime, step: str, *, center: str = SUN
) -> Fetched[VectorTable]:
    """Geometric states in ICRF every `step` of TDB, heliocentric unless another center is named.

    The limits are instants of TDB, passed without a time scale of their own: give them as UTC. Raises a SourceError.
    """
    service = _service(designation, center, starts_at, ends_at, step)
    return fetch(
        PROVIDER,
        lambda: ask_through(PROVIDER, service, lambda: service.vectors_async(refplane="earth", **_choice(designation))),
        lambda body: parse_vectors(body, designation, accepted_versions(PROVIDER, VERSIONS)),
    )


def _service(designation: str, location: str, starts_at: dt.datetime, ends_at: dt.datetime, step: str) -> HorizonsClass:
    """Small bodies only: names of major bodies mean others."""
    limits = [f"{at.astimezone(dt.UTC):%Y-%m-%d %H:%M:%S}" for at in (starts_at, ends_at)]
    return HorizonsClass(
        id=designation,
        id_type="designation" if kind_of(designation) == "provisional" else "smallbody",
        location=location,
        epochs={"start": limits[0], "stop": limits[1], "step": step},
    )


def _choice(designation: str) -> dict[str, bool]:
    """Of a comet the latest apparition, and none of its fragments: else several records match."""
    is_comet = target_kind_of(designation) == "comet"
    return {"closest_apparition": is_comet, "no_fragments": is_comet, "cache": False}
