"""Signing in: where one arrives, locks, the second factor, invitations, and what survives a lost session."""

import datetime as dt
import logging
import re
import time

import pytest
from axes.models import AccessAttempt
from django.core import mail
from django.core.management import call_command
from django.test import Client
from django_otp.oath import TOTP
from django_otp.plugins.otp_static.models import StaticToken
from django_otp.plugins.otp_totp.models import TOTPDevice

from coordination.common.models import Event
from coordination.common.secrecy import HideSecrets
from observatories import services
from observatories.models import Closure, Invitation, Membership, Organisation, User
from tests.observatories.conftest import observatory, organisation, person, telescope

__all__ = ["observatory", "organisation", "person", "telescope"]

PASSWORD = "pass-for-tests"


def sign_in(client, username, password=PASSWORD, **further):
    return client.post("/sign-in/", {"username": username, "password": password, **further})


def code_of(user, steps=0) -> str:
    device = TOTPDevice.objects.get(user=user)
    totp = TOTP(device.bin_key)
    totp.time = time.time() + 30 * steps
    return f"{totp.token():06d}"


@pytest.fixture
def enrolled(person):
    """A scheduler with a second factor, and the recovery codes."""
    user = person("sam", "scheduler")
    services.begin_second_factor(user.pk)
    codes = services.confirm_second_factor(user.pk, code_of(user, steps=-1))
    user.refresh_from_db()
    return user, codes


@pytest.mark.parametrize(
    ("role", "landing"),
    [("member", "/"), ("scheduler", "/admin/desk/tonight/"), ("manager", "/admin/desk/tonight/")],
)
def test_one_arrives_where_ones_role_has_its_work(client, person, role, landing):
    person("ann", role)
    assert sign_in(client, "ann").headers["Location"] == landing
    assert client.get("/sign-in/landing/").headers["Location"] == landing


def test_an_administrator_arrives_in_the_administration(client, db):
    User.objects.create_superuser("root", password=PASSWORD)
    assert sign_in(client, "root").headers["Location"] == "/admin/"


@pytest.mark.parametrize(
    ("wanted", "reached"),
    [
        ("/admin/observatories/closure/?q=1", "/admin/observatories/closure/?q=1"),
        ("https://elsewhere.example/", "/"),
        ("//elsewhere.example/", "/"),
        ("javascript:alert(1)", "/"),
    ],
)
def test_the_page_one_wanted_is_reached_only_on_this_host(client, person, wanted, reached):
    person("ann", "member")
    assert sign_in(client, "ann", next=wanted).headers["Location"] == reached


def test_the_administration_asks_with_the_same_page_and_goes_on(client, person):
    person("ann", "scheduler")
    page = client.get("/admin/", follow=True)
    assert page.redirect_chain[-1][0] == "/admin/login/?next=/admin/"
    assert 'name="next" value="/admin/"' in page.text
    assert (
        client.post("/admin/login/", {"username": "ann", "password": PASSWORD, "next": "/admin/"})["Location"]
        == "/admin/"
    )


def test_who_may_not_open_a_page_is_told_and_not_sent_in_a_circle(client, db):
    User.objects.create_user("visitor", password=PASSWORD)
    page = client.post("/sign-in/", {"username": "visitor", "password": PASSWORD, "next": "/admin/"}, follow=True)
    assert page.status_code == 200
    assert "for whom /admin/ is not open" in page.text


def lock(client, username="ann", **further):
    for _ in range(5):
        answer = client.post("/sign-in/", {"username": username, "password": "wrong"}, **further)
    return answer


def test_five_wrong_passwords_lock_the_name_there_and_the_page_says_until_when(client, person):
    person("ann", "scheduler")
    answer = lock(client)
    assert answer.status_code == 429
    until = re.search(r"locked here until (\d{4}-\d\d-\d\d \d\d:\d\d:\d\d) UTC", answer.text)[1]
    left = dt.datetime.fromisoformat(until + "+00:00") - dt.datetime.now(dt.UTC)
    assert dt.timedelta(minutes=14) < left <= dt.timedelta(minutes=15)
    right = sign_in(client, "ann")
    assert right.status_code == 429
    assert until in right.text  # trying goes on, the time does not move
    assert "_auth_user_id" not in client.session


def test_a_lock_ends_with_its_time(client, person):
    person("ann", "member")
    lock(client)
    AccessAttempt.objects.update(attempt_time=dt.datetime.now(dt.UTC) - dt.timedelta(minutes=15, seconds=1))
    assert sign_in(client, "ann").status_code == 302


def test_names_that_nobody_has_are_locked_in_the_same_words(client, person):
    person("ann", "member")
    known, unknown = lock(client).text, lock(client, "nobody").text
    token = re.compile(r'value="[A-Za-z0-9]{64}"|nobody|ann|\d\d:\d\d:\d\d')
    assert token.sub("", known) == token.sub("", unknown)


def test_a_lock_holds_for_the_address_behind_trusted_proxies_only(client, person, settings):
    settings.TRUSTED_PROXIES = 1
    person("ann", "member")
    lock(client, headers={"x-forwarded-for": "198.51.100.1, 203.0.113.7"})
    attempt = AccessAttempt.objects.get()
    assert attempt.ip_address == "203.0.113.7"  # what stands before was written by the caller
    there = {"x-forwarded-for": "203.0.113.8"}
    assert client.post("/sign-in/", {"username": "ann", "password": PASSWORD}, headers=there).status_code == 302


def test_an_ipv6_network_counts_as_one_and_junk_as_the_proxy(client, person, settings):
    settings.TRUSTED_PROXIES = 1
    person("ann", "member")
    for text in ("2001:db8::1", "2001:db8::2", "junk'); --"):
        client.post("/sign-in/", {"username": "ann", "password": "no"}, headers={"x-forwarded-for": text})
    assert set(AccessAttempt.objects.values_list("ip_address", "failures_since_start")) == {
        ("2001:db8::", 2), ("127.0.0.1", 1),
    }  # fmt: skip


def test_what_is_kept_of_a_wrong_attempt_holds_no_secret(client, person):
    person("ann", "member")
    typed = '{"address": "/admin/", "fields": [["note", "of nobody else"]], "left_out": []}'
    client.post("/sign-in/", {"username": "ann", "password": "almost-right", "typed": typed})
    kept = AccessAttempt.objects.get().post_data
    assert "almost-right" not in kept
    assert "of nobody else" not in kept


def test_an_administrator_unlocks_in_the_admin_and_by_command(client, admin_client, person):
    person("ann", "member")
    lock(client)
    ids = list(AccessAttempt.objects.values_list("pk", flat=True))
    assert "ann" in admin_client.get("/admin/axes/accessattempt/").text
    admin_client.post("/admin/axes/accessattempt/", {"action": "unlock", "_selected_action": ids})
    assert sign_in(client, "ann").status_code == 302
    client.logout()
    lock(client)
    call_command("unlock", "ann")
    assert sign_in(client, "ann").status_code == 302
    assert Event.objects.filter(kind="person.unlocked").count() == 2


def test_staff_who_are_no_administrators_see_no_locks(client, person):
    client.force_login(person("mia", "manager"))
    assert client.get("/admin/axes/accessattempt/").status_code == 403


# --- second factor


def test_enrolment_shows_a_code_to_scan_confirms_it_and_tells_recovery_codes_once(client, person):
    user = person("sam", "scheduler")
    client.force_login(user)
    page = client.post("/account/second-factor/begin/", follow=True)
    assert "<svg" in page.text
    assert "Your password alone signs you in" in client.get("/account/").text  # nothing has changed yet
    wrong = client.post("/account/second-factor/", {"code": "000000"})
    assert "not the code that the telephone shows" in wrong.text
    TOTPDevice.objects.update(throttling_failure_count=0)
    done = client.post("/account/second-factor/", {"code": code_of(user)})
    codes = re.findall(r"<li>([a-z2-9]{5}-[a-z2-9]{5})</li>", done.text)
    assert len(set(codes)) == 10
    page = client.get("/account/")  # this session goes on
    assert page.status_code == 200
    assert not any(code in page.text for code in codes)
    assert not set(StaticToken.objects.values_list("token", flat=True)) & set(codes)
    told = " ".join(str((event.kind, event.payload)) for event in Event.objects.all())
    assert TOTPDevice.objects.get().key not in told
    assert "person.second_factor_on" in told


def test_the_second_step_is_asked_for_and_nothing_is_open_before_it(client, enrolled):
    user, _ = enrolled
    page = sign_in(client, "sam", next="/admin/")
    assert "Second step" in page.text
    assert client.get("/admin/").status_code == 302
    assert client.get("/api/v1/me/").status_code == 401
    wrong = client.post("/sign-in/code/", {"code": "123456", "next": "/admin/"})
    assert "not right" in wrong.text
    paused = client.post("/sign-in/code/", {"code": code_of(user), "next": "/admin/"})
    assert "Too many wrong codes" in paused.text
    TOTPDevice.objects.update(throttling_failure_count=0)
    answer = client.post("/sign-in/code/", {"code": code_of(user), "next": "/admin/"})
    assert answer.headers["Location"] == "/admin/"
    assert client.get("/admin/").status_code == 200


def test_a_code_works_once_and_a_recovery_code_too(client, enrolled):
    user, codes = enrolled
    code = code_of(user)
    for used, right in ((code, True), (code, False), (codes[0].upper(), True), (codes[0], False)):
        TOTPDevice.objects.update(throttling_failure_count=0)
        client.logout()
        sign_in(client, "sam")
        assert (client.post("/sign-in/code/", {"code": used}).status_code == 302) is right


def test_a_session_from_before_the_second_factor_is_nobodys(client, person):
    user = person("sam", "scheduler")
    elsewhere = Client()
    elsewhere.force_login(user)
    assert elsewhere.get("/admin/").status_code == 200
    services.begin_second_factor(user.pk)
    services.confirm_second_factor(user.pk, code_of(user))
    assert elsewhere.get("/admin/").status_code == 302
    assert elsewhere.get("/api/v1/me/").status_code == 401


def test_the_second_step_without_the_first_begins_again(client, enrolled):
    user, _ = enrolled
    assert client.get("/sign-in/code/").headers["Location"] == "/sign-in/"
    assert client.post("/sign-in/code/", {"code": code_of(user)}).headers["Location"] == "/sign-in/"


def test_the_first_step_is_forgotten_after_a_while_and_with_the_password(client, enrolled):
    user, _ = enrolled
    sign_in(client, "sam")
    session = client.session
    session["sign_in_pending"] = session["sign_in_pending"] | {"at": time.time() - 301}
    session.save()
    assert client.post("/sign-in/code/", {"code": code_of(user)}).headers["Location"] == "/sign-in/"
    sign_in(client, "sam")
    user.set_password("another-one-now")
    user.save()
    assert client.post("/sign-in/code/", {"code": code_of(user)}).headers["Location"] == "/sign-in/"


def test_switching_off_asks_for_the_password(client, enrolled):
    user, codes = enrolled
    sign_in(client, "sam")
    client.post("/sign-in/code/", {"code": codes[0]})
    assert "not your password" in client.post("/account/second-factor/off/", {"password": "wrong"}).text
    assert client.post("/account/second-factor/off/", {"password": PASSWORD}, follow=True).status_code == 200
    user.refresh_from_db()
    assert user.second_factor_at is None
    assert not TOTPDevice.objects.exists()
    client.logout()
    assert sign_in(client, "sam").status_code == 302


def test_new_recovery_codes_make_the_old_ones_worthless(client, enrolled):
    user, codes = enrolled
    sign_in(client, "sam")
    client.post("/sign-in/code/", {"code": codes[0]})
    page = client.post("/account/second-factor/codes/", {"password": PASSWORD})
    assert len(re.findall(r"<li>[a-z2-9]{5}-[a-z2-9]{5}</li>", page.text)) == 10
    assert not services.verify_second_factor(user.pk, codes[1]).accepted


def test_administrators_help_who_lost_the_telephone(admin_client, client, enrolled):
    user, _ = enrolled
    page = admin_client.get("/admin/observatories/user/")
    assert "Switch off the second factor" in page.text
    action = {"action": "switch_off_second_factor", "_selected_action": [user.pk]}
    admin_client.post("/admin/observatories/user/", action)
    assert sign_in(client, "sam").status_code == 302
    services.begin_second_factor(user.pk)
    services.confirm_second_factor(user.pk, code_of(user))
    call_command("remove_second_factor", "sam")
    client.logout()
    assert sign_in(client, "sam").status_code == 302


# --- passwords


def test_a_weak_password_is_refused_with_the_rule(client, person):
    client.force_login(person("ann", "member"))
    given = {"old_password": PASSWORD, "new_password1": "short", "new_password2": "short"}
    assert "at least 10 characters" in client.post("/account/password/", given).text
    good = {"old_password": PASSWORD, "new_password1": "night-sky-42-x", "new_password2": "night-sky-42-x"}
    assert client.post("/account/password/", good).headers["Location"] == "/account/"
    assert client.get("/account/").status_code == 200


def test_without_mail_there_is_no_lost_password_page(client, db):
    assert client.get("/lost-password/").status_code == 404
    assert "Forgotten the password? A manager" in client.get("/sign-in/").text


def test_a_lost_password_is_replaced_by_a_link_in_the_mail_and_the_code_is_still_asked_for(client, enrolled, settings):
    settings.EMAIL_URL = "smtp://mail.example.org"
    settings.PUBLIC_URL = "https://neo.example.org"
    user, _ = enrolled
    user.email = "sam@example.org"
    user.save()
    assert 'href="/lost-password/"' in client.get("/sign-in/").text
    unknown = client.post("/lost-password/", {"email": "nobody@example.org"})
    known = client.post("/lost-password/", {"email": "sam@example.org"})
    assert unknown.headers["Location"] == known.headers["Location"]
    assert [each.to for each in mail.outbox] == [["sam@example.org"]]
    path = re.search(r"https://neo\.example\.org(/lost-password/\S+)", mail.outbox[0].body)[1]
    form = client.get(path, follow=True)
    here = form.redirect_chain[-1][0]
    new = {"new_password1": "quite-another-sky", "new_password2": "quite-another-sky"}
    assert client.post(here, new).headers["Location"] == "/sign-in/"
    assert "Second step" in sign_in(client, "sam", "quite-another-sky").text
    assert "was used" in Client().get(path, follow=True).text


# --- invitations


@pytest.fixture
def manager(client, person):
    user = person("mia", "manager")
    client.force_login(user)
    return user


def invite(client, organisation, **further):
    given = {"organisation": organisation.pk, "role": "scheduler", "email": "", **further}
    return client.post("/admin/observatories/invitation/add/", given, follow=True)


def link_in(page) -> str:
    return re.search(r"http://testserver(/invitation/[^<\s\"]+)", page.text)[1]


NEW = {"username": "newt", "password": "a-new-colleague", "again": "a-new-colleague", "email": "newt@example.org"}


def test_a_colleague_joins_by_a_link_that_works_once(client, manager, organisation):
    path = link_in(invite(client, organisation))
    newcomer = Client()
    assert organisation.name in newcomer.get(path).text
    weak = newcomer.post(path, NEW | {"password": "newt", "again": "newt"})
    assert "at least 10 characters" in weak.text
    assert newcomer.post(path, NEW).headers["Location"] == "/admin/desk/tonight/"
    assert newcomer.get("/admin/desk/tonight/").status_code == 200
    assert Membership.objects.get(user__username="newt").role == "scheduler"
    again = Client().get(path)
    assert again.status_code == 404
    assert "was used" in again.text
    event = Event.objects.get(kind="invitation.accepted")
    assert event.payload["notice"]["roles"] == ["manager"]


def test_an_invitation_ends_with_its_time_its_withdrawal_and_its_inviters_role(client, manager, organisation):
    paths = [link_in(invite(client, organisation)) for _ in range(3)]
    first, second, _ = Invitation.objects.order_by("pk")
    Invitation.objects.filter(pk=first.pk).update(expires_at=dt.datetime.now(dt.UTC))
    client.post(f"/admin/observatories/invitation/{second.pk}/withdraw/")
    assert [Client().get(path).status_code for path in paths] == [404, 404, 200]
    Membership.objects.filter(user=manager).update(role="member")
    assert Client().get(paths[2]).status_code == 404
    assert Client().post(paths[2], NEW).status_code == 404
    assert not User.objects.filter(username="newt").exists()


def test_a_link_that_nobody_made_opens_nothing(client, manager, organisation):
    path = link_in(invite(client, organisation))
    assert Client().get(path[:-2] + "x/").status_code == 404
    assert Client().get(f"/invitation/{Invitation.objects.get().pk}/").status_code == 404


def test_managers_invite_into_their_own_organisation_only(client, manager, organisation, person):
    other = Organisation.objects.create(name="Elsewhere", slug="elsewhere")
    assert "Select a valid choice" in invite(client, other).text
    with pytest.raises(services.people.DomainError, match="Only managers"):
        services.invite(other.pk, role="member", actor=manager)
    assert not Invitation.objects.exists()
    client.force_login(person("sam", "scheduler"))
    assert client.get("/admin/observatories/invitation/add/").status_code == 403


def test_colleagues_see_that_there_is_an_invitation_but_not_its_link(client, manager, organisation, person):
    invite(client, organisation)
    pk = Invitation.objects.get().pk
    client.force_login(person("sam", "scheduler"))
    page = client.get(f"/admin/observatories/invitation/{pk}/change/")
    assert page.status_code == 200
    assert "/invitation/" not in page.text.replace("/observatories/invitation/", "")
    client.force_login(person("eve", "manager", at=Organisation.objects.create(name="Elsewhere", slug="elsewhere")))
    assert client.get(f"/admin/observatories/invitation/{pk}/change/").status_code == 302


def test_who_has_an_account_joins_with_it(client, manager, organisation, person):
    path = link_in(invite(client, organisation, role="member"))
    known = person("old-hand")
    browser = Client()
    browser.force_login(known)
    assert "Join as old-hand" in browser.get(path).text
    browser.post(path)
    assert Membership.objects.get(user=known).role == "member"


def test_the_link_goes_by_mail_where_mail_is_sent(client, manager, organisation, settings):
    settings.EMAIL_URL = "smtp://mail.example.org"
    page = invite(client, organisation, email="newt@example.org")
    assert mail.outbox[0].to == ["newt@example.org"]
    assert link_in(page) in mail.outbox[0].body


@pytest.mark.parametrize("address", ["/invitation/12:secret-part/", "/lost-password/MQ/secret-part/"])
def test_links_that_open_something_are_not_in_the_logs(address):
    record = logging.LogRecord("django.request", logging.WARNING, "", 0, "Not Found: %s", (address,), None)
    assert HideSecrets().filter(record)
    assert "secret-part" not in record.getMessage()
    assert address.split("/")[1] in record.getMessage()


# --- a lost session


def typed_form(telescope):
    return {
        "telescope": telescope.pk, "starts_at_0": "2027-03-01", "starts_at_1": "20:00:00",
        "ends_at_0": "2027-03-01", "ends_at_1": "23:00:00", "reason": "Mirror <washing> & \"cleaning\"",
        "_save": "Save",
    }  # fmt: skip


def test_a_lost_session_keeps_what_was_typed_and_sends_it_only_when_told(person, telescope):
    person("sam", "scheduler")
    browser = Client(enforce_csrf_checks=True)
    token = browser.get("/sign-in/").cookies["csrftoken"].value
    page = browser.post("/admin/observatories/closure/add/", typed_form(telescope) | {"csrfmiddlewaretoken": token})
    assert page.status_code == 200
    assert "Your session has ended" in page.text
    carried = page.context["typed"].as_text()
    given = {"username": "sam", "password": "wrong", "typed": carried, "csrfmiddlewaretoken": token}
    assert browser.post("/sign-in/", given).context["typed"].as_text() == carried
    shown = browser.post("/sign-in/", given | {"password": PASSWORD})
    assert "Mirror &lt;washing&gt; &amp; &quot;cleaning&quot;" in shown.text
    assert not Closure.objects.exists()
    fresh = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', shown.text)[1]
    fields = dict(shown.context["typed"].fields) | {"csrfmiddlewaretoken": fresh}
    assert fields["reason"] == typed_form(telescope)["reason"]
    assert browser.post("/admin/observatories/closure/add/", fields).status_code == 302
    assert Closure.objects.get().reason == typed_form(telescope)["reason"]


def test_what_was_typed_survives_the_second_step(client, enrolled, telescope):
    _, codes = enrolled
    page = client.post("/admin/observatories/closure/add/", typed_form(telescope))
    page = sign_in(client, "sam", typed=page.context["typed"].as_text())
    assert "Second step" in page.text
    page = client.post("/sign-in/code/", {"code": codes[0], "typed": page.context["typed"].as_text()})
    assert "What you typed is here" in page.text
    assert not Closure.objects.exists()


def test_a_form_of_another_site_is_refused_and_not_kept(telescope):
    browser = Client(enforce_csrf_checks=True)
    assert browser.post("/admin/observatories/closure/add/", typed_form(telescope)).status_code == 403


def test_passwords_and_files_are_not_carried_along(client, db):
    from django.core.files.uploadedfile import SimpleUploadedFile

    given = {
        "username": "x",
        "password1": "hidden-word",
        "mpc_code": "W84",
        "file": SimpleUploadedFile("mask.csv", b"1,2"),
    }
    page = client.post("/admin/observatories/user/add/", given)
    assert "hidden-word" not in page.text
    assert page.context["typed"].left_out == ("password1", "file")
    assert ("mpc_code", "W84") in page.context["typed"].fields


@pytest.mark.parametrize(
    "address", ["https://elsewhere.example/", "//elsewhere.example/", "javascript:x", "admin/", "/\\e.org"]
)
def test_what_was_typed_is_sent_to_this_site_only(client, person, address):
    import json

    person("ann", "member")
    typed = json.dumps({"address": address, "fields": [["a", "b"]], "left_out": []})
    answer = sign_in(client, "ann", typed=typed)
    assert answer.status_code == 302
    assert answer.headers["Location"] == "/"


def test_signing_out_of_the_administration_is_no_lost_session(client, person):
    client.force_login(person("ann", "member"))
    assert client.post("/sign-out/").headers["Location"] == "/sign-in/"
    client.force_login(User.objects.get(username="ann"))
    assert client.post("/admin/logout/").status_code == 302


def test_a_form_from_before_one_signed_in_anew_is_refused_and_shows_what_was_typed(person):
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(person("mia", "manager"))
    typed = {"reason": "Mirror washing", "password": "secret-word", "csrfmiddlewaretoken": "x" * 32}
    refused = browser.post("/admin/observatories/closure/add/", typed)
    assert refused.status_code == 403
    assert "Mirror washing" in refused.text
    assert "secret-word" not in refused.text
    assert not Closure.objects.exists()
    elsewhere = browser.post("/account/password/", typed, headers={"origin": "https://elsewhere.example"})
    assert elsewhere.status_code == 403
    assert "Mirror washing" not in elsewhere.text
