from django.apps import AppConfig


class ObservatoriesConfig(AppConfig):
    name = "observatories"
    verbose_name = "Observatories and people"

    def ready(self) -> None:
        from coordination.common import concerning

        from .services import operators_of

        concerning.register("observatory", concerning.everybody)
        concerning.register("telescope", concerning.everybody)
        concerning.register("closure", concerning.own(operators=operators_of))
