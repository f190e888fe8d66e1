"""The ranked list of a night: what it is made from, who sees what of it, and what it costs."""

import datetime as dt
import json

import pytest
import time_machine
from django.core.management import CommandError, call_command

from coordination.common.actors import ANONYMOUS, SYSTEM, Actor
from coordination.common.models import Event
from coordination.common.problems import DomainError
from coordination.visibility import planning
from coordination.visibility.arrays import DATE, ID, NUMBER, arrays_of
from coordination.visibility.models import Computation, PriorityWeights, VisibilityWindow
from coordination.visibility.priorities import night_now, ranked_targets
from coordination.visibility.priority.scoring import PARTS, Weights
from coordination.visibility.priority_weights import current_weights, set_priority_weights
from coordination.visibility.storage import ensure_partitions
from observatories.models import Telescope, User
from targets.models import Candidate, Ephemeris, Orbit, RiskAssessment, Target
from targets.orbits.trust import Trust
from tests.coordination.booking.conftest import make_organisation, make_telescope

URL = "/api/v1/priorities/"
pytestmark = pytest.mark.django_db


NIGHTS = 5
FIRST = dt.date(2027, 2, 1)  # the night under way
NOW = dt.datetime(2027, 2, 1, 20, 0, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)


@pytest.fixture
def network(db) -> list[Telescope]:
    organisation, _ = make_organisation("priorities")
    made = [make_telescope(organisation, f"place {number}", 30.0 * number, 20.0) for number in range(3)]
    for number, telescope in enumerate(made):
        Telescope.objects.filter(pk=telescope.pk).update(limiting_v_mag=19.0 + number)
    return list(Telescope.objects.order_by("pk"))


@pytest.fixture
def computed(network):
    """Six targets with windows at every telescope in every night, each fainter and worse known than the one before."""
    with time_machine.travel(NOW, tick=False):
        start = NOW.replace(hour=0) - DAY
        end = start + (NIGHTS + 2) * DAY
        Computation.objects.create(state=Computation.State.DONE, starts_at=start, ends_at=end)
        ensure_partitions(start.date(), end.date())
        for number in range(6):
            target = Target.objects.create(designation=f"2026 AB{number}")
            orbit = Orbit.objects.create(
                target=target, source="mpc", epoch_tdb_jd=2461300.5, a_au=1.2 + 0.2 * number, e=0.3, i_deg=5.0,
                node_deg=10.0, peri_deg=20.0, mean_anomaly_deg=30.0, h_mag=18.0 + number, u_parameter=str(number),
                arc_days=1000.0 / (1 + number), last_observed_on=FIRST - (1 + number) * DAY,
            )  # fmt: skip
            days = (end - start).days + 1
            ephemeris = Ephemeris.objects.create(
                target=target, orbit=orbit, earth_orientation="x", engine="x", computed_at=NOW, starts_at=start,
                ends_at=end, trust_levels=[0] * days, sigma_major_arcsec=[0.1 * (1 + number)] * days,
            )  # fmt: skip
            VisibilityWindow.objects.bulk_create(
                window(target, telescope, orbit, ephemeris, FIRST + night * DAY, number + 0.1 * night)
                for telescope in network
                for night in range(NIGHTS)
            )
        yield


def window(target, telescope, orbit, ephemeris, night: dt.date, fainter: float) -> VisibilityWindow:
    at = dt.datetime.combine(night, dt.time(20), dt.UTC)
    figures = {field.name: 1.0 for field in VisibilityWindow._meta.fields if field.get_internal_type() == "FloatField"}
    figures |= {"duration_s": 3600.0 * (1 + telescope.pk % 3), "v_mag": 15.0 + fainter, "peak_airmass": 1.5}
    return VisibilityWindow(
        target=target, telescope=telescope, orbit=orbit, ephemeris=ephemeris, night=night, night_ends_on=night + DAY,
        starts_at=at, ends_at=at + dt.timedelta(seconds=figures["duration_s"]), opened_by=1, closed_by=1, peak_at=at,
        **figures,
    )  # fmt: skip


@pytest.fixture
def night(computed) -> dt.date:
    assert night_now() == FIRST
    return FIRST


def of(ranking, designation):
    (row,) = [row for row in ranking.results if row.designation == designation]
    return row


def everything(night, **asked):
    return ranked_targets(night, worst=Trust.POOR, limit=None, **asked)


def put_at_risk(target: Target, probability: float, palermo: float) -> None:
    RiskAssessment.objects.filter(target=target).delete()
    RiskAssessment.objects.create(
        target=target, impact_probability=probability, palermo_cumulative=palermo, palermo_maximum=palermo
    )


def test_every_target_with_a_window_is_ranked_once_the_highest_score_first(night):
    ranking = everything(night)
    expected = set(VisibilityWindow.objects.filter(night=night).values_list("target__designation", flat=True))
    assert {row.designation for row in ranking.results} == expected
    assert ranking.count == len(ranking.results) == len(expected) > 3
    scores = [row.score for row in ranking.results]
    assert scores == sorted(scores, reverse=True)
    assert [row.rank for row in ranking.results] == list(range(1, len(scores) + 1))
    first = ranked_targets(night, worst=Trust.POOR, limit=2)
    assert first.results == ranking.results[:2]
    assert first.count == ranking.count


def test_the_score_is_what_its_parts_and_the_weights_make_of_it(night):
    weights = Weights()
    for row in everything(night).results:
        told = {name: 1.0 - part.value if name == "cost" else part.value for name, part in row.parts.items()}
        mean = sum(getattr(weights, name) * value for name, value in told.items()) / 100.0
        assert row.score == pytest.approx(mean)
        assert {name: tuple(part.measures) for name, part in row.parts.items()} == dict(PARTS)


def test_a_telescope_is_ranked_by_its_own_windows_and_limits(night, network):
    best_of = {row.designation: row for row in everything(night).results}
    seen = 0
    for telescope in network:
        for row in everything(night, telescope_id=telescope.pk).results:
            windows = VisibilityWindow.objects.filter(
                night=night, telescope=telescope, target__designation=row.designation
            )
            assert row.telescope_id == telescope.pk
            assert row.hours == pytest.approx(sum(windows.values_list("duration_s", flat=True)) / 3600.0)
            measure = row.parts["cost"].measures["exposure"]
            assert measure.figure == pytest.approx(telescope.limiting_v_mag - row.v_mag, abs=0.01)
            seen += 1
            assert row.designation in best_of
    assert seen > len(best_of)


def test_last_chances_are_those_of_the_stored_windows(night, network):
    telescope = network[0]
    last_whole = planning.stored_span().ends_at.date() - dt.timedelta(days=2)
    target = Target.objects.get(designation=everything(night, telescope_id=telescope.pk).results[0].designation)
    windows = VisibilityWindow.objects.filter(target=target)
    windows.filter(telescope=telescope, night__gt=night + dt.timedelta(days=1)).delete()
    assert windows.filter(telescope=telescope, night=night + dt.timedelta(days=1)).exists()
    urgency = of(everything(night, telescope_id=telescope.pk), target.designation).parts["urgency"]
    assert urgency.measures["last_chance"].figure == 1
    assert urgency.measures["last_chance"].value == 0.5
    assert urgency.measures["closing"].value == 1.0
    assert urgency.measures["fading"].value is None  # no later window, no later brightness
    assert windows.filter(night=last_whole).exists()  # at others nothing is lost
    everywhere = of(everything(night), target.designation).parts["urgency"].measures["last_chance"]
    assert (everywhere.figure, everywhere.value) == (None, 0.0)
    windows.filter(night__gt=night).delete()
    assert of(everything(night), target.designation).parts["urgency"].measures["last_chance"].value == 1.0


def test_a_larger_impact_probability_never_lowers_a_score(night):
    name = everything(night).results[-1].designation
    target = Target.objects.get(designation=name)
    unknown = of(everything(night), name).parts["importance"]
    assert unknown.measures["impact"].value is None  # no risk list is at hand
    scores = []
    for probability, palermo in ((1e-9, -9.0), (1e-6, -5.0), (1e-3, -2.0), (0.5, 1.0)):
        put_at_risk(target, probability, palermo)
        found = everything(night)
        scores.append(of(found, name).score)
        assert of(found, name).parts["importance"].measures["impact"].figure == probability
    assert scores == sorted(scores)
    assert scores[-1] > scores[0]
    others = [row.parts["importance"].measures["impact"].value for row in found.results if row.designation != name]
    assert set(others) == {0.0}  # the list is there, and they are not on it


def test_where_a_place_is_not_known_need_says_so_and_stays_in_between(night):
    name = everything(night).results[0].designation
    ephemerides = Ephemeris.objects.filter(target__designation=name)

    def need(sigma: float | None):
        days = len(ephemerides.get().trust_levels)
        ephemerides.update(sigma_major_arcsec=None if sigma is None else [sigma] * days)
        return of(everything(night), name).parts["need"]

    little, much, unknown = need(0.01), need(1000.0), need(None)
    assert unknown.measures["uncertainty"].value is None
    assert little.value < unknown.value < much.value


def test_what_leaves_the_field_is_urgent_and_costs_more_pointings(night, network):
    telescope = network[0]
    name = everything(night, telescope_id=telescope.pk).results[0].designation
    ephemeris = Ephemeris.objects.get(target__designation=name)
    first = (night - ephemeris.starts_at.date()).days
    largest = min(telescope.field_width_deg, telescope.field_height_deg) * 600.0
    days = len(ephemeris.trust_levels)
    # A night's value is that of the date on which it ends: it fits on this one and the next.
    sigma = [0.9 * largest] * (first + 3) + [1.1 * largest] * (days - first - 3)
    Ephemeris.objects.filter(pk=ephemeris.pk).update(sigma_major_arcsec=sigma)
    leaving = of(everything(night, telescope_id=telescope.pk), name)
    assert leaving.parts["urgency"].measures["leaving_field"].figure == 1
    Ephemeris.objects.filter(pk=ephemeris.pk).update(sigma_major_arcsec=[3.0 * largest] * days)
    wide = of(everything(night, telescope_id=telescope.pk), name)
    assert wide.parts["urgency"].measures["leaving_field"].value == 1.0
    assert wide.parts["cost"].measures["exposure"].value > leaving.parts["cost"].measures["exposure"].value


def test_orbits_that_are_not_trusted_are_left_out_unless_asked_for(night):
    name = everything(night).results[0].designation
    ephemeris = Ephemeris.objects.get(target__designation=name)
    ephemeris.trust_levels = [Trust.POOR.value] * len(ephemeris.trust_levels)
    ephemeris.save()
    assert name not in {row.designation for row in ranked_targets(night, limit=None).results}
    assert of(everything(night), name).orbit_trust == "poor"


def test_only_what_one_may_know_of_is_ranked(night, client):
    name = everything(night).results[0].designation
    target = Target.objects.get(designation=name)
    Target.objects.filter(pk=target.pk).update(visibility=Target.Visibility.SIGNED_IN)
    Candidate.objects.create(target=target, temporary_designation="P21zenQ", on_neocp=True, neocp_score=87)
    public = everything(night)
    assert name not in {row.designation for row in public.results}
    assert name not in json.dumps(client.get(URL, {"night": str(night), "limit": 100}).json())
    for actor in (Actor(user_id=1), SYSTEM):
        measure = of(everything(night, actor=actor), name).parts["importance"].measures["confirmation"]
        assert (measure.value, measure.figure) == (0.87, 87)
    assert everything(night, actor=SYSTEM).count == public.count + 1


@pytest.mark.parametrize("of_one", [False, True])
def test_the_list_costs_the_same_number_of_queries_however_long_it_is(
    night, network, of_one, django_assert_num_queries
):
    telescope_id = network[0].pk if of_one else None
    everything(night, telescope_id=telescope_id)
    for limit in (1, None):
        with django_assert_num_queries(14 if of_one else 13):
            ranked_targets(night, telescope_id=telescope_id, worst=Trust.POOR, limit=limit)


def test_the_night_of_now_is_that_of_the_telescope(network):
    east, west = network[0], network[1]
    east.observatory.longitude_deg, west.observatory.longitude_deg = 150.0, -150.0
    with time_machine.travel(NOW.replace(hour=11), tick=False):
        assert night_now() == FIRST - DAY  # Europe's morning after
        assert night_now(east) == FIRST  # its evening
        assert night_now(west) == FIRST - DAY  # before its dawn


def test_columns_that_hold_nothing_in_a_row_are_refused(computed):
    whole = arrays_of(Orbit.objects.order_by("pk"), {"pk": ID, "h_mag": NUMBER, "last_observed_on": DATE})
    assert whole["h_mag"].tolist() == [18.0 + number for number in range(6)]
    assert whole["last_observed_on"][0].astype(object) == FIRST - DAY
    assert arrays_of(Orbit.objects.none(), {"pk": ID})["pk"].size == 0
    Orbit.objects.filter(pk=whole["pk"][0]).update(h_mag=None)
    with pytest.raises(ValueError, match="row"):
        arrays_of(Orbit.objects.all(), {"pk": ID, "h_mag": NUMBER})


class TestWeights:
    def test_change_the_order(self, night):
        before = everything(night)
        person = User.objects.create(username="coordinator")
        set_priority_weights(actor=person, importance=0, need=0, urgency=0)
        after = everything(night)
        assert [row.score for row in after.results] == pytest.approx(
            [1.0 - r.parts["cost"].value for r in after.results]
        )
        assert {row.designation for row in after.results} == {row.designation for row in before.results}
        assert after.weights.need == 0.0
        assert Event.objects.get(kind="priority_weights.changed").actor == person
        assert PriorityWeights.history.filter(need=0.0).exists()

    def test_hold_by_default_where_there_is_no_row(self):
        PriorityWeights.objects.all().delete()
        assert current_weights() == Weights()
        set_priority_weights(size=50)
        assert current_weights() == Weights(size=50.0)

    @pytest.mark.parametrize(
        "wrong", [{"size": -1}, {"size": float("nan")}, {"size": 1e9}, {"colour": 1}, dict.fromkeys(PARTS, 0)]
    )
    def test_that_mean_nothing_are_refused(self, wrong):
        with pytest.raises(DomainError) as refusal:
            set_priority_weights(**wrong)
        assert refusal.value.field in wrong
        assert current_weights() == Weights()

    def test_are_edited_in_the_admin_with_their_history(self, client):
        client.force_login(User.objects.create_superuser("root", password="x"))
        row, _ = PriorityWeights.objects.get_or_create(pk=1)
        address = f"/admin/visibility/priorityweights/{row.pk}/change/"
        assert client.get(address).status_code == 200
        values = vars(Weights())
        refused = client.post(address, values | dict.fromkeys(PARTS["need"], 0))
        assert "greater than 0" in refused.content.decode()
        answer = client.post(address, values | {"impact": 80})
        assert answer.status_code == 302
        assert current_weights() == Weights(impact=80.0)
        assert PriorityWeights.history.count() == 1


class TestApi:
    def test_tells_every_measure_and_what_is_not_known(self, client, night, network):
        asked = {"night": str(night), "telescope": network[0].pk, "limit": 2, "orbit_trust": "poor"}
        answer = client.get(URL, asked).json()
        assert (answer["night"], answer["telescope"], len(answer["results"])) == (str(night), network[0].pk, 2)
        assert answer["weights"] == vars(Weights())
        row = answer["results"][0]
        assert [measure["name"] for measure in row["measures"]] == [name for names in PARTS.values() for name in names]
        assert {"score", "importance", "need", "urgency", "cost"} <= set(row)

    @pytest.mark.parametrize(
        ("asked", "field"),
        [
            ({"night": "2031-01-01"}, "night"), ({"night": "tonight"}, "night"), ({"telescope": 10**9}, "telescope"),
            ({"limit": 0}, "limit"), ({"limit": 101}, "limit"), ({"orbit_trust": "some"}, "orbit_trust"),
            ({"rows": 5}, "rows"),
        ],
    )  # fmt: skip
    def test_refuses_with_the_field(self, client, computed, asked, field):
        answer = client.get(URL, asked)
        assert answer.status_code == 400
        assert [error["field"] for error in answer.json()["errors"]] == [field]

    def test_says_that_nothing_is_computed_yet(self, client, network):
        assert "computed" in client.get(URL).json()["detail"]


def test_the_command_prints_the_same_list(night, network, capsys):
    call_command("priorities", night=str(night), telescope=network[0].pk, rows=3, trust="poor", measures=True)
    printed = capsys.readouterr().out
    for row in ranked_targets(night, telescope_id=network[0].pk, worst=Trust.POOR, limit=3, actor=ANONYMOUS).results:
        assert f"{row.score:.3f}" in printed
    assert "last chance" in printed
    with pytest.raises(CommandError, match="no telescope"):
        call_command("priorities", telescope=10**9)
    assert Telescope.objects.exists()
