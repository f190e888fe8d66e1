"""The window table: its partitions, and replacing windows in bulk."""

import datetime as dt
from collections.abc import Mapping, Sequence

import numpy as np
from django.db import connection, transaction
from numpy.typing import NDArray

TABLE = "visibility_visibilitywindow"

_POSTGRES_EPOCH = np.datetime64("2000-01-01", "us")
_DATE, _INSTANT, _ID, _CODE, _NUMBER = "date", "instant", ">i8", ">i2", ">f8"

# Every column is fixed in width and never null; so a batch of rows is one structured array, written as it lies in
# memory.
COLUMNS: dict[str, str] = {
    "night_ends_on": _DATE,
    "night": _DATE,
    "target_id": _ID,
    "telescope_id": _ID,
    "ephemeris_id": _ID,
    "orbit_id": _ID,
    "starts_at": _INSTANT,
    "ends_at": _INSTANT,
    "duration_s": _NUMBER,
    "opened_by": _CODE,
    "closed_by": _CODE,
    "peak_at": _INSTANT,
    "peak_altitude_deg": _NUMBER,
    "peak_airmass": _NUMBER,
    "v_mag": _NUMBER,
    "rate_arcsec_min": _NUMBER,
    "position_angle_deg": _NUMBER,
    "moon_separation_deg": _NUMBER,
    "start_ra_deg": _NUMBER,
    "start_dec_deg": _NUMBER,
    "middle_ra_deg": _NUMBER,
    "middle_dec_deg": _NUMBER,
    "end_ra_deg": _NUMBER,
    "end_dec_deg": _NUMBER,
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
    """Delete windows of targets x telescopes in nights that end on or after a date; earlier nights stay."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"DELETE FROM {TABLE} WHERE target_id = ANY(%s) AND telescope_id = ANY(%s) AND night_ends_on >= %s",
            [list(target_ids), list(telescope_ids), ending_from],
        )


def copy_windows(columns: Mapping[str, NDArray[np.generic]]) -> None:
    """Append windows by binary COPY, in the caller's transaction.

    `columns` has an array (n,) for each of COLUMNS: datetime64 for dates and instants (UTC), else numbers. Raises
    ValueError for a number that is not finite: it must not reach the database.
    """
    rows = _encoded(columns)
    with connection.cursor() as cursor:
        statement = f"COPY {TABLE} ({', '.join(COLUMNS)}) FROM STDIN (FORMAT BINARY)"
        with cursor.copy(statement) as copy:
            copy.write(b"PGCOPY\n\xff\r\n\0" + bytes(8))
            copy.write(rows.tobytes())
            copy.write(b"\xff\xff")


def _encoded(columns: Mapping[str, NDArray[np.generic]]) -> NDArray[np.void]:
    """Rows in PostgreSQL's binary format: a count of fields, then the length and the big-endian value of each."""
    wire = {_DATE: ">i4", _INSTANT: ">i8"}
    layout: list[tuple[str, str]] = [("fields", ">i2")]
    for name, kind in COLUMNS.items():
        layout += [(f"length of {name}", ">i4"), (name, wire.get(kind, kind))]
    rows = np.empty(len(columns["target_id"]), dtype=layout)
    rows["fields"] = len(COLUMNS)
    for name, kind in COLUMNS.items():
        values = columns[name]
        if kind == _NUMBER and not np.all(np.isfinite(values)):
            raise ValueError(f"{name} of a window is not a finite number")
        if kind == _DATE:
            values = (values.astype("datetime64[D]") - _POSTGRES_EPOCH.astype("datetime64[D]")).astype(np.int64)
        elif kind == _INSTANT:
            values = (values.astype("datetime64[us]") - _POSTGRES_EPOCH).astype(np.int64)
        rows[f"length of {name}"] = rows.dtype[name].itemsize
        rows[name] = values
    return rows
