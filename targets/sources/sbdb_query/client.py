"""Asking JPL's Small-Body Database for many objects."""

import json
from collections.abc import Sequence

from coordination.common.providers.fetching import Fetched, fetch
from coordination.common.providers.registry import accepted_versions
from coordination.common.providers.transport import ask
from targets.sources.rows import Rows
from targets.sources.sbdb_query.parse import (
    FIELDS,
    PROVIDER,
    SOLUTION_FIELDS,
    VERSIONS,
    SbdbRow,
    SolutionRow,
    parse_rows,
    parse_solutions,
)


def fetch_rows(
    *, group: str = "neo", conditions: Sequence[str] = (), limit: int | None = None, offset: int = 0
) -> Fetched[Rows[SbdbRow]]:
    """Objects of a group (neo, pha) that meet all conditions, such as "moid|LT|0.05". Raises a SourceError."""
    params = {"fields": ",".join(FIELDS), "full-prec": "1", "sb-group": group, "sb-kind": "a", "sort": "pdes"}
    if conditions:
        params["sb-cdata"] = json.dumps({"AND": list(conditions)})
    if limit is not None:
        params |= {"limit": str(limit), "limit-from": str(offset)}
    return fetch(
        PROVIDER,
        lambda: ask(PROVIDER, params),
        lambda body: parse_rows(body, accepted_versions(PROVIDER, VERSIONS)),
    )


def fetch_solutions(*, group: str = "neo") -> Fetched[Rows[SolutionRow]]:
    """Which solution of each object of a group is the current one: a few bytes an object. Raises a SourceError."""
    params = {"fields": ",".join(SOLUTION_FIELDS), "full-prec": "1", "sb-group": group, "sb-kind": "a"}
    return fetch(
        PROVIDER,
        lambda: ask(PROVIDER, params),
        lambda body: parse_solutions(body, accepted_versions(PROVIDER, VERSIONS)),
    )
