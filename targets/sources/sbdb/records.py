"""An object of JPL's Small-Body Database as a target with an orbit."""

import json
from typing import Any

from coordination.common.providers.errors import Ambiguous, SourceError
from targets.sources.records import LONGEST_TEXT, OrbitRecord, RecordError, TargetRecord, require_text
from targets.sources.sbdb.parse import FIRST_LABELS, Covariance, SbdbObject, parse_object

# Accelerations fall with the square of the distance there: JPL's model of asteroids, and the only one of ours.
_INVERSE_SQUARE = {"ALN": 1.0, "NK": 0.0, "NM": 2.0, "R0": 1.0}


def is_sbdb_answer(raw: Any) -> bool:
    """Whether a JSON value is one of SBDB's answers, good or not: no other format of ours has these keys."""
    return isinstance(raw, dict) and ({"object", "orbit"} <= raw.keys() or {"code", "message"} <= raw.keys())


def sbdb_record(raw: Any) -> TargetRecord:
    """One answer. Raises RecordError."""
    described = raw.get("object") if isinstance(raw, dict) else None
    name = str(described.get("fullname") if isinstance(described, dict) else "answer")[:LONGEST_TEXT]
    try:
        return target_record(parse_object(json.dumps(raw).encode()))
    except Ambiguous as error:
        raise RecordError(name, f"{error.message}: {', '.join(error.candidates)}") from error
    except SourceError as error:
        raise RecordError(name, error.message) from error


def target_record(found: SbdbObject) -> TargetRecord:
    """Raises RecordError for elements that describe no orbit.

    Accelerations of another model than ours (comets' outgassing) are left out, and with them their part of the
    covariance; the reference says so.
    """
    elements, solution, forces = found.elements, found.solution, found.nongrav
    has_forces = any(value is not None for value in (forces.a1_au_d2, forces.a2_au_d2, forces.a3_au_d2))
    is_ours = _INVERSE_SQUARE.items() <= dict(forces.others).items()
    is_elliptic = elements.a_au is not None and elements.e < 1.0
    reference = f"JPL#{solution.solution_id}" + (" without A1-A3" if has_forces and not is_ours else "")
    covariance = found.covariance if is_ours or not has_forces or found.covariance is None else _cut(found.covariance)
    orbit = OrbitRecord(
        source="sbdb",
        epoch_tdb_jd=elements.epoch_tdb_jd,
        e=elements.e,
        i_deg=elements.i_deg,
        node_deg=elements.node_deg,
        peri_deg=elements.peri_deg,
        a_au=elements.a_au if is_elliptic else None,
        mean_anomaly_deg=elements.mean_anomaly_deg if is_elliptic else None,
        q_au=None if is_elliptic else elements.q_au,
        tp_tdb_jd=None if is_elliptic else elements.tp_tdb_jd,
        a1_au_d2=forces.a1_au_d2 if is_ours else None,
        a2_au_d2=forces.a2_au_d2 if is_ours else None,
        a3_au_d2=forces.a3_au_d2 if is_ours else None,
        h_mag=found.physical.h_mag,
        h_sigma_mag=found.physical.h_sigma_mag,
        g_slope=0.15 if found.physical.g_slope is None else found.physical.g_slope,
        m1_mag=found.physical.m1_mag if found.physical.k1 is not None else None,
        k1=found.physical.k1 if found.physical.m1_mag is not None else None,
        reference=require_text(found.designation, "orbit_id", reference),
        u_parameter=solution.condition_code,
        arc_days=solution.arc_days,
        last_observed_on=solution.last_observed_on,
        observation_count=solution.observation_count,
        solved_at=solution.solved_at,
        covariance=covariance.as_published() if covariance else None,
    )
    orbit.require_conic(found.designation)
    provisional = tuple(text for text in found.designations if text != found.number)
    return TargetRecord(found.number, provisional, found.name, orbit, found.orbit_class, found.is_neo, found.is_pha)


def _cut(covariance: Covariance) -> Covariance:
    """That of the elements alone, whatever the others are."""
    size = len(FIRST_LABELS)
    return Covariance(covariance.elements, FIRST_LABELS, tuple(row[:size] for row in covariance.matrix[:size]))
