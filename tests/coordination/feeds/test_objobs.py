"""ObjObsSAP, read as clients of the Virtual Observatory read it."""

import datetime as dt
import io
import warnings

import pytest
from pyvo.dal import DALQuery, DALResults
from pyvo.dal.adhoc import AdhocServiceResultsMixin
from pyvo.dal.exceptions import DALOverflowWarning
from pyvo.io.vosi import parse_availability, parse_capabilities

from coordination.common import clock
from coordination.feeds.dali import to_mjd
from coordination.visibility import planning, quality
from coordination.visibility.models import Chunk, VisibilityWindow
from observatories.models import Closure, Telescope
from targets.models import Target
from tests.network import catalogue, network

from .vo import read, rows, session, statuses

__all__ = ["catalogue", "network"]

pytestmark = pytest.mark.django_db

URL = "/vo/objobs/query"
STANDARD = "ivo://ivoa.net/std/ObjObsSAP#query-0.3"


@pytest.fixture(autouse=True)
def one_evening(time_machine):
    """What is up, and where the Moon is, depends on the date."""
    time_machine.move_to(dt.datetime(2026, 11, 24, 12, tzinfo=dt.UTC))


@pytest.fixture
def short_horizon(settings):
    settings.PLANNING_HORIZON_NIGHTS = 3


@pytest.fixture
def computed(catalogue, network, short_horizon, monkeypatch):
    monkeypatch.setattr("coordination.visibility.tasks.compute_chunk.delay", [].append)
    planning.plan()
    for chunk_id in Chunk.objects.values_list("pk", flat=True):
        planning.run_chunk(chunk_id)
    return catalogue


@pytest.fixture
def target(computed) -> Target:
    """The one with the most windows."""
    counted = {}
    for pk in VisibilityWindow.objects.values_list("target_id", flat=True):
        counted[pk] = counted.get(pk, 0) + 1
    return Target.objects.get(pk=max(counted, key=counted.get))


def everything() -> str:
    span = planning.stored_span()
    return f"{to_mjd(span.starts_at)}/{to_mjd(span.ends_at)}"


def ask(client, **query):
    answer = client.get(URL, query)
    assert answer["Content-Type"] == "application/x-votable+xml"
    return answer, read(answer.content)


class TestTargets:
    def test_the_stored_windows_are_told(self, client, target):
        answer, votable = ask(client, TARGET=target.designation, TIME=everything())
        assert answer.status_code == 200
        assert statuses(votable) == ["OK"]
        windows = quality.with_quality(VisibilityWindow.objects.filter(target=target))
        stored = list(windows.select_related("telescope").order_by("starts_at", "id"))
        expected = {0: "HIGH", 1: "MEDIUM", 2: "LOW", None: "LOW"}
        told = rows(votable)
        assert len(told) == len(stored) > 3
        for row, window in zip(told, stored, strict=True):
            assert row["t_start"] == pytest.approx(to_mjd(window.starts_at), abs=1e-8)
            assert row["t_stop"] == pytest.approx(to_mjd(window.ends_at), abs=1e-8)
            assert row["t_observability"] == pytest.approx(window.duration_s, abs=0.01)
            assert row["target_name"] == target.designation
            assert row["facility"].startswith(window.telescope.name)
            assert row["elevation_max"] == pytest.approx(window.peak_altitude_deg, abs=1e-4)
            assert row["t_validity"] > to_mjd(clock.now())
            assert row["validity_accuracy"] == expected[window.trust]

    def test_the_standard_fields_are_as_the_draft_has_them(self, client, target):
        _, votable = ask(client, TARGET=target.designation)
        fields = {field.name: field for field in votable.get_first_table().fields}
        coverage = "Char.TimeAxis.Coverage"
        for name, unit, ucd, utype in (
            ("t_validity", "d", "time.validity", f"{coverage}.Time"),
            ("t_start", "d", "time.start", f"{coverage}.Bounds.Limits.StartTime"),
            ("t_stop", "d", "time.end", f"{coverage}.Bounds.Limits.StopTime"),
            ("t_observability", "s", "time.duration", f"{coverage}.Support.Extent"),
        ):
            field = fields[name]
            assert (str(field.unit), field.ucd, field.utype, field.datatype) == (unit, ucd, utype, "double")
        assert fields["facility"].ucd == "meta.id;instr.tel"
        resource = votable.resources[0]
        assert resource.type == "results"
        (system,) = resource.time_systems
        assert (system.ID, system.timescale, fields["t_start"].ref) == ("utc", "UTC", "utc")
        limit = next(info.value for info in resource.infos if info.name == "T_MAX_HARD_LIMIT")
        assert float(limit) == pytest.approx(to_mjd(planning.stored_span().ends_at), abs=1e-5)

    def test_any_designation_and_any_case_of_the_parameters_will_do(self, client, target):
        name = target.designations.last().text
        told = [
            rows(ask(client, **query)[1])
            for query in (
                {"TARGET": target.designation, "MIN_OBS": "0", "TIME": everything()},
                {"target": name, "min_obs": "0", "time": everything()},
                {"Target": name.lower(), "Runid": "x", "Time": everything()},
            )
        ]
        assert told[0] == told[1] == told[2]
        posted = client.post(URL, {"Target": target.designation, "Time": everything()})
        assert rows(read(posted.content)) == told[0]

    def test_windows_are_cut_to_the_time_asked_for_and_short_ones_left_out(self, client, target):
        longest = VisibilityWindow.objects.filter(target=target).order_by("-duration_s").first()
        middle = to_mjd(longest.starts_at) + longest.duration_s / 86400 / 2
        _, votable = ask(client, TARGET=target.designation, TIME=f"{middle}/{middle + 0.01}")
        told = rows(votable)
        assert told
        assert min(row["t_start"] for row in told) >= middle - 1e-8
        assert max(row["t_stop"] for row in told) <= middle + 0.01 + 1e-8
        _, votable = ask(client, TARGET=target.designation, TIME=everything(), MIN_OBS=longest.duration_s - 1)
        assert [row["t_observability"] for row in rows(votable)] == [pytest.approx(longest.duration_s, abs=0.01)]
        _, votable = ask(client, TARGET=target.designation, TIME="90000/90001")
        assert (rows(votable), statuses(votable)) == ([], ["OK"])

    def test_more_than_maxrec_is_an_overflow(self, client, target):
        query = {"TARGET": target.designation, "TIME": everything()}
        total = len(rows(ask(client, **query)[1]))
        _, votable = ask(client, **query, MAXREC=2)
        assert (len(rows(votable)), statuses(votable)) == (2, ["OVERFLOW"])
        assert statuses(ask(client, **query, MAXREC=total)[1]) == ["OK"]
        _, votable = ask(client, **query, MAXREC=0)
        assert (rows(votable), statuses(votable)) == ([], ["OK"])
        assert len(votable.get_first_table().fields) == 9

    def test_facilities_can_be_chosen(self, client, target):
        window = VisibilityWindow.objects.filter(target=target).first()
        place = window.telescope.observatory
        query = {"TARGET": target.designation, "TIME": everything()}
        chosen = rows(ask(client, **query, FACILITY=place.mpc_code.lower())[1])
        assert 0 < len(chosen) < len(rows(ask(client, **query)[1]))
        assert chosen == rows(ask(client, **query, FACILITY=chosen[0]["facility"])[1])

    def test_a_hidden_target_is_as_unknown_as_one_that_does_not_exist(self, client, signed_in_client, target):
        Target.objects.filter(pk=target.pk).update(visibility=Target.Visibility.SIGNED_IN)
        hidden = client.get(URL, {"TARGET": target.designation})
        unknown = client.get(URL, {"TARGET": "no such thing"})
        assert hidden.status_code == unknown.status_code == 400
        assert f"No target is called '{target.designation}'" in hidden.content.decode().replace("&#39;", "'")
        assert signed_in_client.get(URL, {"TARGET": target.designation}).status_code == 200

    def test_the_number_of_queries_does_not_grow(self, client, target, django_assert_num_queries):
        span = everything()
        for most in (1, 100):
            with django_assert_num_queries(5):
                client.get(URL, {"TARGET": target.designation, "TIME": span, "MAXREC": most})


class TestPositions:
    def test_windows_of_a_place_are_computed(self, client, network, short_horizon):
        _, votable = ask(client, POS="10.7,41.3")
        told = rows(votable)
        assert statuses(votable) == ["OK"]
        assert told
        assert [row["t_start"] for row in told] == sorted(row["t_start"] for row in told)
        now = to_mjd(clock.now())
        for row in told:
            assert now - 1e-3 <= row["t_start"] < row["t_stop"] < now + 5
            assert row["t_observability"] == pytest.approx((row["t_stop"] - row["t_start"]) * 86400, abs=0.01)
            assert 20.0 < row["elevation_max"] <= 90.0
            assert row["validity_accuracy"] == "HIGH"
        assert "target_name" not in told[0]

    def test_closed_and_retired_telescopes_are_left_out(self, client, network, short_horizon):
        first, second, *_ = network
        now = clock.now()
        Closure.objects.create(telescope=first, starts_at=now, ends_at=now + dt.timedelta(days=9), reason="x")
        Telescope.objects.filter(pk=second.pk).update(state=Telescope.State.RETIRED)
        told = {row["facility"] for row in rows(ask(client, POS="10.7,41.3")[1])}
        assert not any(name.startswith((f"{first.name},", f"{second.name},")) for name in told)
        answer, votable = ask(client, POS="10.7,41.3", FACILITY=second.name)
        assert (answer.status_code, statuses(votable)) == (400, ["ERROR"])

    def test_an_open_start_is_now_and_the_end_is_bounded(self, client, network, short_horizon):
        end = to_mjd(clock.now()) + 1.0
        _, votable = ask(client, POS="10.7,41.3", TIME=f"/{end}")
        assert max(row["t_stop"] for row in rows(votable)) <= end + 1e-8
        _, votable = ask(client, POS="10.7,41.3", TIME="10/99999")
        limit = next(info.value for info in votable.resources[0].infos if info.name == "T_MAX_HARD_LIMIT")
        assert max(row["t_stop"] for row in rows(votable)) <= float(limit) + 1e-6

    @pytest.mark.parametrize("place", ["0,90", "360,-90", "0,0"])
    @pytest.mark.parametrize("days", [1e-8, 1e-4, 2.0])
    def test_any_place_and_any_length_of_time_will_do(self, client, network, short_horizon, place, days):
        start = to_mjd(clock.now()) + 0.5
        _, votable = ask(client, POS=place, TIME=f"{start!r}/{start + days!r}")
        assert statuses(votable) == ["OK"]
        for row in rows(votable):
            assert start - 1e-8 <= row["t_start"] < row["t_stop"] <= start + days + 1e-8

    def test_without_telescopes_the_answer_is_empty(self, client):
        _, votable = ask(client, POS="10.7,41.3")
        assert (rows(votable), statuses(votable)) == ([], ["OK"])

    def test_the_number_of_queries_does_not_grow(self, client, network, short_horizon, django_assert_max_num_queries):
        with django_assert_max_num_queries(2):
            client.get(URL, {"POS": "10.7,41.3"})


class TestRefusals:
    @pytest.mark.parametrize(
        ("query", "told"),
        [
            ({}, "POS=ra,dec or TARGET"),
            ({"POS": "1,2", "TARGET": "Eros"}, "one of the two"),
            ({"POS": "1"}, "POS"),
            ({"POS": "1,2,3"}, "POS"),
            ({"POS": "361,2"}, "0 to 360"),
            ({"POS": "1,-91"}, "-90 to 90"),
            ({"POS": "nan,1"}, "nan"),
            ({"POS": "1,inf"}, "inf"),
            ({"POS": ["1,2", "3,4"]}, "2 times"),
            ({"POS": ""}, "empty"),
            ({"POS": "1,2", "TIME": "61000"}, "TIME"),
            ({"POS": "1,2", "TIME": "61001/61000"}, "later than the start"),
            ({"POS": "1,2", "TIME": "1e300/2e300"}, "TIME"),
            ({"POS": "1,2", "TIME": "2026-11-24/2026-11-25"}, "MJD"),
            ({"POS": "1,2", "MAXREC": "-1"}, "MAXREC"),
            ({"POS": "1,2", "MAXREC": "1.5"}, "MAXREC"),
            ({"POS": "1,2", "MIN_OBS": "long"}, "MIN_OBS"),
            ({"POS": "1,2", "MIN_OBS": "-1"}, "MIN_OBS"),
            ({"POS": "1,2", "RESPONSEFORMAT": "fits"}, "RESPONSEFORMAT"),
            ({"POS": "1,2", "FACILITY": "Barad-dûr"}, "Barad-dûr"),
            ({"POS": "1,2", "TIMES": "1/2"}, "TIMES is not a parameter"),
            ({"TARGET": "x\x00y"}, "x"),
        ],
    )
    def test_a_refusal_is_a_votable_that_says_why(self, client, query, told):
        answer, votable = ask(client, **query)
        assert answer.status_code == 400
        assert statuses(votable) == ["ERROR"]
        assert told in votable.resources[0].infos[0].content

    def test_what_is_posted_is_a_form(self, client):
        answer = client.post(URL, '{"POS": "1,2"}', content_type="application/json")
        assert answer.status_code == 400
        assert "form" in read(answer.content).resources[0].infos[0].content

    def test_other_methods_are_refused(self, client):
        assert client.put(URL).status_code == 405


class TestWithPyvo:
    def test_a_client_asks_and_reads(self, client, network, short_horizon):
        query = DALQuery("http://testserver/vo/objobs/query", session=session(client), POS="10.7,41.3", MAXREC=5)
        with pytest.warns(DALOverflowWarning):
            found = query.execute()
        assert isinstance(found, DALResults)
        assert len(found) == 5
        assert found.fieldname_with_ucd("time.start") == "t_start"
        assert found.fieldname_with_utype("Char.TimeAxis.Coverage.Support.Extent") == "t_observability"
        assert found.status[0] == "OVERFLOW"
        assert found["t_start"][0] < found["t_stop"][0]

    def test_an_error_reaches_the_client(self, client):
        query = DALQuery("http://testserver/vo/objobs/query", session=session(client), POS="400,0")
        with pytest.raises(Exception, match="400") as refusal:
            query.execute()
        assert "DAL" in type(refusal.value).__name__

    def test_the_service_describes_itself_with_its_answer(self, client, network, short_horizon):
        class Described(AdhocServiceResultsMixin, DALResults):
            pass

        votable = read(client.get(URL, {"POS": "10.7,41.3", "MAXREC": "0"}).content)
        found = Described(votable, session=session(client))
        service = found.get_adhocservice_by_ivoid(STANDARD)
        assert (service.name, service.utype) == ("this", "adhoc:service")
        params = {param.name: param.value for param in service.params}
        assert params["accessURL"] == "http://testserver/vo/objobs/query"
        (inputs,) = service.groups
        assert inputs.name == "inputParams"
        assert [param.name for param in inputs.entries][:3] == ["POS", "TARGET", "TIME"]

    def test_capabilities_name_the_three_addresses(self, client):
        content = client.get("/vo/objobs/capabilities").content
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            told = parse_capabilities(io.BytesIO(content), pedantic=True)
        addresses = {each.standardid: each.interfaces[0].accessurls[0].content for each in told}
        assert addresses == {
            "ivo://ivoa.net/std/VOSI#capabilities": "http://testserver/vo/objobs/capabilities",
            "ivo://ivoa.net/std/VOSI#availability": "http://testserver/vo/objobs/availability",
            STANDARD: "http://testserver/vo/objobs/query",
        }

    def test_it_is_available_while_windows_are_stored(self, client, short_horizon):
        def asked():
            content = client.get("/vo/objobs/availability").content
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                return parse_availability(io.BytesIO(content), pedantic=True)

        assert asked().available is False
        from coordination.visibility.models import Computation

        now = clock.now()
        Computation.objects.create(state="done", starts_at=now, ends_at=now + dt.timedelta(days=3))
        assert asked().available is True
        assert "Windows are stored until" in asked().notes[0]
