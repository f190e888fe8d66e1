"""Parameters of the Virtual Observatory: whatever is sent, an answer or a refusal that says why."""

import contextlib
import datetime as dt

import pytest
from django.test import RequestFactory
from hypothesis import given
from hypothesis import strategies as st

from coordination.common.problems import DomainError
from coordination.feeds import dali

NOW = dt.datetime(2026, 11, 24, 12, tzinfo=dt.UTC)


@given(text=st.text(max_size=30) | st.from_regex(r"[-+0-9.eEinfa/, ]{0,20}", fullmatch=True))
def test_any_text_is_read_or_refused(text):
    asked = {name: [text] for name in ("POS", "TIME", "MAXREC", "RESPONSEFORMAT")}
    for read in (
        dali.position,
        lambda given: dali.time_range(given, NOW),
        lambda given: dali.maxrec(given, 10, 100),
        lambda given: dali.response_format(given, ["votable", "json"]),
    ):
        with contextlib.suppress(DomainError):
            read(asked)


@given(ra=st.floats(0, 360), dec=st.floats(-90, 90))
def test_positions_are_read_as_they_are_written(ra, dec):
    assert dali.position({"POS": [f"{ra!r},{dec!r}"]}) == (ra, dec)


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        ("61368/61369.5", dt.datetime(2026, 11, 24, tzinfo=dt.UTC), dt.datetime(2026, 11, 25, 12, tzinfo=dt.UTC)),
        ("61368 61369", dt.datetime(2026, 11, 24, tzinfo=dt.UTC), dt.datetime(2026, 11, 25, tzinfo=dt.UTC)),
        ("/61370", NOW, dt.datetime(2026, 11, 26, tzinfo=dt.UTC)),
        ("-Inf 61370", NOW, dt.datetime(2026, 11, 26, tzinfo=dt.UTC)),
        ("61368/", dt.datetime(2026, 11, 24, tzinfo=dt.UTC), None),
        ("61368 +Inf", dt.datetime(2026, 11, 24, tzinfo=dt.UTC), None),
    ],
)
def test_times_are_modified_julian_dates_in_utc(text, start, end):
    assert dali.time_range({"TIME": [text]}, NOW) == (start, end)


@given(instant=st.datetimes(dt.datetime(1900, 1, 1), dt.datetime(2200, 1, 1), timezones=st.just(dt.UTC)))
def test_dates_come_back(instant):
    start, _ = dali.time_range({"TIME": [f"{dali.to_mjd(instant)!r}/"]}, NOW)
    assert abs(start - instant) < dt.timedelta(microseconds=10)


def test_query_and_form_are_read_together_and_names_in_any_case():
    request = RequestFactory().post("/?Pos=1,2&facility=W84", {"FACILITY": "J04 ", "time": "1/2"})
    assert dali.parameters(request) == {"POS": ["1,2"], "FACILITY": ["W84", "J04"], "TIME": ["1/2"]}


@pytest.mark.parametrize("name", ["REQUEST", "VERSION", "RUNID", "LANG"])
def test_what_clients_send_everywhere_is_no_misspelling(name):
    dali.require_known({name: [""], "POS": ["1,2"]}, {"POS"})
    with pytest.raises(DomainError, match="there are POS"):
        dali.require_known({f"{name}S": ["1"]}, {"POS"})
