"""The API's addresses, version 1."""

from django.urls import include, path
from drf_spectacular.views import SpectacularAPIView, SpectacularRedocView, SpectacularSwaggerView
from rest_framework.routers import DefaultRouter

from coordination.partners.api import NoticeViewSet, PreferenceView
from coordination.visibility.api import WindowViewSet
from coordination.visibility.explain_api import ExplainView
from coordination.visibility.joint_api import JointWindowsView, LastChanceView
from observatories.api import ObservatoryViewSet, TelescopeViewSet
from targets.api import TargetViewSet

router = DefaultRouter()
router.register("observatories", ObservatoryViewSet, basename="observatory")
router.register("telescopes", TelescopeViewSet, basename="telescope")
router.register("targets", TargetViewSet, basename="target")
router.register("windows", WindowViewSet, basename="window")
router.register("notices", NoticeViewSet, basename="notice")

urlpatterns = [
    path("schema/", SpectacularAPIView.as_view(), name="api-schema"),
    path("docs/", SpectacularSwaggerView.as_view(url_name="api-schema"), name="api-docs"),
    path(
        "redoc/", SpectacularRedocView.as_view(url_name="api-schema", template_name="web/redoc.html"), name="api-redoc"
    ),
    path("windows/explain/", ExplainView.as_view(), name="window-explain"),
    path("me/preferences/", PreferenceView.as_view(), name="my-preferences"),
    path("windows/joint/", JointWindowsView.as_view(), name="window-joint"),
    path("windows/last-chance/", LastChanceView.as_view(), name="window-last-chance"),
    path("", include(router.urls)),
]
