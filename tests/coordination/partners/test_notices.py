"""Who is told what, in the service."""

import datetime as dt

import pytest

from coordination.common import clock, following
from coordination.common.models import EventFailure
from coordination.partners.models import Notice, NotificationPreference
from coordination.partners.services import remove_old_notices
from observatories.models import Membership, User
from targets.models import Target

pytestmark = pytest.mark.django_db(transaction=True)


def told() -> list[str]:
    return list(Notice.objects.order_by("user__username").values_list("user__username", flat=True))


def test_every_member_of_the_organisations_concerned_gets_one_notice(people, tell):
    tell(people.alpha, people.beta)
    assert told() == ["ada", "ben", "cat"]


def test_others_get_none(people, tell):
    tell(people.beta)
    assert told() == ["ada", "cat"]


def test_who_left_or_is_not_active_gets_none(people, tell):
    Membership.objects.filter(user=people.ada, organisation=people.alpha).delete()
    User.objects.filter(pk=people.ben.pk).update(is_active=False)
    tell(people.alpha)
    assert told() == []


def test_a_member_who_joins_later_gets_no_old_notices(people, tell):
    tell(people.beta)
    Membership.objects.create(user=people.ben, organisation=people.beta)
    following.follow("notices")
    assert told() == ["ada", "cat"]


def test_who_did_it_finds_it_read_already(people, tell):
    tell(people.alpha, actor=people.ada)
    assert Notice.objects.get(user=people.ada).read_at is not None
    assert Notice.objects.get(user=people.ben).read_at is None


@pytest.mark.parametrize("path", ["https://evil.example.org/", "//evil.example.org/"])
def test_a_notice_that_breaks_the_contract_is_held_back_visibly(people, tell, path):
    tell(people.alpha, path=path)
    assert told() == []
    assert "path of a notice" in EventFailure.objects.get(reader="notices").error


def test_old_notices_go_once_they_were_read(people, tell, settings):
    settings.NOTICE_RETENTION_DAYS = 30
    tell(people.alpha, people.beta)
    long_ago = clock.now() - dt.timedelta(days=31)
    Notice.objects.filter(user=people.ada).update(read_at=long_ago)
    Notice.objects.filter(user=people.ben).update(read_at=long_ago, mail="failed")
    assert remove_old_notices(clock.now()) == 1
    assert told() == ["ben", "cat"], "kept while unread or while its mail is still to be sent"


class TestApi:
    def test_a_person_sees_own_notices_newest_first(self, client, people, tell, target):
        tell(people.alpha, title="first")
        tell(people.alpha, title="second: {target}", target=target, path="/admin/")
        tell(people.beta, title="of others")
        client.force_login(people.ben)
        rows = client.get("/api/v1/notices/").json()["results"]
        assert [row["title"] for row in rows] == ["second: 2024 YR4", "first"]
        newest = rows[0] | {"id": 0, "created_at": ""}
        assert newest == {
            "id": 0,
            "kind": "slot.confirmed",
            "title": "second: 2024 YR4",
            "text": "2024 YR4 is on.",
            "target": "2024 YR4",
            "path": "/admin/",
            "created_at": "",
            "read_at": None,
        }

    def test_pages_follow_each_other(self, client, people, tell):
        for number in range(3):
            tell(people.alpha, title=str(number))
        client.force_login(people.ben)
        page = client.get("/api/v1/notices/?limit=2").json()
        rest = client.get(page["next"]).json()
        assert [row["title"] for row in page["results"] + rest["results"]] == ["2", "1", "0"]
        assert rest["next"] is None

    def test_unread_ones_alone_and_marking_as_read(self, client, people, tell):
        for number in range(3):
            tell(people.alpha, title=str(number))
        client.force_login(people.ben)
        pk = Notice.objects.filter(user=people.ben, title="1").get().pk
        for _ in range(2):  # the second time changes nothing
            answer = client.post(f"/api/v1/notices/{pk}/read/")
            assert answer.status_code == 200
            assert answer.json()["read_at"] is not None
        unread = client.get("/api/v1/notices/?unread=true").json()["results"]
        assert [row["title"] for row in unread] == ["2", "0"]
        assert [row["title"] for row in client.get("/api/v1/notices/?unread=false").json()["results"]] == ["1"]
        assert client.post("/api/v1/notices/read-all/").json() == {"read": 2}
        assert client.get("/api/v1/notices/?unread=true").json()["results"] == []
        assert Notice.objects.filter(user=people.ada, read_at=None).count() == 3

    def test_the_notice_of_another_is_not_there(self, client, people, tell):
        tell(people.beta)
        client.force_login(people.ben)
        answer = client.post(f"/api/v1/notices/{Notice.objects.get(user=people.cat).pk}/read/")
        assert answer.status_code == 404
        assert not Notice.objects.filter(read_at__isnull=False).exists()

    @pytest.mark.parametrize("address", ["notices/", "me/preferences/"])
    def test_nobody_in_particular_has_notices(self, client, address):
        answer = client.get(f"/api/v1/{address}")
        assert (answer.status_code, answer["Content-Type"]) == (401, "application/problem+json")
        assert answer.json()["type"] == "urn:neo-coordination:problem:not-signed-in"

    def test_the_designation_is_shown_while_the_reader_may_know_it(self, client, people, tell, target):
        tell(people.alpha, target=target)
        client.force_login(people.ben)

        def row():
            return client.get("/api/v1/notices/").json()["results"][0]

        assert (row()["title"], row()["target"]) == ("Slot confirmed: 2024 YR4", "2024 YR4")
        Target.objects.update(visibility="campaign")
        assert row()["title"] == "Slot confirmed: a confidential target"
        assert "2024 YR4" not in str(row())
        Target.objects.update(visibility="signed_in")
        assert row()["text"] == "2024 YR4 is on."

    def test_preferences_have_defaults_and_are_changed_one_by_one(self, client, people):
        client.force_login(people.ben)
        assert client.get("/api/v1/me/preferences/").json() == {"email": "at_once", "daily_hour_utc": 6}
        answer = client.patch("/api/v1/me/preferences/", {"email": "daily"}, content_type="application/json")
        assert answer.json() == {"email": "daily", "daily_hour_utc": 6}
        assert NotificationPreference.objects.get().user == people.ben

    @pytest.mark.parametrize(("field", "value"), [("email", "hourly"), ("daily_hour_utc", 24), ("daily_hour_utc", "x")])
    def test_a_preference_that_makes_no_sense_is_refused_by_name(self, client, people, field, value):
        client.force_login(people.ben)
        answer = client.patch("/api/v1/me/preferences/", {field: value}, content_type="application/json")
        assert answer.status_code == 400
        assert [error["field"] for error in answer.json()["errors"]] == [field]

    def test_a_page_of_another_site_cannot_mark_notices_as_read(self, people):
        from django.test import Client

        browser = Client(enforce_csrf_checks=True)
        browser.force_login(people.ben)
        assert browser.post("/api/v1/notices/read-all/").status_code == 403


class TestAdmin:
    @pytest.fixture(autouse=True)
    def staff(self, people):
        User.objects.filter(username="ben").update(is_staff=True)

    def test_staff_see_own_notices_and_mark_them_as_read(self, client, people, tell, target):
        tell(people.alpha, target=target)
        Target.objects.update(visibility="campaign")
        client.force_login(people.ben)
        page = client.get("/admin/partners/notice/").content.decode()
        assert "Slot confirmed: a confidential target" in page
        assert "2024 YR4" not in page
        assert "ada" not in page
        own, other = (Notice.objects.get(user=user).pk for user in (people.ben, people.ada))
        detail = client.get(f"/admin/partners/notice/{own}/change/")
        assert detail.status_code == 200
        assert "2024 YR4" not in detail.content.decode()
        assert client.get(f"/admin/partners/notice/{other}/change/").status_code == 302
        client.post("/admin/partners/notice/", {"action": "mark_as_read", "_selected_action": [own, other]})
        assert list(Notice.objects.filter(read_at__isnull=False)) == [Notice.objects.get(pk=own)]

    def test_an_administrator_sees_whether_the_notices_of_others_were_delivered(self, admin_client, people, tell):
        tell(people.alpha)
        Notice.objects.update(mail="given_up", mail_error="SMTPConnectError: gone")
        assert "gone" not in admin_client.get("/admin/partners/notice/").content.decode()
        assert "SMTPConnectError: gone" in admin_client.get("/admin/partners/notice/?whose=all").content.decode()

    def test_staff_choose_how_they_are_told(self, client, people):
        client.force_login(people.ben)
        chosen = {"email": "daily", "daily_hour_utc": 5}
        assert client.post("/admin/partners/notificationpreference/add/", chosen).status_code == 302
        preference = NotificationPreference.objects.get()
        assert (preference.user, preference.email, preference.daily_hour_utc) == (people.ben, "daily", 5)
        again = client.post(
            f"/admin/partners/notificationpreference/{people.ben.pk}/change/", chosen | {"email": "off"}
        )
        assert again.status_code == 302
        assert NotificationPreference.objects.get().email == "off"
