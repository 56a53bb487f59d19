"""The cache in Redis, which the site can do without."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Any

from django.core.cache.backends import redis as django_redis
from redis.exceptions import RedisError

if TYPE_CHECKING:
    from collections.abc import Callable

PAUSE = 5  # seconds for which a Redis that failed is not asked again by this process

_log = logging.getLogger(__name__)


class RedisCache(django_redis.RedisCache):
    """While Redis does not answer nothing is found in it and nothing kept. Deleting still fails aloud: a session that
    was ended must not come back with it."""

    _left_alone_until = 0.0  # by the clock of `time.monotonic`, for all threads

    def get(self, key: Any, default: Any = None, version: int | None = None) -> Any:
        return self._asked(super().get, default, key, default, version=version)

    def has_key(self, key: Any, version: int | None = None) -> bool:
        return bool(self._asked(super().has_key, False, key, version=version))

    def set(self, key: Any, *args: Any, **kwargs: Any) -> None:
        self._asked(super().set, None, key, *args, **kwargs)

    def add(self, key: Any, *args: Any, **kwargs: Any) -> bool:
        return bool(self._asked(super().add, False, key, *args, **kwargs))

    def _asked(self, method: Callable[..., Any], otherwise: Any, *args: Any, **kwargs: Any) -> Any:
        if time.monotonic() < RedisCache._left_alone_until:
            return otherwise
        try:
            return method(*args, **kwargs)
        except RedisError as error:
            RedisCache._left_alone_until = time.monotonic() + PAUSE
            _log.warning("Redis does not answer; the site goes on without it: %s", error)
            return otherwise
