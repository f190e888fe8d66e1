"""Every page that people meet, by the name of its address, so that what is promised of all pages is asked of each.

An address that is missing here fails `tests/coordination/web/test_every_page.py`.
"""

import datetime as dt
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from django.contrib.auth.tokens import default_token_generator
from django.test import Client
from django.urls import URLPattern, reverse
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode
from django_otp.oath import TOTP
from django_otp.plugins.otp_totp.models import TOTPDevice

from coordination import api_urls, urls
from coordination.booking.services import book_telescope
from coordination.visibility.models import VisibilityWindow
from coordination.web import urls as web_urls
from coordination.web.desk import urls as desk_urls
from coordination.web.dome import urls as dome_urls
from coordination.web.signin import urls as signin_urls
from observatories import services
from observatories.models import Membership, RecurringClosure, Telescope, User
from observatories.services import signed_key
from observatories.services.recurring import Recurrence
from targets.models import Target
from tests.coordination.booking.conftest import HOUR, World

NIGHT = dt.date(2027, 2, 1)  # of the windows in tests/network.py
PASSWORD = "pass-for-tests"


@dataclass
class Scene:
    """A campaign, windows, a booking; and people: `manager` of the organisation whose `telescope` it is, in the middle
    of setting up a second factor, `enrolled`, who has one, and an `administrator`. A closure of the telescope recurs.
    """

    world: World
    telescope: Telescope
    target: Target
    manager: User
    enrolled: User
    administrator: User
    invitation: str  # the path of its link


def make_scene(world: World, targets: dict[str, Target]) -> Scene:
    """In a world that has the windows of tests/network.py."""
    manager = world.lead
    window = VisibilityWindow.objects.filter(target=targets["Ivar"], night=NIGHT).order_by("telescope_id")[0]
    telescope = window.telescope
    telescope.organisation = world.organisations["chile"]
    telescope.save()
    Membership.objects.filter(user=manager).update(role=Membership.Role.MANAGER)
    world.claim("chile")
    book_telescope(
        telescope.pk, observe_from=window.starts_at, observe_until=window.starts_at + HOUR / 4,
        target_id=targets["Ivar"].pk, purpose="light curve", actor=manager,
    )  # fmt: skip
    services.begin_second_factor(manager.pk)
    recurrence = Recurrence(
        window.starts_at + 60 * HOUR, window.starts_at + 61 * HOUR, 7, NIGHT + dt.timedelta(days=20)
    )
    services.add_closures(telescope_id=telescope.pk, recurrence=recurrence, reason="mirror washing", actor=manager)
    administrator = User.objects.create_superuser("root-for-tests", password=PASSWORD)
    invitation = services.invite(telescope.organisation_id, role="member", actor=manager)
    path = reverse("invitation", args=[signed_key(invitation)])
    return Scene(world, telescope, targets["Ivar"], manager, _enrol(world.people["canary"]), administrator, path)


def _enrol(user: User) -> User:
    services.begin_second_factor(user.pk)
    totp = TOTP(TOTPDevice.objects.get(user=user).bin_key)
    totp.time = time.time()
    services.confirm_second_factor(user.pk, f"{totp.token():06d}")
    user.refresh_from_db()
    return user


_MANAGER, _ADMINISTRATOR = "manager", "administrator"


@dataclass(frozen=True)
class Page:
    """`viewer` is nobody, "manager", "administrator", or somebody "between password and code"."""

    address: Callable[[Scene], str]
    viewer: str = ""
    status: int = 200

    def client(self, scene: Scene) -> Client:
        """A browser of the viewer."""
        client = Client()
        if self.viewer in (_MANAGER, _ADMINISTRATOR):
            client.force_login(getattr(scene, self.viewer))
        elif self.viewer:
            client.post("/sign-in/", {"username": scene.enrolled.username, "password": PASSWORD})
        return client


def _at(name: str, *arguments: Callable[[Scene], object], query: str = "") -> Callable[[Scene], str]:
    return lambda scene: reverse(name, args=[argument(scene) for argument in arguments]) + query


def _telescope(scene: Scene) -> int:
    return scene.telescope.pk


def _night(scene: Scene) -> str:
    return str(NIGHT)


def _link_to_new_password(scene: Scene) -> str:
    """Where the link of the mail leads, which keeps its token in the session."""
    user = scene.enrolled
    return reverse(
        "new-password", args=[urlsafe_base64_encode(force_bytes(user.pk)), default_token_generator.make_token(user)]
    )


def _recurring(scene: Scene) -> int:
    return RecurringClosure.objects.get(telescope=scene.telescope).pk


def _target(scene: Scene) -> int:
    return scene.target.pk


PAGES = {
    "home": Page(_at("home")),
    "web:targets": Page(_at("web:targets")),
    "web:target": Page(_at("web:target", lambda scene: scene.target.designation)),
    "web:campaigns": Page(_at("web:campaigns")),
    "web:campaign": Page(_at("web:campaign", lambda scene: scene.world.campaign.slug), _MANAGER),
    "web:observatories": Page(_at("web:observatories")),
    "web:telescope": Page(_at("web:telescope", _telescope), _MANAGER),
    "sign-in": Page(_at("sign-in")),
    "admin-sign-in": Page(_at("admin-sign-in")),
    "sign-in-code": Page(_at("sign-in-code"), "between password and code"),
    "lost-password": Page(_at("lost-password")),
    "lost-password-sent": Page(_at("lost-password-sent")),
    "new-password": Page(_link_to_new_password),
    "invitation": Page(lambda scene: scene.invitation),
    "account": Page(_at("account"), _MANAGER),
    "change-password": Page(_at("change-password"), _MANAGER),
    "second-factor": Page(_at("second-factor"), _MANAGER),
    "second-factor-off": Page(_at("second-factor-off"), _MANAGER),
    "recovery-codes": Page(_at("recovery-codes"), _MANAGER),
    "dome-plan": Page(_at("dome-plan", _telescope, _night), _MANAGER),
    "desk:tonight": Page(_at("desk:tonight"), _MANAGER),
    "desk:tonight-of": Page(_at("desk:tonight-of", _telescope), _MANAGER),
    "desk:night": Page(_at("desk:night", _telescope, _night), _MANAGER),
    "desk:calendar": Page(_at("desk:calendar", query=f"?date={NIGHT}"), _MANAGER),
    "desk:horizon": Page(_at("desk:horizon", _telescope), _MANAGER),
    "desk:close": Page(_at("desk:close"), _MANAGER),
    "desk:recurring": Page(_at("desk:recurring", _recurring), _MANAGER),
    "desk:campaign": Page(_at("desk:campaign", lambda scene: scene.world.campaign.pk), _MANAGER),
    "desk:target-orbits": Page(_at("desk:target-orbits", _target), _MANAGER),
    "desk:target-names": Page(_at("desk:target-names", _target), _ADMINISTRATOR),
    "desk:target-merge": Page(_at("desk:target-merge", _target, query="?other=433"), _ADMINISTRATOR),
    "desk:observatory": Page(_at("desk:observatory"), _MANAGER),
    "api-problems": Page(_at("api-problems")),
    "api-problem": Page(_at("api-problem", lambda scene: "conflict")),
}
# Drawn from the same template as another one of the table: looked at once in the browser.
LIKE_ANOTHER = {
    "admin-sign-in", "lost-password-sent", "recovery-codes", "desk:tonight", "desk:tonight-of", "api-problem",
    "no invitation",
}  # fmt: skip
# Drawn by programs of others from the OpenAPI document: what is promised of our own pages is not asked of them.
DRAWN_BY_OTHERS = {"api-docs", "api-redoc"}
# Beside the table: other states of pages, pages without an address of their own, two of the administration.
VARIANTS = {
    "target, one site": Page(lambda scene: f"/targets/1627/?telescope={scene.telescope.pk}"),
    "campaign, for all": Page(_at("web:campaign", lambda scene: scene.world.campaign.slug)),
    "not found": Page(lambda scene: "/targets/Ivarr/", status=404),
    "no invitation": Page(lambda scene: "/invitation/none/", status=404),
    "forbidden": Page(lambda scene: "/admin/observatories/organisation/add/", _MANAGER, 403),
    "book": Page(lambda scene: f"/admin/booking/booking/add/?telescope={scene.telescope.pk}", _MANAGER),
    "bookings": Page(lambda scene: "/admin/booking/booking/", _MANAGER),
}
# Answers that are no page: files, parts of a page, what only sends on or only takes a form.
NO_PAGES = {
    "web:target-figure", "web:campaign-figure", "web:telescope-figure", "web:home-figure", "dome-plan-pdf",
    "dome-ephemeris-csv", "dome-ephemeris-json", "desk:timeline", "desk:timeline-file", "dome-tonight", "landing",
    "sign-out", "second-factor-begin", "admin-change-password", "theme", "set_language", "favicon", "health",
}  # fmt: skip


def names() -> Iterator[str]:
    """Of all addresses that answer people."""
    for module in (urls, web_urls, desk_urls, dome_urls, signin_urls):
        prefix = f"{module.app_name}:" if hasattr(module, "app_name") else ""
        yield from (f"{prefix}{each.name}" for each in module.urlpatterns if isinstance(each, URLPattern))
    yield from (each.name for each in api_urls.urlpatterns if re.match("docs|redoc|problems", str(each.pattern)))
