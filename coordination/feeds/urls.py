"""Secret addresses: calendars."""

from django.urls import path

from .calendar_views import CalendarView

app_name = "feeds"

urlpatterns = [
    path("calendar/<str:secret>.ics", CalendarView.as_view(), name="calendar"),
]
