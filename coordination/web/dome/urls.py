"""Addresses of what is printed for the dome."""

from django.urls import path

from . import views

urlpatterns = [
    path("telescopes/<int:pk>/", views.tonight, name="dome-tonight"),
    path("telescopes/<int:pk>/<str:night>.pdf", views.plan_pdf, name="dome-plan-pdf"),
    path("telescopes/<int:pk>/<str:night>/", views.plan_page, name="dome-plan"),
    path("bookings/<int:pk>/ephemeris.csv", views.ephemeris_file, {"ending": "csv"}, name="dome-ephemeris-csv"),
    path("bookings/<int:pk>/ephemeris.json", views.ephemeris_file, {"ending": "json"}, name="dome-ephemeris-json"),
]
