"""Standards of the Virtual Observatory: ObjObsSAP and ObsLocTAP."""

from django.urls import path, re_path

from .objobs_views import ObjObsAvailabilityView, ObjObsCapabilitiesView, ObjObsQueryView
from .obsplan_views import ObsPlanDayView, ObsPlanQueryView

app_name = "vo"

urlpatterns = [
    path("objobs/query", ObjObsQueryView.as_view(), name="objobs-query"),
    path("objobs/capabilities", ObjObsCapabilitiesView.as_view(), name="objobs-capabilities"),
    path("objobs/availability", ObjObsAvailabilityView.as_view(), name="objobs-availability"),
    path("obsplan/", ObsPlanQueryView.as_view(), name="obsplan-query"),
    re_path(
        r"^obsplan/(?P<day>\d{4}-\d{2}-\d{2})\.(?P<ending>json|xml)$", ObsPlanDayView.as_view(), name="obsplan-day"
    ),
]
