"""Writing ephemerides in bulk: binary COPY into a table of the transaction, and one upsert from it."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, fields

from django.db import connection

from targets.models import Ephemeris

_TYPES = {
    "target_id": "int8",
    "orbit_id": "int8",
    "source": "varchar",
    "solution": "varchar",
    "starts_at": "timestamptz",
    "ends_at": "timestamptz",
    "earth_orientation": "varchar",
    "engine": "varchar",
    "accuracy_arcsec": "float8",
    "brightest_v_mag": "float8",
    "state": "bytea",
    "blocks": "bytea",
    "impact_at": "timestamptz",
    "trust_levels": "int2[]",
    "sigma_major_arcsec": "float8[]",
    "sigma_minor_arcsec": "float8[]",
    "sigma_pa_deg": "float8[]",
    "sigma_flags": "int2[]",
    "sigma_is_estimate": "bool",
    "computed_at": "timestamptz",
}


@dataclass(frozen=True)
class EphemerisRow:
    """The columns of an `Ephemeris`, by their names in the database."""

    target_id: int
    orbit_id: int
    source: str
    solution: str
    starts_at: dt.datetime
    ends_at: dt.datetime
    earth_orientation: str
    engine: str
    accuracy_arcsec: float | None
    brightest_v_mag: float | None
    computed_at: dt.datetime
    state: bytes | None = None
    blocks: bytes | None = None
    impact_at: dt.datetime | None = None
    trust_levels: list[int] | None = None
    sigma_major_arcsec: list[float] | None = None
    sigma_minor_arcsec: list[float] | None = None
    sigma_pa_deg: list[float] | None = None
    sigma_flags: list[int] | None = None
    sigma_is_estimate: bool | None = None


def replace_ephemerides(rows: Iterable[EphemerisRow]) -> None:
    """Store rows, replacing those of the same targets. To be called inside a transaction."""
    table, columns = Ephemeris._meta.db_table, [field.name for field in fields(EphemerisRow)]
    listed = ", ".join(columns)
    replaced = ", ".join(f"{name} = EXCLUDED.{name}" for name in columns if name != "target_id")
    with connection.cursor() as cursor:
        cursor.execute(
            f"CREATE TEMPORARY TABLE IF NOT EXISTS new_ephemeris ON COMMIT DROP AS SELECT {listed} FROM {table} LIMIT 0"
        )
        cursor.execute("TRUNCATE new_ephemeris")
        with cursor.copy(f"COPY new_ephemeris ({listed}) FROM STDIN (FORMAT BINARY)") as copy:
            copy.set_types([_TYPES[name] for name in columns])
            for row in rows:
                copy.write_row([getattr(row, name) for name in columns])
        cursor.execute(
            f"INSERT INTO {table} ({listed}) SELECT {listed} FROM new_ephemeris "
            f"ON CONFLICT (target_id) DO UPDATE SET {replaced}"
        )
