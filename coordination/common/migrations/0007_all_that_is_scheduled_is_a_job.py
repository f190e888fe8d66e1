from django.db import migrations, models

# Entries of the schedule that are jobs now: when they run stays as it was edited.
JOBS = {
    "sweep lost jobs": "requeue_jobs",
    "plan windows": "plan_windows",
    "sweep lost chunks": "requeue_windows",
    "slots and disturbed bookings": "advance_slots",
    "slots after new orbits": "recheck_slots",
    "wake readers of events": "read_events",
    "send due e-mail": "send_mail",
    "send due webhook deliveries": "deliver_webhooks",
}
# What they did is done by another of the jobs.
GONE = (
    "sweep lost parts of window computations",
    "drop expired window computations",
    "drop old webhook deliveries",
    "drop answers kept for retries",
    "drop old notices",
    "drop old windows",
)


def rename(apps, schema_editor):
    entries = apps.get_model("django_celery_beat", "PeriodicTask").objects
    for name, job in JOBS.items():
        entries.filter(name=name).update(name=f"job {job}", task="jobs.run", args=f'["{job}"]')
    entries.filter(name__in=GONE).delete()


class Migration(migrations.Migration):
    dependencies = [
        ("common", "0006_sources_and_quarantine"),
        ("django_celery_beat", "0019_alter_periodictasks_options"),
    ]

    operations = [
        migrations.RunPython(rename, migrations.RunPython.noop),
        migrations.AlterField(
            "runrecord",
            "state",
            models.CharField(
                choices=[
                    ("running", "Running"),
                    ("succeeded", "Succeeded"),
                    ("failed", "Failed"),
                    ("offline", "offline: providers are switched off, or there is no network"),
                ],
                default="running",
                max_length=16,
            ),
        ),
    ]
