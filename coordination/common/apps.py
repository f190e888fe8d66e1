from django.apps import AppConfig


class CommonConfig(AppConfig):
    name = "coordination.common"
    label = "common"
    verbose_name = "Journal"
