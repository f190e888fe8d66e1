"""The legs of notices and webhooks: each may run twice, late or not at all without harm."""

from celery import shared_task

from . import services


@shared_task(name="partners.send_mail")
def send_mail(user_id: int) -> None:
    services.send_mail_of(user_id)


@shared_task(name="partners.deliver")
def deliver(webhook_id: int) -> None:
    services.deliver_to(webhook_id)
