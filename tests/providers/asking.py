"""One request to each provider, as the tests make them."""

import datetime as dt
from collections.abc import Callable
from typing import Any

from coordination.common.providers.fetching import Fetched
from observatories.sources.obscodes import client as obscodes
from targets.sources.cad import client as cad
from targets.sources.esa import client as esa
from targets.sources.horizons import client as horizons
from targets.sources.identifier import client as identifier
from targets.sources.mpc import client as mpc
from targets.sources.neocp import client as neocp
from targets.sources.neofixer import client as neofixer
from targets.sources.sbdb import client as sbdb
from targets.sources.sbdb_query import client as sbdb_query
from targets.sources.scout import client as scout
from targets.sources.sentry import client as sentry

START, END = dt.datetime(2026, 12, 1, tzinfo=dt.UTC), dt.datetime(2026, 12, 3, tzinfo=dt.UTC)

ASKING: dict[str, Callable[[], Fetched[Any]]] = {
    "sbdb": lambda: sbdb.fetch_object("990001"),
    "sbdb_query": sbdb_query.fetch_rows,
    "horizons": lambda: horizons.fetch_observer("990001", START, END, "12h"),
    "horizons vectors": lambda: horizons.fetch_vectors("990001", START, END, "1d"),
    "cad": lambda: cad.fetch_approaches(START.date(), END.date()),
    "cad of one": lambda: cad.fetch_approaches(START.date(), END.date(), designation="990001"),
    "sentry": sentry.fetch_risk_list,
    "sentry of one": lambda: sentry.fetch_risk("2030 BB1"),
    "sentry removed": sentry.fetch_removed,
    "scout": scout.fetch_list,
    "scout of one": lambda: scout.fetch_detail("SYN0001", orbits=1),
    "mpc": mpc.fetch_catalogue,
    "neocp": neocp.fetch_list,
    "obscodes": obscodes.fetch_codes,
    "identifier": lambda: identifier.fetch_identifications(["990001", "SYN0002"]),
    "neofixer": lambda: neofixer.fetch_targets("Z90"),
    "esa": esa.fetch_priority_list,
}


def provider_of(name: str) -> str:
    return name.split(" ")[0]
