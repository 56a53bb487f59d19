"""Says clearly which of the services that `make check` needs is missing: `python -m tests.services`."""

import os
import shutil
import sys


def chromium() -> str | None:
    """The browser to drive: $CHROMIUM, or the one on PATH."""
    chosen = os.environ.get("CHROMIUM")
    names = [chosen] if chosen else ["chromium", "chromium-browser", "google-chrome"]
    return next((found for name in names if (found := shutil.which(name))), None)


def database_problem(url: str) -> str:
    import psycopg

    try:
        psycopg.connect(url, connect_timeout=5).close()
    except psycopg.Error as error:
        return f"PostgreSQL does not let us in (TEST_DATABASE_URL={url}): {error}"
    return ""


def cache_problem(url: str) -> str:
    import redis

    try:
        with redis.Redis.from_url(url, socket_connect_timeout=5) as client:
            client.ping()
    except (redis.RedisError, ValueError) as error:
        return f"Redis does not answer (TEST_CACHE_URL={url}): {error}"
    return ""


def chromium_problem() -> str:
    wanted = os.environ.get("CHROMIUM", "")
    return "" if chromium() else f"Chromium was not found: install it, or name it in CHROMIUM (now {wanted!r})."


def audits_problem() -> str:
    missing = [name for name in ("node", "java") if shutil.which(name) is None]
    return f"The checks of pages need {' and '.join(missing)} (Node.js, a Java runtime)." if missing else ""


def main() -> None:
    problems = [
        database_problem(os.environ.get("TEST_DATABASE_URL", "")),
        cache_problem(os.environ.get("TEST_CACHE_URL", "")),
        chromium_problem(),
        audits_problem(),
    ]
    if found := [problem for problem in problems if problem]:
        sys.exit("\n".join(["`make check` needs services that are not there:", *found]))


if __name__ == "__main__":
    main()
