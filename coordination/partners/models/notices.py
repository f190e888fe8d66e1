"""What people are told: a notice for each person whom an event concerns, and how they want to hear of it."""

from django.conf import settings
from django.db import models
from django.db.models import Exists, OuterRef, Q

from coordination.common import clock
from coordination.common.actors import Actor
from coordination.common.models import Event
from targets.models import Target


class NoticeQuerySet(models.QuerySet["Notice"]):
    def visible_to(self, actor: Actor) -> "NoticeQuerySet":
        """Own notices; administrators of the installation see whether those of others were delivered."""
        if actor.sees_everything:
            return self
        return self.filter(user_id=actor.user_id) if actor.user_id is not None else self.none()

    def for_reading_by(self, actor: Actor) -> "NoticeQuerySet":
        """With what `wording.for_reader` needs: the target, and whether the reader may know of it now."""
        visible = Target.objects.visible_to(actor).filter(pk=OuterRef("target_id"))
        return self.select_related("target").annotate(target_is_visible=Exists(visible))


class Notice(models.Model):
    """One event told to one person.

    Title and text keep the placeholder `{target}`: what stands there is decided when somebody reads or a mail is sent,
    by who may know of the target then.
    """

    class Mail(models.TextChoices):
        NONE = "none", "none wanted"
        PENDING = "pending"
        FAILED = "failed", "failed, is tried again"
        SENT = "sent"
        GIVEN_UP = "given_up", "given up"

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="notices")
    event = models.ForeignKey(Event, on_delete=models.CASCADE, related_name="notices")
    title = models.CharField(max_length=200)
    text = models.TextField(blank=True)
    target = models.ForeignKey(Target, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    path = models.CharField(max_length=300, blank=True, help_text="where to look, below the service's address")
    created_at = models.DateTimeField(default=clock.now)
    read_at = models.DateTimeField(null=True, blank=True)

    mail = models.CharField("e-mail", max_length=8, choices=Mail, default=Mail.NONE)
    mail_due_at = models.DateTimeField("e-mail due", null=True, blank=True)
    mail_attempts = models.PositiveIntegerField("e-mail attempts", default=0)
    mail_error = models.TextField("e-mail error", blank=True)
    mail_sent_at = models.DateTimeField("e-mail sent", null=True, blank=True)

    objects = NoticeQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        constraints = [models.UniqueConstraint(fields=["user", "event"], name="notice_once")]
        indexes = [
            models.Index(fields=["user"], condition=Q(read_at=None), name="notice_unread"),
            models.Index(fields=["mail_due_at"], condition=Q(mail__in=["pending", "failed"]), name="notice_mail_due"),
        ]

    def __str__(self) -> str:
        return f"notice {self.pk} of {self.event}"  # not its title, which may hold the placeholder


MAIL_OPEN = (Notice.Mail.PENDING, Notice.Mail.FAILED)


class NotificationPreference(models.Model):
    """How a person wants to hear of what happens; without a row, as the defaults say."""

    class Email(models.TextChoices):
        AT_ONCE = "at_once", "at once"
        DAILY = "daily", "once a day"
        OFF = "off"

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, primary_key=True, on_delete=models.CASCADE, related_name="notification_preference"
    )
    email = models.CharField("e-mail", max_length=8, choices=Email, default=Email.AT_ONCE)
    daily_hour_utc = models.PositiveSmallIntegerField("hour of the daily e-mail (UTC)", default=6)

    class Meta:
        constraints = [
            models.CheckConstraint(name="preference_email", condition=Q(email__in=["at_once", "daily", "off"])),
            models.CheckConstraint(
                name="preference_hour",
                condition=Q(daily_hour_utc__range=(0, 23)),
                violation_error_message="The hour is 0 to 23.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user}: e-mail {self.email}"
