"""Files by hand that are no catalogue: lines of MPCORB, answers of SBDB, lists of the confirmation page."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from coordination.common.actors import ANONYMOUS
from targets.models import Target, visible_target_q
from targets.services import import_file
from targets.services.lookup import resolve
from targets.services.orbit_quality import knowledge_of
from targets.sources.files import Rejection, read_file
from targets.sources.records import TargetRecord
from tests.shared import SHARED, needs_shared
from tests.targets.sources.parsers import SYNTHETIC

HEADER = "MINOR PLANET CENTER ORBIT DATABASE (MPCORB)\n\nsynthetic\n\nDes'n     H     G   Epoch\n" + "-" * 200 + "\n"
LINES = (SYNTHETIC / "mpc.txt").read_text().splitlines()


def parsed(path: Path) -> list[TargetRecord | Rejection]:
    return list(read_file(path).parse())


def written(path: Path, content: str | Any) -> Path:
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


@pytest.mark.parametrize("head", ["", HEADER])
def test_lines_of_mpcorb_with_and_without_their_header(tmp_path: Path, head: str) -> None:
    first, second, third = parsed(written(tmp_path / "list", head + "\n".join(LINES) + "\n\n"))
    assert (first.number, first.name, second.provisional) == ("990001", "Synthetica", ("2030 BB1",))
    assert (first.orbit_class, first.is_neo, first.is_pha) == ("Apollo", True, False)
    orbit = third.orbit
    assert (orbit.source, orbit.epoch_tdb_jd, orbit.a_au, orbit.e, orbit.i_deg) == ("mpc", 2461400.5, 2.0, 0.55, 5.0)
    assert (orbit.h_mag, orbit.u_parameter, orbit.reference) == (22.0, "1", "E2026-W12")
    assert (orbit.arc_text, orbit.observation_count, str(orbit.last_observed_on)) == ("2025-2026", 240, "2026-11-18")


@pytest.mark.parametrize(
    ("columns", "text", "reason"),
    [
        ((92, 103), "  2.00x0000", "a is '2.00x0000': expected a number in columns 93-103"),
        ((20, 25), "K26DQ", "Epoch is 'K26DQ' in columns 21-25: expected a packed date such as K26CQ"),
        ((70, 79), "         ", "e is missing: expected a number in columns 71-79"),
        ((161, 165), "08x3", "the flags are '08x3' in columns 162-165: expected four hexadecimal digits"),
        ((166, 175), "2030 CC3 ", "the packed designation is 2030 BB1, the readable one 2030 CC3"),
        ((150, 202), "", "the line has 150 characters: expected 202"),
        ((194, 202), "20261318", "Last_obs is '2026-13-18': expected a date such as 2026-02-10"),
    ],
)
def test_a_bad_line_names_line_and_field(tmp_path: Path, columns: tuple[int, int], text: str, reason: str) -> None:
    bad = LINES[1][: columns[0]] + text + LINES[1][columns[1] :]
    first, second, third = parsed(written(tmp_path / "list", HEADER + "\n".join([LINES[0], bad, LINES[2]])))
    assert isinstance(first, TargetRecord)
    assert isinstance(third, TargetRecord)
    assert isinstance(second, Rejection)
    assert (second.row, second.name) == (2, "K30B01B" if columns != (194, 202) else "2030 BB1")
    assert second.reason == f"line 8: {reason}"


def test_an_answer_of_sbdb_is_stored_with_its_covariance(db, tmp_path: Path) -> None:
    result = import_file(read_file(SYNTHETIC / "sbdb.json"))
    assert result.counts() == {"created": 1, "updated": 0, "unchanged": 0, "rejected": 0}
    target = Target.objects.get(designation="990001")
    orbit = target.current_orbit
    assert (target.name, orbit.source, orbit.reference, orbit.a2_au_d2) == ("Synthetica", "sbdb", "JPL#12", -2.5e-14)
    _, (covariance,) = knowledge_of(["990001"])
    assert covariance is not None
    assert not covariance.is_estimate
    assert covariance.labels == ("e", "q", "tp", "node", "peri", "i", "A2")
    again = import_file(read_file(SYNTHETIC / "sbdb.json"))
    assert again.unchanged == 1


def test_a_list_of_answers_with_one_that_says_no(tmp_path: Path) -> None:
    good = json.loads((SYNTHETIC / "sbdb.json").read_text())
    no = {"code": "200", "message": "specified object was not found"}
    other = json.loads(json.dumps(good).replace('".3"', '"much"'))
    found, missing, wrong = parsed(written(tmp_path / "answers", [good, no, other]))
    assert isinstance(found, TargetRecord)
    assert missing == Rejection(2, "answer", "specified object was not found")
    assert wrong == Rejection(3, "990001 Synthetica (2030 AA)", "e is 'much': expected a number")


def test_forces_of_another_model_are_left_out_and_said_to_be(tmp_path: Path) -> None:
    reply = json.loads((SYNTHETIC / "sbdb.json").read_text())
    reply["orbit"]["model_pars"] = reply["orbit"]["model_pars"][:1]  # with the function of water ice
    (record,) = parsed(written(tmp_path / "comet", reply))
    assert (record.orbit.a2_au_d2, record.orbit.reference) == (None, "JPL#12 without A1-A3")
    assert record.orbit.covariance["labels"] == ["e", "q", "tp", "node", "peri", "i"]


def test_a_list_of_the_confirmation_page_is_not_for_the_public(db, tmp_path: Path) -> None:
    path = tmp_path / "neocp.txt.gz"
    path.write_bytes(gzip.compress((SYNTHETIC / "neocp.txt").read_bytes()))
    call_command("import_targets", path)
    target = Target.objects.get(designation="SYN0001")
    assert target.visibility == Target.Visibility.SIGNED_IN
    assert target.current_orbit is None
    assert [each.kind for each in target.designations.all()] == ["temporary"]
    assert not Target.objects.filter(visible_target_q(ANONYMOUS)).exists()
    assert import_file(read_file(path)).unchanged == 2


def test_names_that_differ_in_case_only_are_not_taken_for_one_object(db, tmp_path: Path) -> None:
    lines = (SYNTHETIC / "neocp.txt").read_text().splitlines()
    _, second = parsed(written(tmp_path / "list", "\n".join([lines[0], lines[0].replace("SYN0001", "syn0001")])))
    assert isinstance(second, Rejection)
    assert (
        second.reason
        == "line 2: differs from SYN0001 only in the case of its letters, which is passed over when it is looked up"
    )


def test_a_file_in_which_nothing_is_usable_is_an_error(db, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="None of the 1 rows"):
        call_command("import_targets", written(tmp_path / "list", LINES[0][:150]))


@needs_shared
def test_recorded_answers_of_sbdb(db) -> None:
    for path in sorted((SHARED / "fixtures" / "sbdb").glob("*_phys.json")):
        result = import_file(read_file(path))
        assert not result.rejected, path
        assert result.created == 1, path
    assert Target.objects.get(designation="67P").current_orbit.a1_au_d2 is None
    assert resolve("Apophis").current_orbit.covariance["labels"][-1] == "A2"
