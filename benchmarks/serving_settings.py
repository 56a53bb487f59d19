"""The site's own settings, with a constant page beside it; COLD=on keeps no page, so that each is made anew."""

from config.settings import *  # noqa: F403
from config.settings import CACHES, env

ROOT_URLCONF = "benchmarks.serving_urls"
if env.bool("COLD", default=False):
    CACHES["pages"] = {"BACKEND": "django.core.cache.backends.dummy.DummyCache"}
