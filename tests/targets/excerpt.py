"""A real excerpt of the Minor Planet Center's extended catalogue of February 2026, and files made of it."""

import gzip
import json
from pathlib import Path
from typing import Any

EXCERPT = Path(__file__).parent / "data" / "mpc_excerpt.json"
HEADER = "designation,name,epoch_jd,a,e,i,node,peri,M,H,G,A1,A2,A3"
CSV_APOPHIS = "99942,Apophis,2461200.5,0.92238,0.19117,3.34096,203.89965,126.67283,12.5,19.09,0.24,5e-13,-2.9e-14,"


def raw_records() -> list[dict[str, Any]]:
    records: list[dict[str, Any]] = json.loads(EXCERPT.read_text(encoding="utf-8"))
    return records


def raw_record(designation: str, **changes: Any) -> dict[str, Any]:
    """One record by its name or principal designation, with fields changed; a field set to None is left out."""
    found = next(r for r in raw_records() if designation in (r.get("Name"), r["Principal_desig"]))
    return {key: value for key, value in (found | changes).items() if value is not None}


def write_json(path: Path, records: Any) -> Path:
    path.write_text(json.dumps(records), encoding="utf-8")
    return path


def write_gzip(path: Path, records: Any) -> Path:
    path.write_bytes(gzip.compress(json.dumps(records).encode()))
    return path


def write_csv(path: Path, *rows: str, header: str = HEADER) -> Path:
    path.write_text("\n".join((header, *rows)) + "\n", encoding="utf-8")
    return path
