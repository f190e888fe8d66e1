from django.apps import AppConfig


class BookingConfig(AppConfig):
    name = "coordination.booking"
    label = "booking"

    def ready(self) -> None:
        from coordination.common import following

        from .reacting import follow_closures_and_orbits

        following.subscribe("booking", follow_closures_and_orbits)
