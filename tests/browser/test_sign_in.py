"""Signing in as a person does it: a lock, a second factor by keyboard, a session that was lost; and the print."""

import re
import time
from pathlib import Path

import pytest
from django.contrib.sessions.models import Session
from django_otp.oath import TOTP
from django_otp.plugins.otp_totp.models import TOTPDevice
from playwright.sync_api import expect

from coordination.booking.services import book_telescope
from observatories.models import Closure, Membership, User
from tests.browser.looking import SHOTS, serious, shot
from tests.coordination.web.test_dome import FROM, MINUTE, PLAN

pytestmark = pytest.mark.django_db(transaction=True)

PASSWORD = "pass-for-tests"


def look_at(page, name: str) -> None:
    shot(page, name)
    assert serious(page) == [], name


@pytest.fixture
def scheduler(network) -> User:
    user = User.objects.create_user("sam", "sam@example.org", PASSWORD, is_staff=True)
    Membership.objects.create(user=user, organisation=network[0].organisation, role="scheduler")
    return user


def sign_in(page, password: str = PASSWORD) -> None:
    page.get_by_label("Username").fill("sam")
    page.get_by_label("Password").fill(password)
    page.keyboard.press("Enter")


def test_a_name_is_locked_after_five_wrong_passwords_and_the_page_says_until_when(page, scheduler):
    page.goto("/sign-in/")
    expect(page.get_by_label("Username")).to_be_focused()
    look_at(page, "sign-in")
    for _ in range(5):
        sign_in(page, "wrong")
        expect(page.get_by_role("alert")).to_be_visible()
    expect(page.get_by_role("alert")).to_contain_text(
        re.compile(r"locked here until \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC")
    )
    look_at(page, "locked")
    sign_in(page)
    expect(page.get_by_role("alert")).to_contain_text("locked here until")
    page.set_viewport_size({"width": 360, "height": 740})
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


def test_a_second_factor_is_set_up_and_asked_for(page, scheduler):
    page.goto("/account/")
    sign_in(page)
    page.get_by_role("button", name="Set up a second factor").press("Enter")
    expect(page.get_by_role("img", name="QR code")).to_be_visible()
    look_at(page, "second-factor")
    device = TOTPDevice.objects.get()
    page.get_by_label("Code that it shows now").fill(f"{code(device, -1):06d}")
    page.keyboard.press("Enter")
    expect(page.locator("main").get_by_role("listitem")).to_have_count(10)
    look_at(page, "recovery-codes")
    page.get_by_role("link", name="I have them").press("Enter")
    expect(page.get_by_text("10 recovery codes are left")).to_be_visible()
    look_at(page, "account")
    page.get_by_role("button", name="Sign out").press("Enter")
    sign_in(page)
    expect(page.get_by_label("Code")).to_be_focused()
    look_at(page, "second-step")
    page.keyboard.type(f"{code(device):06d}")
    page.keyboard.press("Enter")
    page.wait_for_url("**/admin/desk/tonight/")


def code(device: TOTPDevice, steps: int = 0) -> int:
    totp = TOTP(device.bin_key)
    totp.time = time.time() + 30 * steps
    return totp.token()


def test_what_was_typed_is_there_after_the_session_was_lost(page, scheduler, network):
    page.goto("/admin/observatories/closure/add/")
    sign_in(page)
    page.locator("[name=reason]").fill("Mirror washing, \n two hands")
    page.locator("[name=starts_at_0]").fill("2027-03-01")
    page.locator("[name=starts_at_1]").fill("20:00:00")
    page.locator("[name=ends_at_0]").fill("2027-03-01")
    page.locator("[name=ends_at_1]").fill("23:00:00")
    page.evaluate(
        "pk => { const s = document.querySelector('[name=telescope]'); s.add(new Option('it', pk, true, true)); }",
        network[0].pk,
    )
    Session.objects.all().delete()
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("Your session has ended")).to_be_visible()
    sign_in(page)
    expect(page.get_by_text("What you typed is here")).to_be_visible()
    expect(page.get_by_role("row").filter(has_text="reason")).to_contain_text("Mirror washing")
    expect(page.get_by_role("row").filter(has_text="starts at")).to_contain_text("2027-03-01 20:00:00")
    look_at(page, "typed")
    assert not Closure.objects.exists()
    page.get_by_role("button", name="Send it now").click()
    page.wait_for_url("**/admin/observatories/closure/")
    assert Closure.objects.get().starts_at.isoformat() == "2027-03-01T20:00:00+00:00"


def test_the_plan_prints_on_one_page(page, scheduler, well_placed, catalogue, network):
    for k, name in enumerate(("Ivar", "Eros", "Ganymed", "Sisyphus")):
        starts_at = FROM + 40 * k * MINUTE
        book_telescope(
            network[0].pk, observe_from=starts_at, observe_until=starts_at + 30 * MINUTE,
            target_id=catalogue[name].pk, purpose="light curve, R filter",
        )  # fmt: skip
    page.goto(f"/dome/telescopes/{network[0].pk}/{PLAN}/")
    sign_in(page)
    expect(page.get_by_role("heading", level=2)).to_have_count(4, timeout=60_000)  # ms: the first reads the planets
    page.wait_for_load_state()  # with its styles, which come after its headings
    look_at(page, "plan")
    printed = page.pdf(prefer_css_page_size=True)
    assert len(re.findall(rb"/Type /Page\b", printed)) == 1
    if SHOTS:
        Path(SHOTS, "plan-html.pdf").write_bytes(printed)
        Path(SHOTS, "plan.pdf").write_bytes(page.request.get(f"/dome/telescopes/{network[0].pk}/{PLAN}.pdf").body())
