"""Importing a file of orbits: what is merged, what becomes current, what is rejected, and that nothing is half done."""

import csv
import gzip
import math
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from coordination.common.models import Event, RunRecord
from targets.management.commands import import_targets
from targets.models import Designation, Orbit, Target
from targets.services import import_file, resolve
from targets.sources.files import CatalogueFile, read_file

from .excerpt import CSV_APOPHIS, EXCERPT, raw_record, raw_records, write_csv, write_json

pytestmark = pytest.mark.django_db

LATER = {"Last_obs": "2026-06-30", "M": 320.0, "Ref": "MPO999999"}
EARLIER = {"Last_obs": "2015-01-01", "M": 300.0, "Ref": "MPO111111"}


@pytest.fixture
def take(tmp_path: Path):
    """Import records (or CSV rows), and give the counts."""

    def imported(*records: Any) -> dict[str, int]:
        if isinstance(records[0], str):
            path = write_csv(tmp_path / "orbits.csv", *records)
        else:
            path = write_json(tmp_path / "orbits.json", list(records))
        return import_file(read_file(path)).counts()

    return imported


def counts(created: int = 0, updated: int = 0, unchanged: int = 0, rejected: int = 0) -> dict[str, int]:
    return {"created": created, "updated": updated, "unchanged": unchanged, "rejected": rejected}


def current(designation: str) -> Orbit:
    orbit = resolve(designation).current_orbit
    assert orbit is not None
    return orbit


def stored() -> list[list[tuple[Any, ...]]]:
    return [list(model.objects.order_by("pk").values_list()) for model in (Target, Designation, Orbit)]


def csv_row(designation: str = "99942", name: str = "", **cells: Any) -> str:
    names = ("epoch_jd", "a", "e", "i", "node", "peri", "M", "H", "G", "A1", "A2", "A3")
    values = dict(zip(names, CSV_APOPHIS.split(",")[2:], strict=True)) | cells
    return ",".join([designation, name, *(str(values[field]) for field in names)])


def test_a_target_as_it_is_stored(catalogue):
    apophis = Target.objects.get(designation="99942")
    assert (apophis.name, apophis.kind, apophis.orbit_class) == ("Apophis", "asteroid", "Aten")
    assert (apophis.is_neo, apophis.is_pha, apophis.visibility) == (True, True, "public")
    designations = apophis.designations.values_list("text", "key", "kind")
    assert set(designations) == {
        ("99942", "99942", "number"),
        ("2004 MN4", "2004MN4", "provisional"),
        ("Apophis", "APOPHIS", "name"),
    }
    orbit = current("99942")
    assert (orbit.source, orbit.epoch_tdb_jd, orbit.a_au, orbit.h_mag) == ("mpc", 2461000.5, 0.9223803, 19.0)
    assert (orbit.arc_text, orbit.arc_days) == ("2004-2021", 17 * 365.25)
    assert str(orbit.last_observed_on) == "2021-05-20"


def test_every_target_has_one_orbit_which_is_current(catalogue):
    assert Target.objects.count() == Orbit.objects.filter(current_of__isnull=False).count() == 33


def test_objects_without_a_number_are_listed_by_their_principal_designation(catalogue):
    assert Target.objects.get(designation="2024 YR4").name == ""


def test_missing_h_and_u_stay_unknown(catalogue):
    orbit = current("2010 LB67")
    assert (orbit.h_mag, orbit.u_parameter) == (None, "")


def test_the_same_file_again_changes_nothing(catalogue):
    before, events = stored(), Event.objects.count()
    assert import_file(read_file(EXCERPT)).counts() == counts(unchanged=33)
    assert stored() == before
    assert Event.objects.count() == events


def test_an_import_leaves_a_run_record_and_one_event(catalogue):
    run = RunRecord.objects.get(job="import_targets")
    assert run.state == RunRecord.State.SUCCEEDED
    assert run.counts == counts(created=33)
    assert Event.objects.get(kind="catalogue.imported").payload["created"] == 33


@pytest.mark.parametrize(
    "designation",
    ["99942", "(99942)", "Apophis", "apophis", "2004 MN4", "2004mn4", "K04M04N", "99942 Apophis (2004 MN4)"],
)
def test_elements_join_the_target_whatever_they_call_it(catalogue, take, designation):
    assert take(csv_row(designation)) == counts(updated=1)
    assert Target.objects.count() == 33
    apophis = Target.objects.get(designation="99942")
    assert apophis.name == "Apophis"
    assert apophis.orbits.count() == 2
    assert current("99942").source == "file"
    assert current("99942").a2_au_d2 == -2.9e-14
    assert apophis.designations.count() == 3
    assert (apophis.orbit_class, apophis.is_pha) == ("Aten", True)


def test_a_name_column_that_repeats_the_designation_renames_nothing(catalogue, take):
    take(csv_row("99942 Apophis (2004 MN4)", "99942 Apophis (2004 MN4)"))
    assert resolve("99942").name == "Apophis"


def test_an_object_that_is_numbered_and_named_later_stays_the_same_target(take):
    take(raw_record("Bennu", Number=None, Name=None))
    before = resolve("1999 RQ36")
    assert before.designation == "1999 RQ36"
    assert take(raw_record("Bennu")) == counts(updated=1)
    after = resolve("Bennu")
    assert after.pk == before.pk
    assert (after.designation, after.name) == ("101955", "Bennu")
    assert after.history.count() == 1


def test_an_object_known_under_another_designation_is_merged_by_it(take):
    take(raw_record("2024 YR4"))
    linked = raw_record("2024 YR4", Principal_desig="2016 XY1", Other_desigs=["2024 YR4"], **LATER)
    assert take(linked) == counts(updated=1)
    assert resolve("2016 XY1") == resolve("2024 YR4")
    assert Target.objects.count() == 1


def test_a_new_solution_becomes_a_version_and_current(catalogue, take, apophis):
    old = apophis.current_orbit
    assert take(raw_record("Apophis", **LATER)) == counts(updated=1)
    apophis.refresh_from_db()
    assert apophis.current_orbit.reference == "MPO999999"
    assert set(apophis.orbits.values_list("reference", flat=True)) == {old.reference, "MPO999999"}
    old.refresh_from_db()
    assert old.mean_anomaly_deg == 312.80547


def test_a_solution_of_older_observations_is_kept_but_not_current(catalogue, take, apophis):
    assert take(raw_record("Apophis", **EARLIER)) == counts(updated=1)
    apophis.refresh_from_db()
    assert apophis.current_orbit.reference == "E2024-JQ5"
    assert apophis.orbits.count() == 2


def test_of_equally_late_observations_the_later_epoch_is_current(catalogue, take, apophis):
    take(raw_record("Apophis", Epoch=2460000.5, M=1.0))
    apophis.refresh_from_db()
    assert apophis.current_orbit.epoch_tdb_jd == 2461000.5
    take(raw_record("Apophis", Epoch=2461200.5, M=2.0))
    apophis.refresh_from_db()
    assert apophis.current_orbit.epoch_tdb_jd == 2461200.5


def test_of_equally_late_observations_more_of_them_come_before_a_later_epoch(catalogue, take, apophis):
    take(raw_record("Apophis", Epoch=2461200.5, Num_obs=9000))
    apophis.refresh_from_db()
    assert apophis.current_orbit.epoch_tdb_jd == 2461000.5
    take(raw_record("Apophis", Epoch=2460000.5, Num_obs=9500))
    apophis.refresh_from_db()
    assert apophis.current_orbit.epoch_tdb_jd == 2460000.5


def test_of_equal_epochs_the_newer_import_is_current(catalogue, take, apophis):
    take(raw_record("Apophis", M=312.80548))
    apophis.refresh_from_db()
    assert apophis.current_orbit.mean_anomaly_deg == 312.80548


def test_elements_of_an_older_epoch_do_not_become_current(catalogue, take, apophis):
    """A list of elements says nothing of observations: then the later epoch decides."""
    take(csv_row("99942", epoch_jd=2453000.5))
    apophis.refresh_from_db()
    assert apophis.current_orbit.source == "mpc"


def test_an_older_file_again_does_not_take_the_current_orbit_back(catalogue, take, apophis):
    take(raw_record("Apophis", **LATER))
    assert import_file(read_file(EXCERPT)).counts() == counts(unchanged=33)
    apophis.refresh_from_db()
    assert apophis.current_orbit.reference == "MPO999999"


@pytest.mark.parametrize(
    "bad",
    [
        {"a": math.nan},
        {"e": 1.5},
        {"H": 10**400},
        {"Name": "N" * 100},
        {"Name": "N\x00"},
        {"Name": "N\ud800"},
        {"Ref": "R" * 100},
        {"Num_obs": 10**12},
        {"Orbit_type": "T" * 50},
        {"Number": f"({'9' * 50})"},
        {"Other_desigs": [{"a": 1}] * 9},
    ],
    ids=lambda bad: "-".join(bad),
)
def test_a_bad_row_is_rejected_and_the_others_are_taken(take, bad):
    assert take(raw_record("Eros"), raw_record("2024 YR4", **bad), raw_record("Bennu")) == counts(2, rejected=1)
    assert set(Target.objects.values_list("designation", flat=True)) == {"433", "101955"}
    assert Orbit.objects.count() == 2


def test_a_row_that_would_merge_two_targets_is_rejected(catalogue, take):
    before = stored()
    result = take(raw_record("Eros", Other_desigs=["2004 MN4"], **LATER), raw_record("Bennu", **LATER))
    assert result == counts(updated=1, rejected=1)
    assert resolve("433") != resolve("2004 MN4")
    assert stored()[1] == before[1]


def test_the_reason_of_a_merge_names_both_targets(catalogue, tmp_path):
    path = write_json(tmp_path / "orbits.json", [raw_record("Eros", Other_desigs=["2004 MN4"])])
    (rejection,) = import_file(read_file(path)).rejected
    assert rejection.row == 1
    assert "433 Eros" in rejection.reason
    assert "99942 Apophis" in rejection.reason


def test_a_row_with_another_number_than_known_is_rejected(catalogue, take):
    assert take(raw_record("Apophis", Number="(99943)", **LATER)) == counts(rejected=1)
    assert resolve("99942").orbits.count() == 1


def test_the_same_row_twice_counts_as_unchanged(take):
    assert take(raw_record("Eros"), raw_record("Eros")) == counts(created=1, unchanged=1)
    assert Orbit.objects.count() == 1


def test_two_solutions_of_one_object_in_a_file_are_two_versions(take):
    assert take(raw_record("Eros", **LATER), raw_record("Eros", **EARLIER)) == counts(created=1, updated=1)
    eros = resolve("433")
    assert eros.orbits.count() == 2
    assert current("433").reference == "MPO999999"


def test_a_file_that_fails_midway_leaves_nothing(catalogue, tmp_path, monkeypatch):
    before = stored()
    path = write_json(tmp_path / "orbits.json", [raw_record("Bennu", **LATER)])

    def fails(*args: Any) -> None:
        raise RuntimeError("the database went away")

    monkeypatch.setattr("targets.services.importing._set_current", fails)
    with pytest.raises(RuntimeError):
        import_file(read_file(path))
    assert stored() == before
    run = RunRecord.objects.filter(job="import_targets").latest("started_at")
    assert run.state == RunRecord.State.FAILED
    assert "went away" in run.message


def test_progress_is_told_to_the_end(tmp_path):
    told: list[int] = []
    import_file(read_file(EXCERPT), progress=told.append)
    assert told[-1] == 33


class TestCommand:
    """What `manage.py import_targets` prints and how it ends."""

    @pytest.fixture(autouse=True)
    def state_dir(self, settings, tmp_path):
        settings.NEO_STATE_DIR = tmp_path / "state"

    def test_counts_on_standard_error_and_nothing_on_standard_output(self, capfd):
        call_command("import_targets", EXCERPT)
        out, err = capfd.readouterr()
        assert out == ""
        assert "33 created, 0 updated, 0 unchanged, 0 rejected" in err

    def test_without_a_file_it_reads_the_catalogue_that_is_shipped(self, monkeypatch, capfd):
        assert import_targets.SNAPSHOT.is_file()
        read: list[Path] = []

        def remember(path: Path) -> CatalogueFile:
            read.append(path)
            return read_file(EXCERPT)

        monkeypatch.setattr(import_targets, "read_file", remember)
        call_command("import_targets")
        assert read == [import_targets.SNAPSHOT]

    def test_the_first_twenty_rejections_are_shown_and_all_written(self, tmp_path, capfd):
        bad = [record | {"a": None} for record in raw_records()]
        call_command("import_targets", write_json(tmp_path / "orbits.json", [*bad, raw_record("Eros")]))
        out, err = capfd.readouterr()
        assert out == ""
        assert "1 created, 0 updated, 0 unchanged, 33 rejected" in err
        assert err.count("a is missing") == 20
        (told,) = (tmp_path / "state").rglob("*.csv")
        assert str(told) in err
        with told.open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        assert len(rows) == 33
        assert rows[0].keys() == {"row", "name", "reason"}
        assert rows[0]["row"] == "1"
        assert "a is missing" in rows[0]["reason"]

    @pytest.mark.parametrize("content", ["gz", "json", "column", "missing", "folder"])
    def test_a_file_that_cannot_be_used_ends_with_code_2_and_writes_nothing(self, catalogue, tmp_path, content):
        before, runs = stored(), RunRecord.objects.count()
        path = tmp_path / "orbits"
        if content == "gz":
            path.write_bytes(gzip.compress(EXCERPT.read_bytes())[:-2000])
        elif content == "json":
            path.write_bytes(EXCERPT.read_bytes()[:-2000])
        elif content == "column":
            write_csv(path, "433,1.4", header="designation,a")
        elif content == "folder":
            path.mkdir()
        with pytest.raises(CommandError) as refusal:
            call_command("import_targets", path)
        assert refusal.value.returncode == 2
        assert str(path) in str(refusal.value)
        if content == "column":
            assert "epoch_jd, e, i, node, peri, M" in str(refusal.value)
        assert stored() == before
        assert RunRecord.objects.count() == runs


@pytest.mark.django_db
def test_a_confirmation_page_name_is_not_public_and_a_comet_is_one(tmp_path):
    path = tmp_path / "elements.csv"
    path.write_text(
        "designation,name,epoch_jd,a,e,i,node,peri,M,H,G,A1,A2,A3\n"
        "P21xyZa,,2461000.5,1.5,0.2,3,4,5,6,22,,,,\n"
        "C/2026 A1,,2461000.5,20,0.9,3,4,5,6,,,,,\n"
    )
    import_file(read_file(path))
    assert Target.objects.get(designation="P21xyZa").visibility == Target.Visibility.SIGNED_IN
    comet = Target.objects.get(designation="C/2026 A1")
    assert (comet.kind, comet.visibility) == (Target.Kind.COMET, Target.Visibility.PUBLIC)
