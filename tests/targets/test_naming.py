"""Designations that staff add and take away."""

import pytest

from coordination.common.models import Event
from coordination.common.problems import ConflictError, DomainError, ForbiddenError, UnknownError
from observatories.models import User
from targets.models import Target
from targets.services import resolve
from targets.services.naming import OtherTargetError, add_designation, remove_designation

pytestmark = pytest.mark.django_db


def named(target: Target) -> set[str]:
    return set(target.designations.values_list("text", flat=True))


@pytest.mark.parametrize(
    ("typed", "stored", "kind"),
    [
        ("2031 AB12", "2031 AB12", "provisional"),
        ("2031ab12", "2031 AB12", "provisional"),
        ("K31A12B", "2031 AB12", "provisional"),
        ("Xuanwu's  Turtle", "Xuanwu's Turtle", "name"),
        ("P21xyz1", "P21xyz1", "temporary"),
    ],
)
def test_a_designation_is_added_in_its_usual_spelling_and_found(apophis, typed, stored, kind):
    added = add_designation(apophis.pk, typed)
    assert (added.text, added.kind) == (stored, kind)
    assert resolve(typed) == apophis
    assert Event.objects.get(kind="target.updated").payload == {"fields": ["designations"]}
    assert apophis.history.first().history_change_reason == f"designation added: {stored}"


def test_what_another_target_is_called_is_refused_with_its_name(apophis):
    eros = Target.objects.get(designation="433")
    with pytest.raises(OtherTargetError, match="433 Eros") as refusal:
        add_designation(apophis.pk, "eros")
    assert refusal.value.other == eros
    assert "Eros" not in named(apophis)


@pytest.mark.parametrize("text", ["2004 MN4", "99942", "(99942)", "apophis"])
def test_its_own_designation_is_not_added_again(apophis, text):
    with pytest.raises(ConflictError, match="already"):
        add_designation(apophis.pk, text)


@pytest.mark.parametrize("text", ["", "  ", "??", "99942 Apophis", "99942 (2004 MN4)", "x" * 65, "a\x00b"])
def test_what_is_no_single_designation_is_refused(apophis, text):
    before = named(apophis)
    with pytest.raises(DomainError) as refusal:
        add_designation(apophis.pk, text)
    assert refusal.value.field == "designation"
    assert named(apophis) == before


def test_a_second_permanent_number_is_refused(apophis):
    with pytest.raises(ConflictError, match="two permanent numbers"):
        add_designation(apophis.pk, "7654321")


def test_a_designation_is_removed_but_not_the_one_it_is_listed_under(apophis):
    by_text = {each.text: each.pk for each in apophis.designations.all()}
    remove_designation(apophis.pk, by_text["2004 MN4"])
    remove_designation(apophis.pk, by_text["Apophis"])
    assert named(apophis) == {"99942"}
    apophis.refresh_from_db()
    assert apophis.name == ""  # else it would be shown under a name that does not find it
    with pytest.raises(ConflictError, match="listed"):
        remove_designation(apophis.pk, by_text["99942"])
    with pytest.raises(UnknownError):
        remove_designation(apophis.pk, Target.objects.get(designation="433").designations.first().pk)
    assert apophis.history.filter(history_change_reason="designation removed: 2004 MN4").exists()


def test_only_administrators_and_the_service_itself_decide(apophis):
    person = User.objects.create_user("someone", "s@example.org", "pass-for-tests", is_staff=True)
    with pytest.raises(ForbiddenError):
        add_designation(apophis.pk, "2031 AB12", actor=person)
    with pytest.raises(ForbiddenError):
        remove_designation(apophis.pk, apophis.designations.first().pk, actor=person)
