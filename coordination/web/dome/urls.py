"""Addresses of what is printed for the dome."""

from django.urls import path, re_path

from . import views

urlpatterns = [
    path("telescopes/<int:pk>/", views.tonight, name="dome-tonight"),
    path("telescopes/<int:pk>/<str:night>.pdf", views.plan_pdf, name="dome-plan-pdf"),
    path("telescopes/<int:pk>/<str:night>/", views.plan_page, name="dome-plan"),
    re_path(
        r"^bookings/(?P<pk>\d{1,18})/ephemeris\.(?P<ending>csv|json)$", views.ephemeris_file, name="dome-ephemeris"
    ),
]
