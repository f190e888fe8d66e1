"""Scheduled work of partners: what is due is queued, one task for each receiver, so that none waits for another."""

from django.db.models import Q

from coordination.common import jobs, retention
from coordination.common.jobs import Run

from .models import Notice, Webhook
from .services import queue_due, remove_old_deliveries, remove_old_notices, send_due_mail


def register() -> None:
    jobs.register("deliver_webhooks", "events that are due to webhooks", deliver_webhooks)
    jobs.register("send_mail", "notices whose e-mail is due", send_mail)
    retention.register("webhook deliveries", remove_old_deliveries)
    retention.register("notices", remove_old_notices)


def deliver_webhooks(run: Run) -> None:
    webhook_ids = queue_due()
    run.count("queued", len(webhook_ids))
    for webhook in Webhook.objects.filter(pk__in=webhook_ids, failures_in_row__gt=0).order_by("pk"):
        run.find(f"webhook {webhook.pk}", f"{webhook.failures_in_row} attempts in a row failed; it is tried again")


def send_mail(run: Run) -> None:
    user_ids = send_due_mail()
    run.count("queued", len(user_ids))
    failed = Notice.objects.filter(Q(mail=Notice.Mail.FAILED), user__in=user_ids)
    for notice in failed.order_by("user_id", "pk").distinct("user_id"):
        run.find(f"user {notice.user_id}", notice.mail_error)
