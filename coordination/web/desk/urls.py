"""Addresses of the desk: pages inside the administration, for its people only."""

from django.contrib import admin
from django.urls import path

from . import campaigns, closures, targets, telescopes, views

app_name = "desk"
_inside = admin.site.admin_view

urlpatterns = [
    path("tonight/", _inside(views.tonight), name="tonight"),
    path("tonight/<int:pk>/", _inside(views.tonight), name="tonight-of"),
    path("tonight/<int:pk>/<str:night>/", _inside(views.tonight), name="night"),
    path("calendar/", _inside(views.calendar_page), name="calendar"),
    path("campaigns/<int:pk>/", _inside(campaigns.campaign_page), name="campaign"),
    path("telescopes/<int:pk>/horizon/", _inside(telescopes.horizon_page), name="horizon"),
    path("closures/", _inside(closures.closure_page), name="close"),
    path("closures/<int:pk>/", _inside(closures.recurring_page), name="recurring"),
    path("observatories/", _inside(telescopes.observatory_page), name="observatory"),
    path("targets/<int:pk>/orbits/", _inside(targets.orbits_page), name="target-orbits"),
    path("targets/<int:pk>/names/", _inside(targets.names_page), name="target-names"),
    path("targets/<int:pk>/merge/", _inside(targets.merge_page), name="target-merge"),
    path("timeline/", _inside(views.timeline_part), name="timeline"),
    path("timeline.svg", _inside(views.timeline_file), name="timeline-file"),
]
