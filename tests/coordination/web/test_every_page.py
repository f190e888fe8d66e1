"""What is promised of every page, asked of each in the table of addresses."""

from django.db import connection
from django.test.utils import CaptureQueriesContext

from coordination.booking.services import book_telescope
from coordination.visibility.models import VisibilityWindow
from observatories.models import Closure, Membership, Organisation
from tests.coordination.booking.conftest import HOUR, make_seats, make_slot, make_telescope, make_world
from tests.pages import DRAWN_BY_OTHERS, NIGHT, NO_PAGES, PAGES, VARIANTS, Scene, make_scene, names


def test_every_address_is_a_page_of_the_table_or_known_to_be_none():
    """A new page stands in `tests/pages.py`, and is then asked for all that is promised here and in the browser."""
    assert set(names()) == set(PAGES) | DRAWN_BY_OTHERS | NO_PAGES


def cost_of(scene: Scene) -> dict[str, int]:
    """Queries of each page, when caches of the process are filled and the session knows what is looked at."""
    costs = {}
    for name, page in (PAGES | VARIANTS).items():
        client, address = page.client(scene), page.address(scene)
        answer = client.get(address, follow=True)
        assert answer.status_code == page.status, name
        if answer.redirect_chain:  # as the link to a new password, which keeps its token in the session
            address = answer.redirect_chain[-1][0]
        with CaptureQueriesContext(connection) as captured:
            client.get(address)
        costs[name] = len(captured)
    return costs


def more_of_everything(scene: Scene) -> None:
    """Of what pages list, beside windows: slots, seats, bookings, closures, organisations, people, telescopes."""
    world, start = scene.world, scene.world.slot.starts_at
    for k in range(2, 6):
        make_seats(make_slot(world.campaign, world.target, start + 24 * k * HOUR), world.telescopes)
        book_telescope(scene.telescope.pk, observe_from=start + 3 * k * HOUR, observe_until=start + (3 * k + 1) * HOUR)
        Closure.objects.create(telescope=scene.telescope, starts_at=start + k * HOUR, ends_at=start + (k + 1) * HOUR)
        organisation = Organisation.objects.create(name=f"Further {k}", slug=f"further-{k}")
        Membership.objects.create(user=scene.manager, organisation=organisation, role="member")
        make_telescope(organisation, f"hill {k}", 3.0 * k, 40.0)


def test_every_page_costs_the_same_number_of_queries_however_much_it_shows(windows, settings):
    settings.EMAIL_URL = "smtp://mail.example.org"
    scene = make_scene(make_world(), windows)
    of_others = VisibilityWindow.objects.exclude(target__name__in=("Ivar", "Eros"))
    set_aside = list(of_others)
    of_others.delete()
    assert VisibilityWindow.objects.filter(night=NIGHT).exists()
    with_little = cost_of(scene)
    VisibilityWindow.objects.bulk_create(set_aside)
    more_of_everything(scene)
    assert cost_of(scene) == with_little
    assert max(with_little.values()) <= 50
