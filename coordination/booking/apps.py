from django.apps import AppConfig


class BookingConfig(AppConfig):
    name = "coordination.booking"
    label = "booking"

    def ready(self) -> None:
        from coordination.common import concerning, following, merging
        from observatories.services import operators_of

        from . import jobs
        from .models import Booking, Claim, Slot
        from .reacting import follow_closures_and_orbits
        from .services.merging import concerned_by, repoint_target

        merging.register("booking", repoint_target, concerned_by)
        jobs.register()
        following.subscribe("booking", follow_closures_and_orbits)
        concerning.register("slot", concerning.subjects(Slot.objects.visible_to))
        concerning.register("claim", concerning.subjects(Claim.objects.visible_to))
        # Whoever operates a telescope has to know when it is taken, if not for what.
        concerning.register("booking", concerning.subjects(Booking.objects.visible_to), without_target=True)
        concerning.register("grant", concerning.own("organisation", operators=operators_of))
