"""Addresses of the whole service."""

from django.contrib import admin
from django.urls import path

urlpatterns = [
    path("admin/", admin.site.urls),
]

handler404 = "coordination.common.problems.not_found"
handler500 = "coordination.common.problems.server_error"
