"""Prints for the dome: what a night plan says, to whom, and that its figures are those of the commands."""

import csv
import datetime as dt
import io
import json
import re

import pytest
from django.core.management import call_command

from coordination.booking.models import Booking
from coordination.booking.services import book_telescope
from coordination.common.actors import SYSTEM
from coordination.web.dome import pdf
from coordination.web.dome.plan import night_plan
from coordination.web.dome.words import degrees, hours
from observatories.models import Closure, Membership, Organisation, User
from targets.models import Target
from tests.network import catalogue, network, well_placed

__all__ = ["catalogue", "network", "well_placed"]

FROM = dt.datetime(2027, 2, 2, 2, 0, tzinfo=dt.UTC)  # night of 1 February in Chile
MINUTE = dt.timedelta(minutes=1)
PLAN = "2027-02-01"


@pytest.fixture
def chile(well_placed, network):
    telescope = network[0]
    telescope.observatory.time_zone = "America/Santiago"
    telescope.observatory.save()
    return telescope


@pytest.fixture
def booking(chile, catalogue):
    target = catalogue["Ivar"]
    return book_telescope(
        chile.pk,
        observe_from=FROM,
        observe_until=FROM + 30 * MINUTE,
        target_id=target.pk,
        purpose="light curve, R filter",
    )


@pytest.fixture
def observer(client, chile):
    """A browser of somebody at the operating organisation."""
    user = User.objects.create_user("observer", is_staff=True)
    Membership.objects.create(user=user, organisation=chile.organisation, role="member")
    client.force_login(user)
    return client


def test_the_plan_says_when_it_is_dark_and_what_is_booked_in_both_times(observer, booking, chile):
    page = observer.get(f"/dome/telescopes/{chile.pk}/{PLAN}/").text
    assert "1 m at W84" in page
    assert "2027-02-01/02" in page
    assert "02:00–02:30 UTC (23:00–23:30)" in page
    assert "1627" in page
    assert "light curve, R filter" in page
    assert "Finder field 30′ × 30′; 3σ" in page
    assert "inside the field" in page
    for name in ("Sunset and sunrise", "Civil", "Nautical", "Astronomical"):
        assert name in page
    rows = re.findall(
        r"<td>(02:\d\d:00)</td><td>(23:\d\d)</td><td>(\d\d \d\d \d\d\.\d\d)</td><td>([+−]\d\d \d\d \d\d\.\d)</td>", page
    )
    assert [row[:2] for row in rows] == [("02:00:00", "23:00"), ("02:15:00", "23:15"), ("02:30:00", "23:30")]


def test_tonight_leads_to_the_night_of_the_place(observer, chile):
    answer = observer.get(f"/dome/telescopes/{chile.pk}/")
    assert answer.headers["Location"] == f"/dome/telescopes/{chile.pk}/2027-01-31/"  # before noon in Chile


def test_the_figures_are_those_of_the_ephemeris_command(booking, chile, capsys):
    entry = night_plan(chile.pk, dt.date(2027, 2, 1), SYSTEM).entries[0]
    out = io.StringIO()
    call_command(
        "ephemeris", "--target", "1627", "--site", "W84", "--start", "2027-02-02T02:00:00Z",
        "--stop", "2027-02-02T02:30:00Z", "--step", "15m", "--uncertainty", stdout=out,
    )  # fmt: skip
    wanted = list(csv.DictReader(io.StringIO(out.getvalue())))
    assert len(wanted) == len(entry.positions) == 3
    for row, position in zip(wanted, entry.positions, strict=True):
        assert position.ra_deg == pytest.approx(float(row["ra_deg"]), abs=1e-8)
        assert position.alt_deg == pytest.approx(float(row["alt_deg"]), abs=1e-6)
        assert position.unc_major_arcsec == pytest.approx(float(row["unc_major_arcsec"]), abs=1e-4)


def test_the_file_for_the_telescope_has_every_minute_as_csv_and_json(observer, booking):
    text = observer.get(f"/dome/bookings/{booking.pk}/ephemeris.csv")
    assert "attachment" in text.headers["Content-Disposition"]
    rows = list(csv.DictReader(io.StringIO(text.text)))
    assert len(rows) == 31
    assert rows[0]["utc"] == "2027-02-02T02:00:00.000Z"
    assert rows[-1]["utc"] == "2027-02-02T02:30:00.000Z"
    assert {"ra_deg", "dec_deg", "az_deg", "alt_deg", "rate_arcsec_min", "pa_deg", "v_mag", "unc_major_arcsec"} <= set(
        rows[0]
    )
    told = json.loads(observer.get(f"/dome/bookings/{booking.pk}/ephemeris.json?step=700").text)
    assert [each["utc"][11:19] for each in told] == ["02:00:00", "02:11:40", "02:23:20", "02:30:00"]
    assert told[0]["ra_deg"] == pytest.approx(float(rows[0]["ra_deg"]))


@pytest.mark.parametrize("step", ["0", "-1", "1e3", "abc", "²", "99999999"])
def test_a_step_that_is_none_is_refused(observer, booking, step):
    answer = observer.get(f"/dome/bookings/{booking.pk}/ephemeris.csv", {"step": step})
    assert answer.status_code == 400
    assert "number of seconds" in answer.text


def test_what_is_below_the_limit_of_the_telescope_is_said_loudly(observer, booking, chile, catalogue):
    Booking.objects.filter(pk=booking.pk).update(target=catalogue["Eros"])
    page = observer.get(f"/dome/telescopes/{chile.pk}/{PLAN}/").text
    assert "LOWER THAN THE TELESCOPE&#x27;S LIMIT of 20°: down to −" in page


def test_the_booking_in_the_administration_leads_there(observer, booking, chile):
    page = observer.get(f"/admin/booking/booking/{booking.pk}/change/").text
    for address in (f"/dome/telescopes/{chile.pk}/{PLAN}/", f"/dome/bookings/{booking.pk}/ephemeris.csv"):
        assert f'href="{address}"' in page
        assert observer.get(address).status_code == 200


def test_nobody_else_sees_the_plan_or_the_file(client, booking, chile):
    addresses = [f"/dome/telescopes/{chile.pk}/{PLAN}/", f"/dome/telescopes/{chile.pk}/{PLAN}.pdf",
                 f"/dome/bookings/{booking.pk}/ephemeris.csv"]  # fmt: skip
    for address in addresses:
        assert client.get(address).headers["Location"] == f"/sign-in/?next={address}"
    stranger = User.objects.create_user("stranger", is_staff=True)
    elsewhere = Organisation.objects.create(name="Elsewhere", slug="elsewhere")
    Membership.objects.create(user=stranger, organisation=elsewhere, role="manager")
    client.force_login(stranger)
    assert [client.get(address).status_code for address in addresses] == [404, 404, 404]
    Booking.objects.create(  # time that the operator lent them that night
        telescope=chile, organisation=elsewhere, state="confirmed", observe_from=FROM + 60 * MINUTE,
        observe_until=FROM + 90 * MINUTE, starts_at=FROM + 57 * MINUTE, ends_at=FROM + 90 * MINUTE, purpose="our own",
    )  # fmt: skip
    page = client.get(addresses[0])
    assert "our own" in page.text
    assert "light curve" not in page.text
    assert client.get(addresses[2]).status_code == 404


def test_a_target_that_the_reader_may_not_know_of_is_not_named_nor_placed(observer, booking, chile):
    Target.objects.filter(pk=booking.target_id).update(visibility="campaign")
    page = observer.get(f"/dome/telescopes/{chile.pk}/{PLAN}/").text
    assert "a target that is not public" in page
    assert "Ivar" not in page
    assert "RA (ICRF)" not in page
    assert observer.get(f"/dome/bookings/{booking.pk}/ephemeris.csv").status_code == 404


def test_released_time_is_not_printed_and_closures_are(observer, booking, chile):
    Booking.objects.filter(pk=booking.pk).update(state="released")
    Closure.objects.create(telescope=chile, starts_at=FROM, ends_at=FROM + 60 * MINUTE, reason="mirror cleaning")
    page = observer.get(f"/dome/telescopes/{chile.pk}/{PLAN}/").text
    assert "Nothing is booked." in page
    assert "Closed 02:00–03:00 UTC (23:00–00:00): mirror cleaning" in page


def test_what_has_no_orbit_says_so(observer, booking, chile):
    Target.objects.filter(pk=booking.target_id).update(current_orbit=None)
    page = observer.get(f"/dome/telescopes/{chile.pk}/{PLAN}/").text
    assert "No positions: The target has no orbit yet." in page
    assert observer.get(f"/dome/bookings/{booking.pk}/ephemeris.csv").status_code == 400


@pytest.mark.parametrize(
    ("night", "status"), [("2027-13-01", 404), ("tonight", 404), ("1492-01-01", 400), ("9999-12-31", 400)]
)
def test_nights_that_are_none_or_not_known(observer, chile, night, status):
    assert observer.get(f"/dome/telescopes/{chile.pk}/{night}/").status_code == status


def test_the_pdf_is_one_page_also_when_the_night_is_full(observer, chile, catalogue):
    names = list(catalogue.values())
    for k in range(12):
        starts_at = FROM - 60 * MINUTE + 35 * k * MINUTE
        book_telescope(
            chile.pk, observe_from=starts_at, observe_until=starts_at + 25 * MINUTE, target_id=names[k % 6].pk,
            purpose="Žluťoučký kůň ″ 近地",
        )  # fmt: skip
    answer = observer.get(f"/dome/telescopes/{chile.pk}/{PLAN}.pdf")
    assert answer.headers["Content-Type"] == "application/pdf"
    assert answer.content.startswith(b"%PDF-")
    assert len(re.findall(rb"/Type /Page\b", answer.content)) == 1


def test_letters_that_the_font_lacks_lose_their_accents_only():
    assert pdf._printable("Žluťoučký ″σ−° 近") == 'Žlutoučký "-sigma−° ?'.replace("č", pdf._printable("č"))


@pytest.mark.parametrize(
    ("degree", "ra", "dec"),
    [(0.0, "00 00 00.00", "+00 00 00.0"), (359.9999999, "00 00 00.00", None), (-0.5, None, "−00 30 00.0")],
)
def test_sexagesimal_figures_carry_over(degree, ra, dec):
    assert ra is None or hours(degree) == ra
    assert dec is None or degrees(degree) == dec
