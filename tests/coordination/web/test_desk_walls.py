"""What one may not see looks, at the desk and in the administration, like what never was: same answer, same words."""

import re

import pytest
from django.contrib import admin
from django.test import Client, RequestFactory
from django.urls import NoReverseMatch, reverse

from coordination.booking.models import Booking
from coordination.campaigns.models import Campaign
from coordination.web.desk.urls import urlpatterns
from observatories.models import RecurringClosure, Telescope, User
from observatories.services import add_closures
from observatories.services.recurring import Recurrence
from targets.models import Orbit, Target
from tests.api.house import SECRETS, make_house
from tests.coordination.booking.conftest import HOUR

pytestmark = pytest.mark.django_db
NEVER = 987_654_321
PAGES = {  # addresses of the desk with a row in them: of which model
    "tonight-of": Telescope, "night": Telescope, "horizon": Telescope, "campaign": Campaign,
    "recurring": RecurringClosure, "target-orbits": Target, "target-names": Target, "target-merge": Target,
}  # fmt: skip
HIDDEN_MODELS = {  # of which the house has rows that are hidden from strangers
    "booking.Booking", "booking.Claim", "booking.Slot", "booking.TelescopeGrant", "campaigns.Campaign",
    "observatories.Closure", "observatories.User", "partners.Notice", "partners.PartnerToken", "partners.Webhook",
    "targets.Orbit", "targets.Target", "visibility.VisibilityWindow",
}  # fmt: skip


@pytest.fixture
def house():
    made = make_house()
    start = made.world.slot.starts_at + 30 * HOUR
    recurrence = Recurrence(start, start + HOUR, 7, (start + 8 * 24 * HOUR).date())
    add_closures(telescope_id=made.world.telescopes["chile"].pk, recurrence=recurrence, reason="classified reason")
    return made


@pytest.fixture
def stranger(house) -> User:
    """A manager of another organisation, which takes part in nothing."""
    return User.objects.get(username="elsewhere")


@pytest.fixture
def client(stranger) -> Client:
    client = Client(raise_request_exception=False)
    client.force_login(stranger)
    return client


def answer_to(client: Client, address: str) -> tuple[int, str]:
    """What comes back in the end, with the way there and with what is said there."""
    answer = client.get(address, follow=True)
    body = re.sub(r'(csrfmiddlewaretoken" value|nonce)="[^"]*"', "", answer.text)
    return answer.status_code, f"{answer.redirect_chain} {body}"


def tells_apart(client: Client, hidden: str, never: str, key: object) -> list[str]:
    """What is wrong with the answers to two addresses, of a row that is hidden and of none."""
    (status, told), (expected, words) = answer_to(client, hidden), answer_to(client, never)
    wrong = [f"{hidden}: {secret}" for secret in SECRETS if secret in told]
    if (status, told) != (expected, words.replace(str(NEVER), str(key))) or status >= 500:
        wrong.append(f"{hidden}: {status}, and {expected} for what never was")
    return wrong


def hidden_rows(stranger: User):
    """Of every model of the administration, a row that the person does not get to see there."""
    request = RequestFactory().get("/admin/")
    request.user = stranger
    for model, desk in admin.site._registry.items():
        visible = set(desk.get_queryset(request).values_list("pk", flat=True))
        for row in model._default_manager.all():
            if row.pk not in visible or not desk.has_view_or_change_permission(request, row):
                yield model, desk, row.pk
                break


def addresses_of(model, desk, key):
    """Change page, history, deletion and every action on the row."""
    actions = [
        each for entry in getattr(desk, "actions_detail", ()) or ()
        for each in (entry["items"] if isinstance(entry, dict) else [entry])
    ]  # fmt: skip
    for name in ("change", "history", "delete", *actions):
        try:
            yield reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{name}", args=[key])
        except NoReverseMatch:
            assert name not in ("change", *actions)


def test_the_administration_tells_nothing_of_what_is_hidden(house, stranger, client):
    wrong, compared = [], set()
    for model, desk, key in hidden_rows(stranger):
        pairs = zip(addresses_of(model, desk, key), addresses_of(model, desk, NEVER), strict=True)
        wrong += [each for hidden, never in pairs for each in tells_apart(client, hidden, never, key)]
        compared.add(model._meta.label)
    assert wrong == []
    assert compared >= HIDDEN_MODELS


def test_pages_of_the_desk_tell_nothing_of_what_is_hidden(house, stranger, client):
    named = {pattern.name for pattern in urlpatterns if "<" in str(pattern.pattern)}
    assert named == set(PAGES), "say of which model a new page is"
    chile, booking = house.world.telescopes["chile"], Booking.objects.filter(target__isnull=False).first()
    hidden = Target.objects.get(designation=house.there["hidden"]).pk
    rows = {
        Target: hidden,
        Telescope: chile.pk,
        Campaign: house.world.campaign.pk,
        RecurringClosure: RecurringClosure.objects.get().pk,
    }
    further = {"night": ["2027-02-01"]}
    pairs = [
        [reverse(f"desk:{name}", args=[key, *further.get(name, [])]) for key in (rows[model], NEVER)] + [rows[model]]
        for name, model in PAGES.items()
    ]
    start = house.world.slot.starts_at
    period = f"observe_from={start:%Y-%m-%dT%H:%M:%SZ}&observe_until={start + HOUR:%Y-%m-%dT%H:%M:%SZ}"
    for address, key in (
        ("/admin/desk/tonight/?telescope={}", chile.pk), ("/admin/desk/calendar/?telescope={}", chile.pk),
        ("/admin/desk/closures/?telescope={}", chile.pk), (f"/admin/desk/timeline/?{period}&telescope={{}}", chile.pk),
        (f"/admin/desk/timeline.svg?{period}&telescope={{}}", chile.pk),
        ("/admin/booking/booking/add/?telescope={}", chile.pk),
        ("/admin/booking/booking/add/?target={}", hidden),
        ("/dome/telescopes/{}/2027-02-01/", chile.pk), ("/dome/bookings/{}/ephemeris.csv", booking.pk),
    ):  # fmt: skip
        pairs.append([address.format(key), address.format(NEVER), key])
    assert [each for hidden, never, key in pairs for each in tells_apart(client, hidden, never, key)] == []


def test_whose_they_are_sees_them(house):
    """Else the others could not fail."""
    client = Client()
    client.force_login(house.world.lead)
    chile = house.world.telescopes["chile"].pk
    assert client.get(reverse("desk:tonight-of", args=[chile])).status_code == 200
    assert "classified title" in client.get(reverse("desk:campaign", args=[house.world.campaign.pk])).text
    assert "classified reason" in client.get(reverse("desk:recurring", args=[RecurringClosure.objects.get().pk])).text
    assert Orbit.objects.filter(reference="classified orbit").exists()
