"""The state in each provider's format: synthetic answers, as JSON-able objects or texts."""

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import astropy_iers_data

from targets.designations import pack
from tests.providers.horizons import horizons
from tests.providers.state import Body, Candidate, State

Params = dict[str, str]
Reply = tuple[int, Any]  # status, and what goes out: a text, or an object as JSON
SYNTHETIC = "made up by the simulator; of no real object"


def signed(source: str, version: str, **content: Any) -> dict[str, Any]:
    return {"signature": {"source": f"NASA/JPL {source} API", "version": version}, "synthetic": SYNTHETIC, **content}


def find(state: State, text: str) -> Body | None:
    key = text.replace(" ", "").upper()
    for body in state.bodies.values():
        if key in {name.replace(" ", "").upper() for name in (body.des, body.name, body.provisional) if name}:
            return body
    return None


def sbdb(state: State, params: Params, _: Any) -> Reply:
    asked = params.get("sstr") or params.get("des") or params.get("spk") or ""
    if asked in state.aliases:
        listed = [{"pdes": des, "name": state.bodies[des].full_name} for des in state.aliases[asked]]
        return 300, signed("SBDB", "1.3", code="300", list=listed, message="specified string matched more than one")
    body = find(state, asked)
    if body is None:
        return 200, {"code": "200", "message": "specified object was not found", "moreInfo": "synthetic"}
    kind = "an" if body.des.isdigit() else "au"
    described = {
        "des": body.des, "spkid": f"20{body.des}" if kind == "an" else "59000001", "fullname": body.full_name,
        "kind": kind, "prefix": None, "neo": True, "pha": False, "orbit_id": body.solution_id,
        "orbit_class": {"code": "APO", "name": "Apollo"},
        "des_alt": [{"pri": body.provisional}] if body.provisional else [],
    }  # fmt: skip
    if body.name:
        described["shortname"] = f"{body.des} {body.name}"
    phys = [{"name": "H", "value": f"{body.h_mag}", "sigma": ".31", "units": None, "ref": "synthetic"}]
    return 200, signed("SBDB", "1.3", object=described, orbit=_orbit(body), phys_par=phys)


def _orbit(body: Body) -> dict[str, Any]:
    orbit: dict[str, Any] = {
        "epoch": f"{body.epoch_tdb_jd}", "equinox": "J2000", "orbit_id": body.solution_id, "source": "JPL",
        "producer": "synthetic", "soln_date": body.solved_at, "first_obs": "2026-01-05", "last_obs": body.last_obs,
        "data_arc": "317", "n_obs_used": body.n_obs, "n_del_obs_used": None, "n_dop_obs_used": None,
        "condition_code": body.condition_code, "rms": ".41", "moid": f"{body.moid_au}", "moid_jup": "2.1",
        "t_jup": "5.1", "pe_used": "DE441", "sb_used": "SB441-N16", "two_body": None, "not_valid_before": None,
        "not_valid_after": None, "comment": None, "elements": elements(body), "model_pars": [],
    }  # fmt: skip
    labels = ["e", "q", "tp", "node", "peri", "i"]
    sigmas = [1e-7, 1e-7, 2e-5, 1e-5, 1e-5, 5e-6]
    if body.a2_au_d2 is not None:
        parameter = {"name": "A2", "n": 1, "kind": "EST", "units": "au/d^2", "sigma": "3.E-15"}
        orbit["model_pars"] = [parameter | {"value": f"{body.a2_au_d2}"}]
        for name, value in {"ALN": "1.", "NK": "0.", "NM": "2.", "R0": "1."}.items():
            orbit["model_pars"].append(
                {"name": name, "n": 0, "kind": "SET", "value": value, "sigma": None, "units": None}
            )
        labels, sigmas = [*labels, "A2"], [*sigmas, 3e-15]
    if body.has_covariance:
        data = [[f"{s * t * (1.0 if j == k else 0.1):.9E}" for k, t in enumerate(sigmas)] for j, s in enumerate(sigmas)]
        orbit["covariance"] = {"epoch": f"{body.epoch_tdb_jd}", "labels": labels, "data": data}
    return orbit


def elements(body: Body) -> list[dict[str, Any]]:
    values = {
        "e": body.e, "a": body.a_au, "q": body.q_au, "i": body.i_deg, "om": body.node_deg, "w": body.peri_deg,
        "ma": body.ma_deg, "tp": body.tp_tdb_jd, "n": body.n_deg_d,
    }  # fmt: skip
    named = {"om": "node", "w": "peri", "ma": "M"}
    return [
        {"name": name, "label": named.get(name, name), "value": repr(value).removeprefix("0"), "sigma": "1.E-7"}
        for name, value in values.items()
    ]


def sbdb_query(state: State, params: Params, _: Any) -> Reply:
    names = params.get("fields", "pdes").split(",")
    bodies = list(state.bodies.values())
    first, most = int(params.get("limit-from", 0)), int(params.get("limit", len(bodies)))
    rows = []
    for body in bodies[first : first + most]:
        values = {
            "spkid": "59000001", "full_name": body.full_name, "pdes": body.des, "name": body.name or None,
            "kind": "an" if body.des.isdigit() else "au", "class": "APO", "neo": "Y", "pha": "N",
            "orbit_id": body.solution_id, "soln_date": body.solved_at, "epoch": f"{body.epoch_tdb_jd}",
            "e": f"{body.e}", "a": f"{body.a_au}", "q": f"{body.q_au}", "i": f"{body.i_deg}", "om": f"{body.node_deg}",
            "w": f"{body.peri_deg}", "ma": f"{body.ma_deg}", "tp": f"{body.tp_tdb_jd}", "moid": f"{body.moid_au}",
            "condition_code": body.condition_code, "data_arc": "317", "first_obs": "2026-01-05",
            "last_obs": body.last_obs, "n_obs_used": body.n_obs, "rms": ".41", "H": f"{body.h_mag}",
        }  # fmt: skip
        rows.append([values.get(name) for name in names])
    return 200, signed("SBDB Query", "1.0", count=len(rows), fields=names, data=rows)


def cad(state: State, params: Params, _: Any) -> Reply:
    names = ["des", "orbit_id", "jd", "cd", "dist", "dist_min", "dist_max", "v_rel", "v_inf", "t_sigma_f", "h"]
    names += ["diameter", "diameter_sigma", "fullname"]
    asked = params.get("des")
    rows = []
    for body in state.bodies.values():
        about = {"des": body.des, "orbit_id": body.solution_id, "h": f"{body.h_mag}", "fullname": body.full_name}
        for approach in body.approaches if asked in (None, body.des) else ():
            rows.append([(about | approach).get(name) for name in names])
    if not rows:
        return 200, signed("SBDB Close Approach Data", "1.5", count=0)
    rows.sort(key=lambda row: row[2])
    return 200, signed("SBDB Close Approach Data", "1.5", count=len(rows), total=len(rows), fields=names, data=rows)


def sentry(state: State, params: Params, _: Any) -> Reply:
    if "removed" in params:
        gone = [{"des": body.des, "removed": body.removed} for body in state.bodies.values() if body.removed]
        return 200, signed("Sentry Data", "2.0", count=len(gone), data=gone)
    if "des" in params:
        body = find(state, params["des"])
        if body is not None and body.removed:
            return 200, signed("Sentry Data", "2.0", error="specified object removed", removed=body.removed)
        if body is None or body.impact_probability is None:
            return 200, signed("Sentry Data", "2.0", error="specified object not found")
        summary = _risk(body) | {"method": "IOBS", "nobs": body.n_obs, "darc": "317 days"}
        summary["cdate"] = "2026-11-20 17:20:00"
        impactor = {"date": "2071-03-14.25", "ip": f"{body.impact_probability}", "ps": "-4.12", "ts": "0"}
        impactor |= {"energy": "1.2E-01", "sigma_vi": ".82"}
        return 200, signed("Sentry Data", "2.0", summary=summary, data=[impactor])
    rows = [_risk(body) for body in state.bodies.values() if body.impact_probability is not None]
    return 200, signed("Sentry Data", "2.0", count=len(rows), data=rows)


def _risk(body: Body) -> dict[str, Any]:
    return {
        "des": body.des, "fullname": body.full_name, "h": f"{body.h_mag}", "diameter": ".018",
        "ip": f"{body.impact_probability}", "n_imp": 1, "ps_cum": "-4.12", "ps_max": "-4.12", "ts_max": "0",
        "range": "2071-2071", "v_inf": "11.2", "last_obs": body.last_obs,
    }  # fmt: skip


def scout(state: State, params: Params, _: Any) -> Reply:
    there = {tdes: each for tdes, each in state.candidates.items() if not each.designation}
    if "tdes" not in params:
        rows = [_scout_row(each) for each in there.values()]
        return 200, signed("Scout", "1.3", count=f"{len(rows)}", data=rows)
    found = there.get(params["tdes"])
    if found is None:
        return 200, signed("Scout", "1.3", error="object does not exist in the database")
    extra: dict[str, Any] = {}
    if params.get("orbits"):
        names = ["idx", "epoch", "ec", "qr", "tp", "om", "w", "inc", "H", "dca", "tca", "moid", "vinf", "impFlag"]
        row = [0, "2461368.5", "4.1E-01", "9.2E-01", "2461340.5", "1.2E+02", "8.0E+01", "6.5E+00", "24.2", "1.1E-02",
               "2461372.25", "4.E-03", "1.05E+01", 0]  # fmt: skip
        extra["orbits"] = {"count": "1", "fields": names, "data": [row]}
    return 200, signed("Scout", "1.3", **_scout_row(found), **extra)


def _scout_row(each: Candidate) -> dict[str, Any]:
    return {
        "objectName": each.tdes, "nObs": each.n_obs, "arc": f"{each.arc_hours}", "rmsN": ".35", "H": f"{each.h_mag}",
        "rating": each.rating, "moid": ".01", "caDist": None, "vInf": None, "phaScore": 0, "neoScore": each.score,
        "neo1kmScore": 0, "ieoScore": 0, "geocentricScore": 1, "tisserandScore": 20, "lastRun": each.last_run,
        "tEphem": each.last_run, "ra": f"{int(each.ra_h):02d}:{int(each.ra_h % 1 * 60):02d}",
        "dec": f"{each.dec_deg:+03.0f}", "elong": "141", "rate": "2.1", "Vmag": f"{each.v_mag}", "unc": "14",
        "uncP1": "90",
    }  # fmt: skip


def neocp(state: State, params: Params, _: Any) -> Reply:
    lines = [
        f"{c.tdes:<7} {c.score:3d} {c.discovered:<12} {c.ra_h:8.4f} {c.dec_deg:+8.4f} {c.v_mag:4.1f} {c.note:<30}"
        f" {c.n_obs:4d} {c.arc_hours / 24:6.2f} {c.h_mag:4.1f} {0.4:6.3f}\n"
        for c in state.candidates.values()
        if not c.designation
    ]
    return 200, "".join(lines)


def obscodes(state: State, params: Params, asked: Any) -> Reply:
    code = asked.get("obscode") if isinstance(asked, dict) else None
    return 200, state.codes if code is None else state.codes.get(code, {})


def identifier(state: State, params: Params, asked: Any) -> Reply:
    return 200, {text: _identified(state, text) for text in asked["ids"]}


def _identified(state: State, text: str) -> dict[str, Any]:
    if text in state.aliases:
        listed = [{"iau_designation": des} for des in state.aliases[text]]
        return {"found": len(listed), "disambiguation_list": listed}
    candidate = state.candidates.get(text)
    body = find(state, candidate.designation if candidate and candidate.designation else text)
    if body is None:
        return {"found": 0, "iau_designation": None, "disambiguation_list": None}
    numbered = body.des.isdigit()
    return {
        "found": 1,
        "iau_designation": f"({body.des})" if numbered else body.des,
        "permid": body.des if numbered else None,
        "unpacked_primary_provisional_designation": body.provisional if numbered else body.des,
        "unpacked_secondary_provisional_designations": [],
        "name": body.name or None,
        "object_type": ["Minor Planet", 0],
        "disambiguation_list": None,
    }


def neofixer(state: State, params: Params, _: Any) -> Reply:
    objects = {}
    for k, body in enumerate(state.bodies.values()):
        packed = f"SYN{k:04d}"
        objects[packed] = {
            "packed": packed, "provisional": body.provisional or body.des, "number": body.des if body.name else None,
            "neocp": False, "score": 7.2 - k, "priority": ("high", "med", "low")[min(k, 2)], "importance": 40.5,
            "urgency": 12.0, "cost": 3.5, "h": body.h_mag, "moid": body.moid_au, "q": body.q_au, "u": 2.1,
            "uncert": 0.002, "obs last": 6.2, "ra deg": 120.5, "dec deg": 14.25, "vmag": 19.9, "rate": 1.8,
            "elong": 133.0, "time": state.generated_at,
        }  # fmt: skip
    generated = {"jd": 2461368.875, "time": state.generated_at}
    result = {"generated": generated, "num": len(objects), "ids": list(objects), "objects": objects}
    return 200, {"jsonrpc": "2.0", "synthetic": SYNTHETIC, "result": result, "id": None}


def esa(state: State, params: Params, _: Any) -> Reply:
    title = "# synthetic: priority, object, R.A., Decl., Elong., V, Sky unc., End of visibility"
    rows = [
        f'{k % 4} "{body.des.replace(" ", "")}" {31000 + k} {12.5 - k:+.1f} {140 - k} {body.h_mag:.1f} {35 + k} '
        f"2026/12/{k + 10}"
        for k, body in enumerate(list(state.bodies.values())[:20])
    ]
    return 200, "\n".join([title, *rows, ""])


def mpc(state: State, params: Params, _: Any) -> Reply:
    return 200, "".join(f"{mpcorb_line(body)}\n" for body in state.bodies.values())


def mpcorb_line(body: Body) -> str:
    """In the columns of MPCORB.DAT. The epoch is that of all bodies, 2026 December 26."""
    number = f"({body.des}) {body.name}" if body.des.isdigit() else body.des
    angles = (body.ma_deg, body.peri_deg, body.node_deg, body.i_deg)
    line = f"{pack(body.des):<7} {body.h_mag:5.2f}  0.15 K26CQ " + "  ".join(f"{angle:9.5f}" for angle in angles)
    line += f"  {body.e:9.7f} {body.n_deg_d:11.8f} {body.a_au:11.7f}  {body.condition_code} E2026-W12"
    line += f" {body.n_obs:5d}   2 2025-2026 0.41 M-v 3Ek {'synthetic':<10} 0803 {number:<28}"
    return line + body.last_obs.replace("-", "")


def iers(state: State, params: Params, _: Any) -> Reply:
    """The installed table of the Earth's rotation, with so many of its predictions marked as measured."""
    lines = list(_finals())
    first = next((k for k, line in enumerate(lines) if line[16] == "P"), len(lines))
    for k in range(first, min(first + state.measured_days_more, len(lines))):
        lines[k] = lines[k][:16] + "I" + lines[k][17:57] + "I" + lines[k][58:]
    return 200, "\n".join([*lines, ""])


@functools.cache
def _finals() -> tuple[str, ...]:
    """Its newest sixteen years: quicker to read than all."""
    text = Path(astropy_iers_data.IERS_A_FILE).read_text(encoding="ascii")
    return tuple([line for line in text.splitlines() if line[18:27].strip()][-6000:])


ANSWERS: dict[str, tuple[str, Callable[[State, Params, Any], Reply]]] = {
    "sbdb": ("/sbdb.api", sbdb),
    "sbdb_query": ("/sbdb_query.api", sbdb_query),
    "horizons": ("/horizons.api", horizons),
    "cad": ("/cad.api", cad),
    "sentry": ("/sentry.api", sentry),
    "scout": ("/scout.api", scout),
    "mpc": ("/NEA.txt", mpc),
    "neocp": ("/neocp.txt", neocp),
    "obscodes": ("/obscodes", obscodes),
    "identifier": ("/query-identifier", identifier),
    "iers": ("/finals2000A.all", iers),
    "neofixer": ("/targets/", neofixer),
    "esa": ("/download", esa),
}
