"""A service without a network is given by hand what providers answered elsewhere."""

import json
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from coordination.common.models import RunRecord, SourceState
from targets.models import Candidate, CloseApproach, RiskAssessment

from .conftest import target

pytestmark = pytest.mark.django_db

ANSWERS = Path(__file__).parents[1] / "sources" / "synthetic"


@pytest.fixture(autouse=True)
def targets(clock):
    for designation in ("990001", "2030 BB1", "2030 CC2"):
        target(designation)


def by_hand(job: str, *answers: Path) -> RunRecord:
    call_command("job", job, "--once", *(f"--answer={path}" for path in answers))
    return RunRecord.objects.get(job=job)


@pytest.mark.parametrize(
    ("job", "answer", "model"),
    [
        ("refresh_risk", "sentry_list.json", RiskAssessment),
        ("refresh_close_approaches", "cad.json", CloseApproach),
        ("refresh_neocp", "neocp.txt", Candidate),
        ("refresh_scout", "scout_list.json", Candidate),
    ],
)
def test_an_answer_brought_by_hand_is_taken_like_one_that_was_asked_for(job, answer, model):
    """All providers are switched off here (tests.settings)."""
    record = by_hand(job, ANSWERS / answer)
    assert record.state == "succeeded"
    assert record.counts["fetched"] == model.objects.count() == 2
    source = SourceState.objects.exclude(last_success_at=None).get()  # so its age is known
    assert source.failures == 0


def test_what_left_the_risk_list_stays_until_the_list_of_the_removed_is_brought_too(tmp_path):
    by_hand("refresh_risk", ANSWERS / "sentry_list.json")
    listed = json.loads((ANSWERS / "sentry_list.json").read_text())
    listed["data"], listed["count"] = listed["data"][:1], 1
    shorter = tmp_path / "sentry.json"
    shorter.write_text(json.dumps(listed))
    RunRecord.objects.all().delete()
    record = by_hand("refresh_risk", shorter)
    assert [found["object"] for found in record.findings] == ["2030 CC2"]
    assert RiskAssessment.objects.filter(ended_at=None).count() == 2
    RunRecord.objects.all().delete()
    assert by_hand("refresh_risk", shorter, ANSWERS / "sentry_removed.json").counts["left"] == 1
    assert RiskAssessment.objects.get(ended_at=None).target.designation == "2030 BB1"


def test_a_file_that_is_no_such_answer_changes_nothing_and_says_nothing_of_the_provider():
    with pytest.raises(CommandError, match="refresh_risk failed"):
        by_hand("refresh_risk", ANSWERS / "cad.json")
    assert not RiskAssessment.objects.exists()
    assert not SourceState.objects.exclude(last_error_at=None).exists()


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(CommandError, match=r"nothing\.json: No such file"):
        by_hand("refresh_risk", tmp_path / "nothing.json")
    assert not RunRecord.objects.exists()
