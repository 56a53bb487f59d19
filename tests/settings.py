"""The settings under test: the real ones, with what a test must not touch put aside.

Neither a developer's .env nor the shell's variables leak in: only TEST_DATABASE_URL and TEST_CACHE_URL
choose services.
"""

import os
import tempfile

_worker = os.environ.get("PYTEST_XDIST_WORKER", "main")

for _name in (
    "BEHIND_PROXY",
    "CDN_SECONDS",
    "CHECKS_REQUIRED",
    "CONN_MAX_AGE",
    "CSRF_TRUSTED_ORIGINS",
    "EMBED_HOSTS",
    "FETCH_ALLOW_HOSTS",
    "FRONT_HALF_LIFE_HOURS",
    "FRONT_HEAT_WEIGHT",
    "FRONT_QUALITY_WEIGHT",
    "HSTS_INCLUDE_SUBDOMAINS",
    "HSTS_PRELOAD",
    "HSTS_SECONDS",
    "LANGUAGE_CODE",
    "LOG_LEVEL",
    "MEDIA_ACCEL",
    "MEDIA_STORAGE",
    "MEDIA_URL",
    "PAGE_CACHE_SECONDS",
    "PURGE_BODY",
    "PURGE_HEADERS",
    "PURGE_URL",
    "QUEUE_URL",
    "SITE_DESCRIPTION",
    "SITE_NAME",
    "STATIC_ROOT",
    "TIME_ZONE",
):
    os.environ.pop(_name, None)
os.environ |= {
    "ENV_FILE": os.devnull,
    "SECRET_KEY": "only-for-tests-" + "x" * 50,
    "DEBUG": "off",
    "ALLOWED_HOSTS": "localhost,127.0.0.1,testserver",
    "SITE_URL": "http://testserver",
    "DATABASE_URL": os.environ.get("TEST_DATABASE_URL") or "sqlite://:memory:",
    "CACHE_URL": os.environ.get("TEST_CACHE_URL") or "locmemcache://",
    "MEDIA_ROOT": tempfile.mkdtemp(prefix="copydesk-test-media-"),
}

from config.settings import *  # noqa: E402, F403  (the environment has to be set first)
from config.settings import CACHES, DATABASES  # noqa: E402

CACHES["default"]["KEY_PREFIX"] = f"copydesk-test-{_worker}"
CACHES["pages"]["KEY_PREFIX"] = f"copydesk-test-{_worker}-pages"
PAGE_CACHE_SECONDS = 0  # each test that wants pages kept says so: most change the database and look again
DATABASES["default"]["CONN_MAX_AGE"] = 0  # a kept connection would stop the test database from being dropped
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
SESSION_ENGINE = "django.contrib.sessions.backends.db"  # as many queries whatever the cache
WHITENOISE_AUTOREFRESH = True  # no scan of every static file for each test client
TASKS = {"default": {"BACKEND": "django_tasks.backends.dummy.DummyBackend"}}  # keeps what is enqueued, and runs nothing
