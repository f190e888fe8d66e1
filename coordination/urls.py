"""Addresses of the whole service."""

from django.contrib import admin
from django.urls import include, path

from coordination.health import HealthView
from coordination.web.language import set_language
from coordination.web.views.base import favicon, set_theme
from coordination.web.views.home import HomeView

admin.site.site_title = admin.site.site_header = "NEO Coordination"

urlpatterns = [
    path("", HomeView.as_view(), name="home"),
    path("", include("coordination.web.signin.urls")),
    path("dome/", include("coordination.web.dome.urls")),
    path("", include("coordination.web.urls")),
    path("theme/", set_theme, name="theme"),
    path("language/", set_language, name="set_language"),
    path("admin/desk/", include("coordination.web.desk.urls")),
    path("admin/", admin.site.urls),
    path("api/v1/", include("coordination.api_urls")),
    path("feeds/", include("coordination.feeds.urls")),
    path("vo/", include("coordination.feeds.vo_urls")),
    path("favicon.ico", favicon, name="favicon"),
    path("health/", HealthView.as_view(), name="health"),
]

handler403 = "coordination.web.views.refused.forbidden"
handler404 = "coordination.web.views.base.page_not_found"
