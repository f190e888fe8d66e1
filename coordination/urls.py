"""Addresses of the whole service."""

from django.contrib import admin
from django.urls import include, path

from coordination.health import HealthView
from coordination.web.views import HomeView

admin.site.site_title = admin.site.site_header = "NEO Coordination"

urlpatterns = [
    path("", HomeView.as_view(), name="home"),
    path("", include("coordination.web.signin.urls")),
    path("dome/", include("coordination.web.dome.urls")),
    path("admin/", admin.site.urls),
    path("api/v1/", include("coordination.api_urls")),
    path("feeds/", include("coordination.feeds.urls")),
    path("vo/", include("coordination.feeds.vo_urls")),
    path("health/", HealthView.as_view(), name="health"),
]
