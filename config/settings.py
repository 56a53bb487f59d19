"""Copydesk's settings: one file, driven by the environment and by `.env` (or ENV_FILE).

Every variable is listed in docs/settings.md. Anything security-related has the safe value by default.
"""

from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured

BASE_DIR = Path(__file__).resolve().parent.parent
VAR_DIR = BASE_DIR / "var"
LOOPBACK = ["localhost", "127.0.0.1", "[::1]"]

env = environ.Env()
env.read_env(env.path("ENV_FILE", default=str(BASE_DIR / ".env")))

# --- Who we are ---------------------------------------------------------------------------------

DEBUG = env.bool("DEBUG", default=False)

SECRET_KEY = env.str("SECRET_KEY", default="")
if not SECRET_KEY:
    raise ImproperlyConfigured(
        "SECRET_KEY is not set. Put a long random one into the environment or into .env, for example from\n"
        "    python -c 'import secrets; print(secrets.token_urlsafe(50))'\n"
        "`make run` does that for a local demo."
    )

ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=LOOPBACK)


def _default_site_url() -> str:
    """https on the first host that readers use; plain http while only this machine does."""
    public = [host for host in ALLOWED_HOSTS if host not in LOOPBACK and not host.startswith(("*", "."))]
    return f"https://{public[0]}" if public else "http://127.0.0.1:8000"


SITE_NAME = env.str("SITE_NAME", default="Copydesk")
SITE_DESCRIPTION = env.str("SITE_DESCRIPTION", default="News worth reading, picked by people.")
SITE_URL = env.str("SITE_URL", default=_default_site_url()).rstrip("/")

# --- What readers see first ---------------------------------------------------------------------

# A story's points are the weighted mean of its quality and heat, halved every so many hours: see articles/ranking.py.
FRONT_QUALITY_WEIGHT = env.float("FRONT_QUALITY_WEIGHT", default=1.0)
FRONT_HEAT_WEIGHT = env.float("FRONT_HEAT_WEIGHT", default=0.5)
FRONT_HALF_LIFE_HOURS = env.float("FRONT_HALF_LIFE_HOURS", default=24.0)
if min(FRONT_QUALITY_WEIGHT, FRONT_HEAT_WEIGHT) < 0 or FRONT_HALF_LIFE_HOURS <= 0:
    raise ImproperlyConfigured("FRONT_… weights cannot be negative, and the half-life has to be more than 0 hours.")

# Hosts whose players a film's page may show, once its reader has asked for it.
EMBED_HOSTS = env.list("EMBED_HOSTS", default=["www.youtube.com", "www.youtube-nocookie.com", "player.vimeo.com"])

# What a story has to have before editors can make it public; the rest of articles/checks.py is advice.
CHECKS_REQUIRED = env.list("CHECKS_REQUIRED", default=["title"])
_CHECKS = ["title", "link", "provider", "topic", "picture", "alt", "duplicate"]
if unknown := [name for name in CHECKS_REQUIRED if name not in _CHECKS]:
    raise ImproperlyConfigured(f"CHECKS_REQUIRED: {unknown[0]} is none of {', '.join(_CHECKS)}.")

# --- What is installed --------------------------------------------------------------------------

INSTALLED_APPS = [
    "config.apps.CopydeskAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.sitemaps",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "taggit",
    "django_tasks",
    "images",
    "providers",
    "articles",
]

MIDDLEWARE = [
    "config.middleware.ContentPolicyMiddleware",  # these two see to all answers, refusals of the next one included
    "config.middleware.SharingMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",  # has compressed files of its own
    "config.page_cache.PageCacheMiddleware",
    "config.middleware.CompressionMiddleware",  # outside of ConditionalGet: an ETag is of the text, packed or not
    "django.contrib.sessions.middleware.SessionMiddleware",
    "config.middleware.ConditionalMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "config.middleware.MissingPageMiddleware",
]

ROOT_URLCONF = "config.urls"
FORCE_SCRIPT_NAME = ""  # the site begins at its host's root, whatever a request's headers claim
WSGI_APPLICATION = "config.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "articles.context.site",
            ],
        },
    },
]

# --- Where things are kept ----------------------------------------------------------------------

DATABASES = {"default": env.db_url("DATABASE_URL", default="sqlite:///var/copydesk.sqlite3")}
_database = DATABASES["default"]
if _database["ENGINE"] == "django.db.backends.sqlite3":
    if not str(_database["NAME"]).startswith((":memory:", "file:")):
        _database["NAME"] = BASE_DIR / _database["NAME"]  # a relative path means: beside manage.py
        _database["NAME"].parent.mkdir(parents=True, exist_ok=True)
    # Writers queue for the lock when a transaction begins, so none dies half-way with "database is locked".
    _database["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
    }
else:
    _database["CONN_HEALTH_CHECKS"] = True
    # Compiling a query takes longer than any of ours: PostgreSQL does it where it expects much and finds little.
    _database["OPTIONS"] = {"options": "-c jit=off"} | _database.get("OPTIONS", {})
_database["CONN_MAX_AGE"] = env.int("CONN_MAX_AGE", default=60)
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

CACHES = {"default": env.cache_url("CACHE_URL", default="locmemcache://")}
_shared_cache = "redis" in CACHES["default"]["BACKEND"]
if _shared_cache:
    CACHES["default"]["BACKEND"] = "config.caches.RedisCache"
    CACHES["default"]["OPTIONS"] = {"socket_connect_timeout": 1, "socket_timeout": 1} | CACHES["default"].get(
        "OPTIONS", {}
    )
CACHES["pages"] = CACHES["default"] | {"LOCATION": CACHES["default"].get("LOCATION") or "pages", "KEY_PREFIX": "pages"}
if "locmem" in CACHES["pages"]["BACKEND"]:
    CACHES["pages"] |= {"LOCATION": "pages", "OPTIONS": {"MAX_ENTRIES": 2_000}}  # of some 10 KB, in each process
# A cache of each process's own would keep a session alive in one after the log-out in another.
SESSION_ENGINE = f"django.contrib.sessions.backends.{'cached_db' if _shared_cache else 'db'}"

# The background work's wake-up calls. What there is to do stands in the database, whatever these are kept in.
QUEUE_URL = env.str("QUEUE_URL", default="")
if QUEUE_URL:
    INSTALLED_APPS += ["django_rq", "django_tasks_rq"]
    RQ_QUEUES = {"default": {"URL": QUEUE_URL, "DEFAULT_TIMEOUT": 600, "DEFAULT_RESULT_TTL": 3600}}
    TASKS = {"default": {"BACKEND": "django_tasks_rq.RQBackend"}}
else:
    INSTALLED_APPS += ["django_tasks_db"]
    TASKS = {"default": {"BACKEND": "django_tasks_db.DatabaseBackend"}}

# Whole pages for readers (docs/operations.md). With DEBUG on they would hide what has been edited.
PAGE_CACHE_SECONDS = env.int("PAGE_CACHE_SECONDS", default=0 if DEBUG else 600)
CDN_SECONDS = env.int("CDN_SECONDS", default=10)
PURGE_URL = env.str("PURGE_URL", default="")  # what the worker sends a POST to when the public site has changed
PURGE_HEADERS = env.dict("PURGE_HEADERS", default={"Content-Type": "application/json"})
PURGE_BODY = env.str("PURGE_BODY", default='{"purge_everything":true}')

MEDIA_URL = env.str("MEDIA_URL", default="/media/")
MEDIA_ROOT = BASE_DIR / env.str("MEDIA_ROOT", default="var/media")
MEDIA_ACCEL = env.str("MEDIA_ACCEL", default="")  # where nginx keeps MEDIA_ROOT for itself

STATIC_URL = "/static/"
STATIC_ROOT = BASE_DIR / env.str("STATIC_ROOT", default="var/static")
STATICFILES_DIRS = [BASE_DIR / "static"]
# Until `collectstatic` has run, static files are served as they lie in the apps.
WHITENOISE_USE_FINDERS = DEBUG or not (STATIC_ROOT / "staticfiles.json").exists()
WHITENOISE_AUTOREFRESH = DEBUG


def media_storage(url: str) -> dict[str, object]:
    """Files under MEDIA_ROOT, or `s3://bucket/prefix?endpoint_url=…&region_name=…`: django-storages' own options."""
    if not url:
        return {"BACKEND": "django.core.files.storage.FileSystemStorage"}
    parts = urlsplit(url)
    if parts.scheme != "s3" or not parts.hostname:
        raise ImproperlyConfigured("MEDIA_STORAGE is either empty or s3://bucket, with options behind a question mark.")
    options = dict(parse_qsl(parts.query, strict_parsing=bool(parts.query)))
    fixed = {"bucket_name": parts.hostname, "location": parts.path.strip("/"), "default_acl": None}
    return {"BACKEND": "config.object_storage.ObjectStorage", "OPTIONS": fixed | options}


STORAGES = {
    "default": media_storage(env.str("MEDIA_STORAGE", default="")),
    "staticfiles": {"BACKEND": "config.storage.StaticStorage"},
}

# --- Safety -------------------------------------------------------------------------------------

_https = urlsplit(SITE_URL).scheme == "https"
SECURE_SSL_REDIRECT = _https
SECURE_REDIRECT_EXEMPT = [r"^healthz$"]
SECURE_HSTS_SECONDS = env.int("HSTS_SECONDS", default=3600 if _https else 0)
SECURE_HSTS_INCLUDE_SUBDOMAINS = env.bool("HSTS_INCLUDE_SUBDOMAINS", default=_https)
SECURE_HSTS_PRELOAD = env.bool("HSTS_PRELOAD", default=_https)
SECURE_REFERRER_POLICY = "strict-origin-when-cross-origin"
SESSION_COOKIE_SECURE = _https
CSRF_COOKIE_SECURE = _https
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[SITE_URL])
X_FRAME_OPTIONS = "DENY"
if env.bool("BEHIND_PROXY", default=False):  # only where the proxy sets or strips this header itself
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]

# Hosts (or host:port) that outgoing fetches may reach although their address is not public.
FETCH_ALLOW_HOSTS = env.list("FETCH_ALLOW_HOSTS", default=[])

# --- The rest -----------------------------------------------------------------------------------

LANGUAGE_CODE = env.str("LANGUAGE_CODE", default="en-gb")
FORMAT_MODULE_PATH = "config.formats"
TIME_ZONE = env.str("TIME_ZONE", default="UTC")
USE_TZ = True

TAGGIT_CASE_INSENSITIVE = True
FORMS_URLFIELD_ASSUME_HTTPS = True  # `example.com` typed means https, as in Django 6; goes away there

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname} {name}: {message}", "style": "{"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": env.str("LOG_LEVEL", default="INFO")},
    "loggers": {"django": {"handlers": [], "level": "INFO", "propagate": True}},
}
