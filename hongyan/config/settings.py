"""Django settings. Everything an installation may change is an ``HONGYAN_…`` variable with its reason beside it."""

from pathlib import Path
from urllib.parse import urlsplit

from django.utils.translation import gettext_lazy as _

from hongyan.core import dsn, embedded, env

BASE_DIR = Path(__file__).resolve().parents[2]
PACKAGE_DIR = BASE_DIR / "hongyan"

HONGYAN_DATA_DIR = Path(
    env.text("HONGYAN_DATA_DIR", str(BASE_DIR / "var"), "Folder of the embedded database, keys and uploaded files")
).resolve()
HONGYAN_DATABASE_URL = env.text(
    "HONGYAN_DATABASE_URL", "", "postgresql://… of your own PostgreSQL (16 or newer); empty starts the embedded one"
)
HONGYAN_MASTER_KEY = env.text(
    "HONGYAN_MASTER_KEY",
    "",
    "32 bytes, base64 or hex, that wrap all data keys; empty uses master.key in the data folder",
)
HONGYAN_PORT = env.integer("HONGYAN_PORT", 8600, "Port of the web pages", low=1, high=65535)
HONGYAN_HOST = env.text("HONGYAN_HOST", "127.0.0.1", "Address the web server listens on")
HONGYAN_BASE_URL = env.text(
    "HONGYAN_BASE_URL", f"http://localhost:{HONGYAN_PORT}", "Public address: links in mails are built from it"
).rstrip("/")
HONGYAN_SMTP_URL = env.text(
    "HONGYAN_SMTP_URL",
    "",
    "smtp://user:password@host:port (STARTTLS when offered), smtps://… (TLS at once); empty uses the mail catcher",
)
HONGYAN_SMTP_CONNECTIONS = env.integer(
    "HONGYAN_SMTP_CONNECTIONS", 16, "Connections kept open to the relay", low=1, high=256
)
HONGYAN_CATCHER_PORT = env.integer("HONGYAN_CATCHER_PORT", 8625, "Port of the local mail catcher", low=1, high=65535)
HONGYAN_BOUNCE_DOMAIN = env.text(
    "HONGYAN_BOUNCE_DOMAIN", "bounces.hongyan.example", "Domain of envelope senders (bounce+…@)"
)
HONGYAN_MAIL_DOMAIN = env.text(
    "HONGYAN_MAIL_DOMAIN", "mail.hongyan.example", "Domain of Message-ID and List-ID, and EHLO name"
)
HONGYAN_WEB_WORKERS = env.integer("HONGYAN_WEB_WORKERS", 1, "Web processes", low=1, high=64)
HONGYAN_WORKERS = env.integer("HONGYAN_WORKERS", 1, "Worker processes", low=1, high=64)
HONGYAN_TRUSTED_PROXIES = env.text(
    "HONGYAN_TRUSTED_PROXIES", "", "Comma-separated addresses of proxies whose X-Forwarded-For is believed"
)
HONGYAN_OUTBOX_KEEP_MONTHS = env.integer(
    "HONGYAN_OUTBOX_KEEP_MONTHS",
    24,
    "Months the send log is kept; links in older mails no longer lead anywhere",
    low=12,
)
HONGYAN_MIN_FREE_MB = env.integer(
    "HONGYAN_MIN_FREE_MB", 1024, "Free disk below which imports and new sends are refused (PostgreSQL stops when full)"
)
HONGYAN_SOURCE_FOLDERS = env.text(
    "HONGYAN_SOURCE_FOLDERS",
    "",
    "Folders on this server, separated by colons, in which scheduled sources may read files and SQLite databases; "
    "empty: only incoming/ in the data folder",
)
HONGYAN_HISTORY_URL = env.text(
    "HONGYAN_HISTORY_URL",
    "",
    "Where the columnar history lies: a folder (/…) or s3://bucket/folder?region=…&endpoint=https://…; "
    "empty: history/ in the data folder",
)
HONGYAN_HISTORY_S3_KEY = env.text(
    "HONGYAN_HISTORY_S3_KEY", "", "Access key of that bucket; empty: as the environment or the machine's role gives it"
)
HONGYAN_HISTORY_S3_SECRET = env.text("HONGYAN_HISTORY_S3_SECRET", "", "The secret that belongs to the access key")
HONGYAN_HISTORY_MEMORY_MB = env.integer(
    "HONGYAN_HISTORY_MEMORY_MB",
    256,
    "What the web process and the worker may each keep in memory of the history's files, decoded, so that live counts "
    "need not read them again; 0: nothing",
)
HONGYAN_SPARK_URL = env.text(
    "HONGYAN_SPARK_URL",
    "",
    "A Spark Connect server, sc://host:15002, that answers questions about everybody over the same files; "
    "empty: DuckDB inside this process does",
)
HONGYAN_METRICS_TOKEN = env.text(
    "HONGYAN_METRICS_TOKEN", "", "Bearer token for /metrics; empty: it answers to this machine only"
)
HONGYAN_ALLOWED_HOSTS = env.text(
    "HONGYAN_ALLOWED_HOSTS", "", "Comma-separated host names besides the one of the base URL"
)


try:
    _database = dsn.django_database(
        HONGYAN_DATABASE_URL or embedded.url(HONGYAN_DATA_DIR), default_name=embedded.DATABASE
    )
except dsn.BadAddress as _error:
    raise env.BadSetting(f"HONGYAN_DATABASE_URL is no address of a database: {_error}") from None
DATABASES = {"default": _database}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"


def _django_secret() -> str:
    """Sessions and CSRF: derived from the master key, so that there is one secret to keep."""
    import hashlib
    import hmac

    from hongyan.core.crypto import master

    key = (
        master.parse(HONGYAN_MASTER_KEY)
        if HONGYAN_MASTER_KEY
        else master.read_or_create(HONGYAN_DATA_DIR / "master.key")
    )
    return hmac.new(key, b"django-secret-key", hashlib.sha256).hexdigest()


SECRET_KEY = _django_secret()
DEBUG = False
ALLOWED_HOSTS = [
    urlsplit(HONGYAN_BASE_URL).hostname or "localhost",
    "localhost",
    "127.0.0.1",
    "[::1]",
    *filter(None, (host.strip() for host in HONGYAN_ALLOWED_HOSTS.split(","))),
]
CSRF_TRUSTED_ORIGINS = [HONGYAN_BASE_URL]

# One Django app a room that has tables or templates, bottom to top; web areas are apps of their own so that each keeps
# its pages, words and catalogue together.
ROOMS = [
    "hongyan.core",
    "hongyan.audit",
    "hongyan.jobs",
    "hongyan.accounts",
    "hongyan.events",
    "hongyan.contacts",
    "hongyan.identity",
    "hongyan.commerce",
    "hongyan.audience",
    "hongyan.content",
    "hongyan.delivery",
    "hongyan.ingest",
    "hongyan.campaigns",
    "hongyan.analytics",
    "hongyan.edge",
    "hongyan.api",
    "hongyan.web",
    "hongyan.web.home",
    "hongyan.web.contacts",
    "hongyan.web.imports",
    "hongyan.web.sources",
    "hongyan.web.events",
    "hongyan.web.identity",
    "hongyan.web.commerce",
    "hongyan.web.audiences",
    "hongyan.web.mails",
    "hongyan.web.campaigns",
    "hongyan.web.catcher",
    "hongyan.web.reports",
    "hongyan.web.settings",
    "hongyan.config",
]
INSTALLED_APPS = [
    *reversed(ROOMS),  # upper rooms first: their templates win over the libraries'
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.humanize",
    "django.contrib.postgres",
    "django.contrib.staticfiles",
    "ninja",  # the pages and scripts of the API description
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "procrastinate.contrib.django",
]
MIDDLEWARE = [
    "hongyan.web.middleware.SecurityHeadersMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "hongyan.web.middleware.SessionActivityMiddleware",
    "hongyan.web.middleware.StaffMiddleware",
    "hongyan.api.idempotency.IdempotencyMiddleware",
    "hongyan.web.settings.second_factor.SecondFactorMiddleware",
]
ROOT_URLCONF = "hongyan.config.urls"
ASGI_APPLICATION = "hongyan.config.asgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "hongyan.web.context.shell",
            ],
        },
    }
]
FORM_RENDERER = "django.forms.renderers.TemplatesSetting"
INSTALLED_APPS.insert(len(ROOMS), "django.forms")

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.ScryptPasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
ACCOUNT_LOGOUT_REDIRECT_URL = "account_login"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "none"  # users are invited by an administrator
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = False  # strangers cannot have us write to whatever address they type
ACCOUNT_ADAPTER = "hongyan.accounts.adapter.AccountAdapter"
ACCOUNT_RATE_LIMITS = {"login": "30/m/ip", "login_failed": "10/m/ip,5/300s/key"}
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = HONGYAN_BASE_URL.startswith("http://localhost")
USERSESSIONS_TRACK_ACTIVITY = True

SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = 14 * 24 * 3600
SESSION_COOKIE_NAME = "hongyan_session"
CSRF_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_NAME = "hongyan_csrf"
_HTTPS = HONGYAN_BASE_URL.startswith("https://")
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = _HTTPS
SECURE_HSTS_SECONDS = 31_536_000 if _HTTPS else 0
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if HONGYAN_TRUSTED_PROXIES else None
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "SAMEORIGIN"
CSRF_FAILURE_VIEW = "hongyan.web.refusals.csrf_refused"
DATA_UPLOAD_MAX_MEMORY_SIZE = 16 * 2**20
FILE_UPLOAD_MAX_MEMORY_SIZE = 4 * 2**20
FILE_UPLOAD_HANDLERS = ["hongyan.ingest.uploads.SealedUploadHandler"]  # the others spool clear text

CACHES = {"default": {"BACKEND": "django.core.cache.backends.db.DatabaseCache", "LOCATION": "core_cache"}}

LANGUAGE_CODE = "zh-hans"
LANGUAGES = [("zh-hans", "简体中文"), ("en", "English")]
LANGUAGE_COOKIE_NAME = "hongyan_language"
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"
HONGYAN_TIME_ZONE = env.text("HONGYAN_TIME_ZONE", "Asia/Shanghai", "IANA zone in which pages show times and days begin")

STATIC_URL = "/static/"
WHITENOISE_USE_FINDERS = True  # served from where they are; there is no collected copy
WHITENOISE_IMMUTABLE_FILE_TEST = r"^/static/build/assets/"  # the build puts a hash into these names
WHITENOISE_AUTOREFRESH = False

# Mail to staff (invitations, password resets) goes the same way as the rest.
EMAIL_BACKEND = "hongyan.delivery.staff_mail.StaffMailBackend"
DEFAULT_FROM_EMAIL = f"Hongyan <no-reply@{HONGYAN_MAIL_DOMAIN}>"

PROCRASTINATE_ON_APP_READY = "hongyan.jobs.ready.on_app_ready"

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"json": {"()": "hongyan.core.logs.JSONFormatter"}},
    "handlers": {"out": {"class": "logging.StreamHandler", "formatter": "json"}},
    "root": {"handlers": ["out"], "level": "WARNING"},
    "loggers": {"hongyan": {"level": "INFO"}, "django.request": {"level": "ERROR"}},
}
PRODUCT_NAME = _("Hongyan")
