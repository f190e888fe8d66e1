"""Standards of the Virtual Observatory."""

from django.urls import URLPattern

app_name = "vo"

urlpatterns: list[URLPattern] = []
