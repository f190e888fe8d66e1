"""The API's addresses, version 1."""

from django.urls import include, path

from coordination.api_pages import DocsView, RedocView, Router, SchemaView
from coordination.booking.api.bookings import BookingViewSet
from coordination.booking.api.campaigns import CampaignViewSet
from coordination.booking.api.claims import ClaimViewSet
from coordination.booking.api.free import FreeView
from coordination.booking.api.grants import GrantViewSet
from coordination.booking.api.occupied import OccupiedView
from coordination.booking.api.slots import SlotViewSet
from coordination.common.problem_pages import problem_detail, problem_list
from coordination.partners.api import NoticeViewSet, PreferenceView
from coordination.partners.events_api import EventsView
from coordination.partners.me_api import MeView
from coordination.partners.webhooks_api import WebhookViewSet
from coordination.visibility.api import WindowViewSet
from coordination.visibility.computations_api import ComputedWindowViewSet, WindowComputationViewSet
from coordination.visibility.ephemeris_api import EphemerisView
from coordination.visibility.explain_api import ExplainView
from coordination.visibility.joint_api import JointWindowsView, LastChanceView
from coordination.visibility.priorities_api import PrioritiesView
from observatories.api import ObservatoryViewSet, TelescopeViewSet
from observatories.closures_api import ClosureViewSet
from targets.api import TargetViewSet

router = Router()
router.register("observatories", ObservatoryViewSet, basename="observatory")
router.register("telescopes", TelescopeViewSet, basename="telescope")
router.register("targets", TargetViewSet, basename="target")
router.register("windows", WindowViewSet, basename="window")
router.register("window-computations", WindowComputationViewSet, basename="window-computation")
router.register("webhooks", WebhookViewSet, basename="webhook")
router.register("notices", NoticeViewSet, basename="notice")
router.register("campaigns", CampaignViewSet, basename="campaign")
router.register("slots", SlotViewSet, basename="slot")
router.register("claims", ClaimViewSet, basename="claim")
router.register("bookings", BookingViewSet, basename="booking")
router.register("grants", GrantViewSet, basename="grant")
router.register("closures", ClosureViewSet, basename="closure")

urlpatterns = [
    path("schema/", SchemaView.as_view(), name="api-schema"),
    path("docs/", DocsView.as_view(), name="api-docs"),
    path("redoc/", RedocView.as_view(), name="api-redoc"),
    path("problems/", problem_list, name="api-problems"),
    path("problems/<slug:name>/", problem_detail, name="api-problem"),
    path("windows/explain/", ExplainView.as_view(), name="window-explain"),
    path("priorities/", PrioritiesView.as_view(), name="priorities"),
    path("events/", EventsView.as_view(), name="events"),
    path("me/", MeView.as_view(), name="me"),
    path("me/preferences/", PreferenceView.as_view(), name="my-preferences"),
    path("windows/joint/", JointWindowsView.as_view(), name="window-joint"),
    path("windows/last-chance/", LastChanceView.as_view(), name="window-last-chance"),
    path("telescopes/<int:pk>/occupied/", OccupiedView.as_view(), name="telescope-occupied"),
    path(
        "window-computations/<int:id>/windows/",
        ComputedWindowViewSet.as_view({"get": "list"}),
        name="window-computation-windows",
    ),
    path("telescopes/<int:pk>/free/", FreeView.as_view(), name="telescope-free"),
    path("targets/<str:designation>/ephemeris/", EphemerisView.as_view(), name="target-ephemeris"),
    path("", include(router.urls)),
]
