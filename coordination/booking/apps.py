from django.apps import AppConfig


class BookingConfig(AppConfig):
    name = "coordination.booking"
    label = "booking"
