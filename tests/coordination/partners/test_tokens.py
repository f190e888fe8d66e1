"""Tokens: what a partner's system may do with one, and how it is made, replaced and revoked."""

import datetime as dt
import hashlib
from io import StringIO

import pytest
import time_machine
from django.contrib.auth.models import AnonymousUser
from django.core.management import CommandError, call_command
from django.test import Client, RequestFactory
from django.urls import get_resolver, reverse
from rest_framework.test import APIClient
from rest_framework.viewsets import ViewSetMixin

from coordination.common import clock
from coordination.common.actors import actor_of
from coordination.common.models import Event
from coordination.common.problems import ConflictError, DomainError, ForbiddenError
from coordination.common.scopes import Scope, require_scope, scope_of
from coordination.partners.models import PartnerToken
from coordination.partners.services import create_token, revoke_token, rotate_token
from observatories.models import Membership, Organisation, Telescope
from observatories.people import may_schedule, organisations_with_role
from observatories.services import add_closure, add_telescope, create_observatory
from targets.models import Target

pytestmark = pytest.mark.django_db


@pytest.fixture
def manager(people):
    people.ada.memberships.filter(organisation=people.alpha).update(role=Membership.Role.MANAGER)
    return people.ada


@pytest.fixture
def make(people):
    def make(*scopes, **kwargs):
        return create_token(people.alpha.pk, name="night robot", scopes=scopes or ["read"], **kwargs)

    return make


def client_with(text: str) -> APIClient:
    client = APIClient(enforce_csrf_checks=True)
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {text}")
    return client


def test_a_token_sees_what_its_organisation_may_see(make):
    target = Target.objects.create(designation="P21abcd", visibility=Target.Visibility.SIGNED_IN)
    _, text = make("read")
    seen = {row["designation"] for row in client_with(text).get("/api/v1/targets/").json()["results"]}
    assert seen == {target.designation}
    assert APIClient().get("/api/v1/targets/").json()["results"] == []


def test_only_the_hash_of_the_secret_is_stored(make):
    token, text = make()
    secret = text.removeprefix(f"neo_{token.prefix}_")
    token.refresh_from_db()
    assert len(secret) >= 43
    assert token.secret_sha256 == hashlib.sha256(secret.encode()).hexdigest()
    assert secret not in str(PartnerToken.objects.values().get()) + str(list(Event.objects.values()))


@pytest.mark.parametrize(
    "wrong",
    ["nonsense", "neo_", "neo_abcdefgh_secret", "neo_é_x", "{text}x", "", "neo_{prefix}_"],
)
def test_a_token_that_is_not_known_is_a_401_problem_with_how_to_sign_in(make, wrong):
    token, text = make()
    answer = client_with(wrong.format(text=text, prefix=token.prefix)).get("/api/v1/targets/")
    assert (answer.status_code, answer["Content-Type"]) == (401, "application/problem+json")
    assert answer.json()["type"].endswith(":not-signed-in")
    assert answer["WWW-Authenticate"].startswith("Bearer")


def test_an_expired_or_revoked_token_opens_nothing_from_that_moment(make):
    with time_machine.travel(dt.datetime(2026, 11, 24, 12, tzinfo=dt.UTC), tick=False) as moment:
        _, text = make(expires_at=clock.now() + dt.timedelta(hours=1))
        other, second = make()
        client = client_with(text)
        assert client.get("/api/v1/targets/").status_code == 200
        moment.shift(dt.timedelta(hours=1))
        answer = client.get("/api/v1/targets/")
        assert (answer.status_code, answer.json()["detail"]) == (401, "The token expired at 2026-11-24 13:00Z.")
        assert client_with(second).get("/api/v1/targets/").status_code == 200
        revoke_token(other.pk)
        answer = client_with(second).get("/api/v1/targets/")
        assert (answer.status_code, answer.json()["detail"]) == (401, "The token was revoked.")
        with pytest.raises(ConflictError):
            revoke_token(other.pk)


def test_a_rotated_token_is_valid_for_the_overlap_and_the_new_one_from_now_on(make):
    with time_machine.travel(dt.datetime(2026, 11, 24, 12, tzinfo=dt.UTC), tick=False) as moment:
        old, text = make("read", "claim", expires_at=clock.now() + dt.timedelta(days=30))
        moment.shift(dt.timedelta(days=10))
        new, fresh = rotate_token(old.pk, overlap_hours=2)
        assert (new.name, new.scopes) == (old.name, old.scopes)
        assert new.expires_at == clock.now() + dt.timedelta(days=30)
        assert [client_with(each).get("/api/v1/targets/").status_code for each in (text, fresh)] == [200, 200]
        with pytest.raises(ConflictError, match="replaced already"):
            rotate_token(old.pk)
        moment.shift(dt.timedelta(hours=2))
        assert [client_with(each).get("/api/v1/targets/").status_code for each in (text, fresh)] == [401, 200]


def test_recognising_a_token_costs_one_query_and_its_use_is_noted_once_a_minute(make, django_assert_num_queries):
    from coordination.partners.services import recognise

    with time_machine.travel(dt.datetime(2026, 11, 24, 12, tzinfo=dt.UTC), tick=False) as moment:
        token, text = make()
        recognise(text)
        token.refresh_from_db()
        assert token.last_used_at == clock.now()
        moment.shift(dt.timedelta(seconds=59))
        with django_assert_num_queries(1):
            recognise(text)
        moment.shift(dt.timedelta(seconds=1))
        recognise(text)
        token.refresh_from_db()
        assert token.last_used_at == clock.now()


def test_only_managers_of_the_organisation_make_replace_and_revoke_tokens(people, manager, make):
    token, _ = make(actor=manager)
    for nobody in (people.ben, people.cat):
        with pytest.raises(ForbiddenError):
            create_token(people.alpha.pk, name="robot", scopes=["read"], actor=nobody)
        with pytest.raises(ForbiddenError):
            rotate_token(token.pk, actor=nobody)
        with pytest.raises(ForbiddenError):
            revoke_token(token.pk, actor=nobody)


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"scopes": []}, "scopes"),
        ({"scopes": ["write"]}, "scopes"),
        ({"name": ""}, "name"),
        ({"expires_at": dt.datetime(2020, 1, 1, tzinfo=dt.UTC)}, "expires_at"),
        ({"expires_at": dt.datetime(2050, 1, 1)}, "expires_at"),
    ],
)
def test_a_token_that_makes_no_sense_is_refused_by_field(people, wrong, field):
    with pytest.raises(DomainError) as refusal:
        create_token(people.alpha.pk, **{"name": "robot", "scopes": ["read"], **wrong})
    assert refusal.value.field == field


class TestScopes:
    def test_without_read_a_token_reads_nothing_and_is_told_which_scope_it_lacks(self, make):
        _, text = make("report")
        answer = client_with(text).get("/api/v1/targets/")
        assert (answer.status_code, answer["Content-Type"]) == (403, "application/problem+json")
        assert (answer.json()["needed_scope"], answer.json()["scopes"]) == ("read", ["report"])

    def test_what_belongs_to_a_person_is_closed_to_tokens(self, make):
        _, text = make(*Scope.values)
        for path in ("notices/", "me/preferences/"):
            assert client_with(text).get(f"/api/v1/{path}").status_code == 403
        assert client_with(text).post("/api/v1/notices/read-all/").status_code == 403

    def test_a_method_that_the_address_does_not_answer_is_refused_as_such(self, make):
        _, text = make("read")
        assert client_with(text).delete("/api/v1/targets/").status_code == 405

    def test_what_writes_and_declares_no_scope_is_closed(self, make):
        class View:
            action = "create"

        system = make(*Scope.values)[0].system
        with pytest.raises(ForbiddenError):
            require_scope(system, View(), "POST")
        View.scopes = {"create": Scope.CLAIM}
        require_scope(system, View(), "POST")
        assert scope_of(View(), "POST") == Scope.CLAIM

    def test_every_address_that_writes_says_which_scope_it_needs(self):
        silent = []
        for view, methods in api_views():
            for method, action in methods.items():
                declared = getattr(view, "scopes", {})
                if method in ("post", "put", "patch", "delete") and not {action, "*"} & set(declared):
                    silent.append(f"{view.__name__}.{action}")
        assert silent == []

    def test_scopes_make_a_system_what_its_services_ask_for(self, people, make):
        reader, claimer, manager = (make(scope)[0].system for scope in ("read", "claim", "manage"))
        assert not may_schedule(reader, people.alpha.pk)
        assert may_schedule(claimer, people.alpha.pk)
        assert not may_schedule(claimer, people.beta.pk)
        assert organisations_with_role(claimer, Membership.Role.MANAGER) == set()
        assert organisations_with_role(manager, Membership.Role.MANAGER) == {people.alpha.pk}
        assert actor_of(manager).organisation_ids == {people.alpha.pk}
        assert actor_of(AnonymousUser()).organisation_ids == frozenset()


def api_views():
    """The views of the API, each with its actions by method."""
    pending = list(get_resolver("coordination.api_urls").url_patterns)
    while pending:
        pattern = pending.pop()
        if hasattr(pattern, "url_patterns"):
            pending += pattern.url_patterns
            continue
        view = getattr(pattern.callback, "cls", None)
        if view is None:  # a page for people
            continue
        if issubclass(view, ViewSetMixin):
            yield view, pattern.callback.actions
        else:
            yield view, {method: method for method in view.http_method_names if hasattr(view, method)}


def test_what_a_system_does_is_recorded_under_its_name(people, make):
    telescope = telescope_of(people.alpha)
    token, _ = make("manage")
    day = dt.datetime(2026, 12, 1, tzinfo=dt.UTC)
    closure = add_closure(
        telescope_id=telescope.pk, starts_at=day, ends_at=day + dt.timedelta(days=1), reason="coating",
        actor=token.system,
    )  # fmt: skip
    event = Event.objects.get(kind="closure.added")
    assert (closure.created_by, event.actor) == (None, None)
    assert event.system == f"alpha: night robot (neo_{token.prefix})"


def test_the_history_of_a_request_with_a_token_names_the_system(people, make):
    from simple_history.models import HistoricalRecords

    telescope = telescope_of(people.alpha)
    token, _ = make("manage")
    request = RequestFactory().post("/")
    request.user = token.system
    HistoricalRecords.context.request = request
    try:
        telescope.figures_note = "measured"
        telescope.save()
    finally:
        del HistoricalRecords.context.request
    row = telescope.history.first()
    assert (row.history_user, row.history_change_reason) == (None, f"by alpha: night robot (neo_{token.prefix})")


def telescope_of(organisation: Organisation) -> Telescope:
    place = create_observatory(name="Cerro", longitude_deg=-70.4, latitude_deg=-24.6, height_m=2600.0)
    return add_telescope(
        observatory_id=place.pk, organisation_id=organisation.pk, name="1 m", aperture_m=1.0, field_width_deg=0.5,
        field_height_deg=0.5, limiting_v_mag=20.5,
    )  # fmt: skip


class TestCommands:
    def test_a_token_made_by_command_is_printed_once_and_works_until_it_is_revoked(self, people):
        out = StringIO()
        call_command("create_token", "alpha", "--scope", "read", "--name", "robot", "--days", "3", stdout=out)
        text = out.getvalue().strip()
        assert client_with(text).get("/api/v1/targets/").status_code == 200
        call_command("revoke_token", text.split("_")[1], stdout=StringIO())
        assert client_with(text).get("/api/v1/targets/").status_code == 401

    @pytest.mark.parametrize(
        "line",
        [
            ("create_token", "nobody", "--scope", "read"),
            ("create_token", "alpha", "--scope", "read", "--days", "-1"),
            ("create_token", "alpha", "--scope", "read", "--days", "1e12"),
            ("revoke_token", "abcdefgh"),
        ],
    )
    def test_what_cannot_be_done_ends_with_code_2(self, people, line):
        with pytest.raises(CommandError) as refusal:
            call_command(*line)
        assert refusal.value.returncode == 2


class TestAdmin:
    @pytest.fixture
    def browser(self, manager):
        manager.is_staff = True
        manager.save()
        client = Client()
        client.force_login(manager)
        return client

    def shown(self, answer) -> str:
        [(_, text)] = answer.context["made"]
        assert text in answer.content.decode()
        assert "no-store" in answer["Cache-Control"]
        return text

    def test_a_manager_makes_a_token_and_sees_its_secret_once(self, people, browser):
        given = {"organisation": people.alpha.pk, "name": "robot", "scopes": ["read", "claim"]}
        text = self.shown(browser.post(reverse("admin:partners_partnertoken_add"), given))
        assert client_with(text).get("/api/v1/targets/").status_code == 200
        token = PartnerToken.objects.get()
        assert (token.scopes, token.created_by) == (["read", "claim"], people.ada)
        secret = text.removeprefix(f"neo_{token.prefix}_")
        for address in ("changelist", "change"):
            args = [token.pk] if address == "change" else []
            page = browser.get(reverse(f"admin:partners_partnertoken_{address}", args=args)).content.decode()
            assert "robot" in page
            assert secret not in page

    def test_tokens_are_replaced_and_revoked_from_the_list(self, browser, make):
        token, old = make()
        address = reverse("admin:partners_partnertoken_changelist")
        new = self.shown(browser.post(address, {"action": "rotate", "_selected_action": [token.pk]}))
        assert [client_with(each).get("/api/v1/targets/").status_code for each in (old, new)] == [200, 200]
        browser.post(address, {"action": "revoke", "_selected_action": [token.pk]})
        assert [client_with(each).get("/api/v1/targets/").status_code for each in (old, new)] == [401, 200]

    def test_tokens_of_others_are_neither_seen_nor_made(self, people, browser, make):
        other, _ = create_token(people.beta.pk, name="theirs", scopes=["read"])
        assert "theirs" not in browser.get(reverse("admin:partners_partnertoken_changelist")).content.decode()
        assert browser.get(reverse("admin:partners_partnertoken_change", args=[other.pk])).status_code == 302
        given = {"organisation": people.beta.pk, "name": "mine", "scopes": ["read"]}
        browser.post(reverse("admin:partners_partnertoken_add"), given)
        assert not PartnerToken.objects.filter(name="mine").exists()
        browser.post(
            reverse("admin:partners_partnertoken_changelist"), {"action": "revoke", "_selected_action": [other.pk]}
        )
        other.refresh_from_db()
        assert other.revoked_at is None


class TestLimits:
    @pytest.fixture(autouse=True)
    def _limits(self, settings):
        from django.core.cache import cache

        settings.API_RATE_ANONYMOUS, settings.API_RATE_SIGNED_IN = "2/60", "3/60"
        cache.clear()

    def test_too_many_requests_are_refused_with_how_long_to_wait(self, make):
        with time_machine.travel(dt.datetime(2026, 11, 24, 12, 0, 10, tzinfo=dt.UTC), tick=False) as moment:
            client = client_with(make()[1])
            answers = [client.get("/api/v1/targets/") for _ in range(4)]
            assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
            assert [answer["RateLimit-Remaining"] for answer in answers] == ["2", "1", "0", "0"]
            assert {answer["RateLimit-Limit"] for answer in answers} == {"3"}
            assert (answers[3]["RateLimit-Reset"], answers[3]["Retry-After"]) == ("50", "50")
            assert answers[3].json()["type"].endswith(":throttled")
            moment.shift(dt.timedelta(seconds=50))
            assert client.get("/api/v1/targets/").status_code == 200

    def test_each_token_and_each_address_has_a_count_of_its_own(self, make):
        first, second = (client_with(make()[1]) for _ in range(2))
        for client in (first, second):
            assert [client.get("/api/v1/targets/").status_code for _ in range(3)] == [200] * 3
        anonymous = APIClient()
        of_each = {
            address: [anonymous.get("/api/v1/targets/", REMOTE_ADDR=address).status_code for _ in range(3)]
            for address in ("192.0.2.1", "192.0.2.2", "2001:db8::1")
        }
        assert set(map(tuple, of_each.values())) == {(200, 200, 429)}
        assert anonymous.get("/api/v1/targets/", REMOTE_ADDR="2001:db8::2").status_code == 429

    def test_who_guesses_tokens_is_limited_by_address(self, db):
        answers = [client_with("neo_abcdefgh_secret").get("/api/v1/targets/") for _ in range(3)]
        assert [answer.status_code for answer in answers] == [401, 401, 429]
        assert int(answers[2]["Retry-After"]) > 0

    def test_nobody_is_refused_while_the_cache_is_down_and_the_log_says_so(self, settings, make, caplog):
        dead = {**settings.CACHES["default"], "LOCATION": "redis://127.0.0.1:9/0"}
        settings.CACHES = {"default": dead}
        client = client_with(make()[1])
        assert [client.get("/api/v1/targets/").status_code for _ in range(5)] == [200] * 5
        assert "requests are not counted" in caplog.text


def test_a_system_checks_its_token_and_a_person_the_session(people, make, manager):
    token, text = make("read", "claim")
    assert client_with(text).get("/api/v1/me/").json() == {
        "kind": "system", "name": "night robot", "organisations": ["alpha"], "token": token.prefix,
        "scopes": ["read", "claim"], "expires_at": None,
    }  # fmt: skip
    client = APIClient()
    assert client.get("/api/v1/me/").status_code == 401
    client.force_login(manager)
    me = client.get("/api/v1/me/").json()
    assert (me["kind"], me["name"], me["token"]) == ("person", manager.username, None)
    assert "alpha" in me["organisations"]
