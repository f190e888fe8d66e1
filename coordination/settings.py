"""Settings of the Django project. Everything that differs between installations comes from the environment.

SECRET_KEY and DATABASE_URL have no default: a process that is started without them says so.
"""

import datetime as dt
from pathlib import Path

import environ
from celery.schedules import crontab
from django.templatetags.static import static

BASE_DIR = Path(__file__).resolve().parent.parent

env = environ.Env()

# --- what an installation sets -------------------------------------------------------------------------------------
DEBUG = env.bool("DEBUG", default=False)
SECRET_KEY = env.str("SECRET_KEY", default="")  # Django refuses to start a request without one
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"] if DEBUG else [])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])
REDIS_URL = env.str("REDIS_URL", default="redis://127.0.0.1:6379/0")
# A command that needs no database (such as `ephemeris --elements`) runs without one being configured.
DATABASES = {"default": env.db_url("DATABASE_URL", default="postgres://localhost/neo_coordination")}
DATABASES["default"] |= {"CONN_MAX_AGE": 60, "CONN_HEALTH_CHECKS": True}
if pool_size := env.int("DATABASE_POOL_SIZE", default=0):  # for web processes; a Celery worker forks, pools don't
    DATABASES["default"] |= {"CONN_MAX_AGE": 0}
    DATABASES["default"].setdefault("OPTIONS", {})["pool"] = {"min_size": 0, "max_size": pool_size}
NEO_STATE_DIR = Path(env.str("NEO_STATE_DIR", default=str(BASE_DIR / ".neo")))

# Planning: how many nights ahead ephemerides and windows are kept, and the faintest target worth integrating at all.
PLANNING_HORIZON_NIGHTS = env.int("PLANNING_HORIZON_NIGHTS", default=14)
PLANNING_CHUNK_TARGETS = env.int("PLANNING_CHUNK_TARGETS", default=1500)
WINDOW_RETENTION_DAYS = env.int("WINDOW_RETENTION_DAYS", default=30)  # how long windows of past nights are kept
WINDOW_COMPUTATION_RETENTION_DAYS = env.int("WINDOW_COMPUTATION_RETENTION_DAYS", default=7)  # of those asked for
RESULT_GRACE_DAYS = env.int("RESULT_GRACE_DAYS", default=7)  # a slot is completed without reports that much later
RUN_RETENTION_DAYS = env.int("RUN_RETENTION_DAYS", default=90)  # records of scheduled work
QUARANTINE_RETENTION_DAYS = env.int("QUARANTINE_RETENTION_DAYS", default=90)  # after the same came last
EVENT_RETENTION_DAYS = env.int("EVENT_RETENTION_DAYS", default=400)
ORBIT_RETENTION_DAYS = env.int("ORBIT_RETENTION_DAYS", default=730)  # versions that another took the place of
CANDIDATE_RETENTION_DAYS = env.int("CANDIDATE_RETENTION_DAYS", default=60)  # unconfirmed objects that came to nothing
PLANETARY_KERNEL = env.str("PLANETARY_KERNEL", default="")  # a bigger DE440 file than the excerpt that is shipped
CLOCK_OFFSET_SECONDS = env.float("CLOCK_OFFSET_SECONDS", default=0.0)  # rehearsals: what the service takes for now
CLOCK_OFFSET_FILE = env.str(
    "CLOCK_OFFSET_FILE", default=""
)  # the same in a file, read anew each time: see docs/jobs.md

# E-mail about notices. Without EMAIL_URL none is sent; people find their notices in the service.
EMAIL_URL = env.str("EMAIL_URL", default="")
vars().update(env.email_url_config(EMAIL_URL or "dummymail://"))
EMAIL_TIMEOUT = 20
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", default="NEO Coordination <neo-coordination@localhost>")
PUBLIC_URL = env.str("PUBLIC_URL", default="").rstrip("/")  # of this service, for links in e-mail and calendars
NOTICE_RETENTION_DAYS = env.int("NOTICE_RETENTION_DAYS", default=90)  # how long notices are kept after they were read

# How many requests a caller of the API may make, as requests/seconds; empty: no limit. Tokens and people are counted
# by themselves, everybody else by address: behind proxies, say how many there are.
API_RATE_SIGNED_IN = env.str("API_RATE_SIGNED_IN", default="1200/60")
API_RATE_ANONYMOUS = env.str("API_RATE_ANONYMOUS", default="120/60")
API_BODY_LIMIT_BYTES = env.int("API_BODY_LIMIT_BYTES", default=1_048_576)  # larger bodies of requests are not read
# For development: webhooks may go to loopback addresses, without TLS too. Other private ones stay refused.
WEBHOOK_ALLOW_LOOPBACK = env.bool("WEBHOOK_ALLOW_LOOPBACK", default=False)
TRUSTED_PROXIES = env.int("TRUSTED_PROXIES", default=0)

# Providers. PROVIDERS_OFFLINE names those (coordination.common.providers.registry) that are not asked, or is "all".
PROVIDERS_OFFLINE = env.list("PROVIDERS_OFFLINE", default=[])
PROVIDER_URLS = env.dict("PROVIDER_URLS", default={})  # name=address of a mirror or simulator, comma-separated
PROVIDER_VERSIONS = env.dict("PROVIDER_VERSIONS", default={})  # name=a version of its format that may be read as well
PROVIDER_CONTACT = env.str("PROVIDER_CONTACT", default="")  # said to providers; without it PUBLIC_URL
PROVIDER_TIMEOUT_S = env.float("PROVIDER_TIMEOUT_S", default=60.0)  # of one request, from connecting to the last byte
PROVIDER_ATTEMPTS = env.int("PROVIDER_ATTEMPTS", default=3)
PROVIDER_RETRY_S = env.float("PROVIDER_RETRY_S", default=1.0)  # before the second attempt, plus jitter; doubles
PROVIDER_LONGEST_WAIT_S = env.float("PROVIDER_LONGEST_WAIT_S", default=20.0)  # longer Retry-After: given up for now
PROVIDER_PAUSE_S = env.float("PROVIDER_PAUSE_S", default=0.5)  # between two requests to one operator
PROVIDER_TURN_WAIT_S = env.float("PROVIDER_TURN_WAIT_S", default=120.0)  # for others that ask the same operator
HORIZONS_TOLERANCE_ARCSEC = env.float("HORIZONS_TOLERANCE_ARCSEC", default=1.0)  # of our positions to those of Horizons
PROVIDER_MOST_BYTES = env.int("PROVIDER_MOST_BYTES", default=0)  # of one answer, where less than each provider's own

# --- the project -----------------------------------------------------------------------------------------------------
INSTALLED_APPS = [
    "unfold",
    "unfold.contrib.filters",
    "unfold.contrib.simple_history",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "django_filters",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "simple_history",
    "django_celery_beat",
    "health_check",
    "axes",
    "django_otp",
    "django_otp.plugins.otp_totp",
    "django_otp.plugins.otp_static",
    "coordination",
    "coordination.common",
    "observatories",
    "targets",
    "coordination.partners",
    "coordination.visibility",
    "coordination.campaigns",
    "coordination.booking",
    "coordination.feeds",
    "coordination.web",
]

MIDDLEWARE = [
    "coordination.common.refusals.problems",  # first: whatever refuses, the API's refusals are problems
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "coordination.web.compressing.CompressPages",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "coordination.web.language.in_the_readers_language",
    "coordination.common.refusals.SlashMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "coordination.web.signin.sessions.require_second_step",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "simple_history.middleware.HistoryRequestMiddleware",
    "coordination.partners.throttling.add_headers",
    "coordination.web.signin.sessions.keep_what_was_typed",
    "axes.middleware.AxesMiddleware",
]

ROOT_URLCONF = "coordination.urls"
WSGI_APPLICATION = "coordination.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
AUTH_USER_MODEL = "observatories.User"
LOGIN_URL = "sign-in"
LOGIN_REDIRECT_URL = "landing"
CSRF_FAILURE_VIEW = "coordination.web.views.refused.form_not_taken"
LOGOUT_REDIRECT_URL = "sign-in"
PASSWORD_RESET_TIMEOUT = 3600  # seconds
AUTHENTICATION_BACKENDS = [
    "coordination.web.signin.lockout.LockingBackend",  # first: refuses a locked name before its password is looked at
    "django.contrib.auth.backends.ModelBackend",
]

# Lock-out: a name at an address, after so many wrong passwords, for so long.
AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = dt.timedelta(minutes=15)
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_CLIENT_IP_CALLABLE = "coordination.common.client_address.client_network"
AXES_RESET_ON_SUCCESS = True
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False  # the page says when it ends, and that stays true
AXES_LOCKOUT_CALLABLE = "coordination.web.signin.lockout.as_answered"
AXES_DISABLE_ACCESS_LOG = True  # who signs in from where is nobody's business
AXES_SENSITIVE_PARAMETERS = ["typed", "code", "next"]  # what is kept of a failed attempt leaves these out
AXES_VERBOSE = False
OTP_TOTP_ISSUER = "NEO Coordination"
INVITATION_DAYS = env.int("INVITATION_DAYS", default=7)  # how long the link of an invitation works

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]

# Everything is UTC; pages show local time beside it where a place is meant.
USE_TZ = True
TIME_ZONE = "UTC"
USE_I18N = True  # pages for people only: coordination.web.language
LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("fr", "Français")]
LOCALE_PATHS = [BASE_DIR / "coordination" / "locale"]
FORMAT_MODULE_PATH = "coordination.formats"

STATIC_URL = "static/"
STATIC_ROOT = env.str("STATIC_ROOT", default=str(NEO_STATE_DIR / "static"))
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}
WHITENOISE_USE_FINDERS = DEBUG

# The browser's cookies and transport.
if not DEBUG:
    SECURE_SSL_REDIRECT = env.bool("SECURE_SSL_REDIRECT", default=True)
    if env.bool("TRUST_X_FORWARDED_PROTO", default=False):  # only behind a proxy that always sets it
        SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SECURE_REDIRECT_EXEMPT = [r"^health/$"]  # asked by the container's own health check, without TLS
    SECURE_HSTS_SECONDS = env.int("SECURE_HSTS_SECONDS", default=31_536_000)
    SECURE_HSTS_INCLUDE_SUBDOMAINS = True
    SECURE_HSTS_PRELOAD = True
    SESSION_COOKIE_SECURE = True
    CSRF_COOKIE_SECURE = True

CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": REDIS_URL,
        "OPTIONS": {
            "socket_connect_timeout": 1,
            "socket_timeout": 3,
        },
    }
}

# --- Celery
# ------------------------------------------------------------------------------------------------------------
CELERY_BROKER_URL = REDIS_URL
CELERY_RESULT_BACKEND = None  # results are rows in the database
CELERY_BROKER_TRANSPORT_OPTIONS = {"socket_connect_timeout": 3}  # a request waits no longer for a broker that is down
CELERY_TASK_ROUTES = {  # what is quick goes first, then what somebody waits for, then chunks
    "visibility.compute_part": {"priority": 6},
    "visibility.compute_chunk": {"priority": 9},
}
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True  # a killed worker's task is delivered again; tasks are idempotent
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TIMEZONE = "UTC"
CELERY_BEAT_SCHEDULER = "django_celery_beat.schedulers:DatabaseScheduler"
# When each job runs. Those that ask one operator are minutes apart, to wait for each other.
_JOBS: dict[str, crontab | float] = {
    "refresh_catalogue": crontab(minute=20, hour=2, day_of_week="sunday"),
    "refresh_orbits": crontab(minute=5),
    "compare_ephemerides": crontab(minute=35),
    "refresh_risk": crontab(minute=15, hour="*/6"),
    "refresh_close_approaches": crontab(minute=25, hour="*/6"),
    "refresh_neocp": crontab(minute="10,40"),
    "refresh_scout": crontab(minute="12,42"),
    "refresh_observatories": crontab(minute=50, hour=2, day_of_week="monday"),
    "refresh_earth_orientation": crontab(minute=40, hour=2, day_of_week="saturday"),
    "clean_up": crontab(minute=30),
    # In seconds: what finds nothing to do most of the times.
    "plan_windows": 600.0,
    "requeue_windows": 30.0,
    "advance_slots": 30.0,
    "recheck_slots": 60.0,
    "read_events": 30.0,
    "deliver_webhooks": 15.0,
    "send_mail": 60.0,
    "requeue_jobs": 300.0,
}
# Defaults: copied into the database when beat starts, where the admin edits them. What comes every minute waits for a
# worker no longer than five, so that none of it piles up.
CELERY_BEAT_SCHEDULE = {
    f"job {name}": {
        "task": "jobs.run",
        "args": [name],
        "schedule": when,
        "options": {"expire_seconds": 300 if isinstance(when, float) else 1800},
    }
    for name, when in _JOBS.items()
}

# --- API
# -----------------------------------------------------------------------------------------------------------------
REST_FRAMEWORK = {
    "DEFAULT_SCHEMA_CLASS": "coordination.common.schema.SafeSchema",
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "coordination.partners.authentication.TokenAuthentication",  # first: it says how to sign in (401)
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_THROTTLE_CLASSES": ["coordination.partners.throttling.RateThrottle"],
    "NUM_PROXIES": TRUSTED_PROXIES,
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.AllowAny"],  # what is public; querysets do the rest
    "DEFAULT_RENDERER_CLASSES": [
        "rest_framework.renderers.JSONRenderer",
        "rest_framework.renderers.BrowsableAPIRenderer",
    ],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "coordination.common.negotiation.FormatNegotiation",
    "DEFAULT_PARSER_CLASSES": ["coordination.common.json_bodies.StrictJSONParser"],
    "DEFAULT_FILTER_BACKENDS": ["django_filters.rest_framework.DjangoFilterBackend"],
    "DEFAULT_PAGINATION_CLASS": "coordination.common.pagination.KeysetPagination",
    "EXCEPTION_HANDLER": "coordination.common.problems.exception_handler",
    "UNAUTHENTICATED_USER": "django.contrib.auth.models.AnonymousUser",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "NEO Coordination",
    "VERSION": "1",
    "OAS_VERSION": "3.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "COMPONENT_SPLIT_REQUEST": True,
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "coordination.common.tables.describe_tables",
        "coordination.common.sparse.describe_sparse",
        "coordination.common.schema.add_problems",
        "coordination.api_document.complete",
    ],
    "ENUM_NAME_OVERRIDES": {
        "TargetKindEnum": "targets.models.Target.Kind",
        "DesignationKindEnum": "targets.models.Designation.Kind",
        "ObservatoryKindEnum": "observatories.models.Observatory.Kind",
        "OrbitSourceEnum": "targets.models.Orbit.Source",
        "TelescopeStateEnum": "observatories.models.Telescope.State",
        "WindowTrustEnum": ["good", "fair", "poor"],  # no window where an orbit is unusable
        "WindowComputationStateEnum": "coordination.visibility.models.WindowComputation.State",
        "WebhookStateEnum": "coordination.partners.models.Webhook.State",
        "DeliveryStateEnum": "coordination.partners.models.WebhookDelivery.State",
        "EphemerisSourceEnum": "targets.models.Ephemeris.Source",
        "ChosenEphemerisSourceEnum": "targets.models.Target.EphemerisSource",
        "TargetVisibilityEnum": "targets.models.Target.Visibility",
        "CampaignKindEnum": "coordination.campaigns.models.Campaign.Kind",
        "CampaignStateEnum": "coordination.campaigns.models.Campaign.State",
        "CampaignVisibilityEnum": "coordination.campaigns.models.Campaign.Visibility",
        "ModeEnum": "coordination.campaigns.models.Campaign.Mode",
        "ParticipationStateEnum": "coordination.campaigns.models.Participation.State",
        "SlotKindEnum": "coordination.booking.models.Slot.Kind",
        "SlotStateEnum": "coordination.booking.models.Slot.State",
        "SeatStateEnum": "coordination.booking.seats.SeatState",
        "ClaimStateEnum": "coordination.booking.models.Claim.State",
        "BookingStateEnum": "coordination.booking.models.Booking.State",
        "BookingResultEnum": "coordination.booking.models.Booking.Result",
    },
}

UNFOLD = {
    "SITE_TITLE": "NEO Coordination",
    "SITE_HEADER": "NEO Coordination",
    "SITE_SUBHEADER": "joint observations of near-Earth asteroids",
    "SHOW_HISTORY": True,
    "SITE_ICON": lambda request: static("web/icon.svg"),
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": lambda request: static("web/icon.svg")}],
    "STYLES": [lambda request: static("web/admin.css")],
    "SCRIPTS": [lambda request: static("web/admin.js")],
    "SIDEBAR": {"show_search": True, "show_all_applications": True, "navigation": "coordination.web.desk.menu.menu"},
}

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname} {name}: {message}", "style": "{"}},
    "filters": {"hide_secrets": {"()": "coordination.common.secrecy.HideSecrets"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["hide_secrets"]}},
    "root": {"handlers": ["stderr"], "level": env.str("LOG_LEVEL", default="WARNING")},
    "loggers": {
        **{
            name: {"level": env.str("LOG_LEVEL", default="INFO")}
            for name in ("coordination", "targets", "observatories")
        },
        # These two quote addresses; a filter of theirs works for every handler, mail to administrators included.
        "django.request": {"filters": ["hide_secrets"]},
        "gunicorn.access": {"filters": ["hide_secrets"]},
    },
}
