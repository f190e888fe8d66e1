"""The legs of notices and webhooks: each may run twice, late or not at all without harm."""

from celery import shared_task

from . import services


@shared_task(name="partners.send_mail")
def send_mail(user_id: int) -> None:
    services.send_mail_of(user_id)


@shared_task(name="partners.send_due_mail")
def send_due_mail() -> None:
    services.send_due_mail()


@shared_task(name="partners.drop_old_notices")
def drop_old_notices() -> None:
    services.drop_old_notices()


@shared_task(name="partners.deliver")
def deliver(webhook_id: int) -> None:
    services.deliver_to(webhook_id)


@shared_task(name="partners.deliver_due")
def deliver_due() -> None:
    services.queue_due()


@shared_task(name="partners.drop_old_deliveries")
def drop_old_deliveries() -> None:
    services.drop_old_deliveries()
