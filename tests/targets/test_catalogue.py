"""The whole catalogue that is shipped, once."""

import pytest
from django.core.management import call_command
from django.db import connection
from django.db.models import Count

from targets.management.commands.import_targets import SNAPSHOT
from targets.models import Designation, Orbit, Target
from targets.services import UnknownDesignationError, import_file, resolve
from targets.services.ephemerides import plannable_targets
from targets.services.orbits import orbit_batch
from targets.sources.files import read_file


@pytest.mark.django_db
def test_the_whole_catalogue(capfd, tmp_path, settings, django_assert_max_num_queries):
    settings.NEO_STATE_DIR = tmp_path
    call_command("import_targets")
    out, err = capfd.readouterr()
    with connection.cursor() as cursor:
        # Foreign keys are checked at the end of the test, by plans made for the empty tables of the tests before.
        cursor.execute("ANALYZE targets_target, targets_orbit, targets_designation")
    assert out == ""
    assert "40874 created, 0 updated, 0 unchanged, 0 rejected" in err

    assert Target.objects.count() == Orbit.objects.filter(current_of__isnull=False).count() == 40_874
    assert Orbit.objects.filter(arc_days__lt=10).count() == 14_024
    assert Orbit.objects.filter(h_mag=None).count() == 2
    assert Orbit.objects.filter(u_parameter="").count() == 35
    assert Orbit.objects.filter(arc_days=None).count() == 0
    assert Target.objects.filter(is_pha=True).count() == 2_529
    assert Target.objects.filter(is_neo=False).count() == 10
    kinds = dict(Designation.objects.values_list("kind").annotate(Count("pk")))
    assert kinds["number"] == 3_673
    assert kinds["name"] == 182
    assert "temporary" not in kinds
    assert len({resolve(text).pk for text in ("99942", "Apophis", "2004 MN4", "K04M04N")}) == 1
    with pytest.raises(UnknownDesignationError) as unknown:
        resolve("2024 YR400")  # more than 3,000 designations begin with 2024
    assert "2024 YR4" in unknown.value.extra["nearest"]

    target_ids = list(plannable_targets().order_by("pk").values_list("pk", flat=True))
    with django_assert_max_num_queries(1):
        rows, batch = orbit_batch(target_ids)
    assert len(batch) == rows.orbit_id.size == 40_874
    assert rows.target_id.tolist() == target_ids

    assert import_file(read_file(SNAPSHOT)).counts() == {"created": 0, "updated": 0, "unchanged": 40_874, "rejected": 0}
