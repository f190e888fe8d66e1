"""The window table: its partitions, and replacing windows in bulk."""

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import Any

from django.db import connection, transaction

TABLE = "visibility_visibilitywindow"

# Column and PostgreSQL type, in the order of the rows given to `copy_windows`.
COLUMNS: dict[str, str] = {
    "night_ends_on": "date",
    "night": "date",
    "target_id": "int8",
    "telescope_id": "int8",
    "ephemeris_id": "int8",
    "starts_at": "timestamptz",
    "ends_at": "timestamptz",
    "duration_s": "float8",
    "opened_by": "varchar",
    "closed_by": "varchar",
    "peak_at": "timestamptz",
    "peak_altitude_deg": "float8",
    "peak_airmass": "float8",
    "v_mag": "float8",
    "rate_arcsec_min": "float8",
    "position_angle_deg": "float8",
    "moon_separation_deg": "float8",
    "start_ra_deg": "float8",
    "start_dec_deg": "float8",
    "middle_ra_deg": "float8",
    "middle_dec_deg": "float8",
    "end_ra_deg": "float8",
    "end_dec_deg": "float8",
    "orbit_u": "varchar",
    "orbit_arc_days": "float8",
    "orbit_last_observed_on": "date",
}


def ensure_partitions(first: dt.date, last: dt.date) -> None:
    """Make the partitions for nights that end from `first` to `last`. Cheap where they exist."""
    wanted = [first + dt.timedelta(days=n) for n in range((last - first).days + 1)]
    missing = sorted(set(wanted) - set(partitions()))
    if not missing:
        return
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", [TABLE])
        for day in missing:
            following = day + dt.timedelta(days=1)
            cursor.execute(
                f"CREATE TABLE IF NOT EXISTS {partition_name(day)} PARTITION OF {TABLE} "
                f"FOR VALUES FROM ('{day:%Y-%m-%d}') TO ('{following:%Y-%m-%d}')"
            )


def drop_partitions_before(day: dt.date) -> list[dt.date]:
    """Drop the nights that ended before `day`."""
    old = [night for night in partitions() if night < day]
    with connection.cursor() as cursor:
        for night in old:
            cursor.execute(f"DROP TABLE IF EXISTS {partition_name(night)}")
    return old


def partition_name(day: dt.date) -> str:
    return f"{TABLE}_{day:%Y%m%d}"


def partitions() -> list[dt.date]:
    """The nights for which there is a partition, by their end."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = %s::regclass", [TABLE])
        names = [row[0] for row in cursor.fetchall()]
    return sorted(dt.datetime.strptime(name.rpartition("_")[2], "%Y%m%d").date() for name in names)


def delete_windows(target_ids: Sequence[int], telescope_ids: Sequence[int], ending_from: dt.date) -> None:
    """Delete the windows of targets x telescopes in nights that end on or after a date. Earlier nights stay as they
    were.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            f"DELETE FROM {TABLE} WHERE target_id = ANY(%s) AND telescope_id = ANY(%s) AND night_ends_on >= %s",
            [list(target_ids), list(telescope_ids), ending_from],
        )


def copy_windows(rows: Iterable[Sequence[Any]]) -> None:
    """Append rows (in the order of COLUMNS) by binary COPY, in the caller's transaction."""
    with connection.cursor() as cursor:
        statement = f"COPY {TABLE} ({', '.join(COLUMNS)}) FROM STDIN (FORMAT BINARY)"
        with cursor.copy(statement) as copy:
            copy.set_types(list(COLUMNS.values()))
            for row in rows:
                copy.write_row(row)
