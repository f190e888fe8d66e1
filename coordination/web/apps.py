from django.apps import AppConfig


class WebConfig(AppConfig):
    name = "coordination.web"
    label = "web"
