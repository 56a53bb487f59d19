"""Servers as readers meet them: processes of their own that share one database, and no worker.

A `Site` has a database, a media folder and any number of gunicorn processes on loopback. It is SQLite in a file, or a
database of its own on the server of TEST_DATABASE_URL.
"""

from __future__ import annotations

import contextlib
import html
import http.client
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlencode, urlsplit, urlunsplit

ROOT = Path(__file__).resolve().parents[1]
PATIENCE = 30  # seconds until a server answers
NOT_READERS = ("/admin/", "/media/", "/static/")
_LINKS = re.compile(r'(?:href|action|src)="(/[^"#]*)|[>" ]http://127\.0\.0\.1(/[^<"#\s]*)')
LOGIN = ("ana", "correct horse battery")


@dataclass
class Answer:
    status: int
    headers: dict[str, str]  # names in lower case
    text: str


@dataclass
class Server:
    port: int
    process: subprocess.Popen[bytes]
    cookies: dict[str, str] = field(default_factory=dict)

    def ask(self, address: str, form: dict[str, str] | None = None) -> Answer:
        """GET, or POST a form, with the cookies that it has set; redirects are not followed."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())}
        body = None
        if form is not None:
            body = urlencode(form)
            headers |= {"Content-Type": "application/x-www-form-urlencoded", "Origin": f"http://127.0.0.1:{self.port}"}
        with contextlib.closing(connection):
            connection.request("GET" if form is None else "POST", address, body, headers)
            response = connection.getresponse()
            for name, value in response.getheaders():
                if name.lower() == "set-cookie":
                    key, _, rest = value.partition("=")
                    self.cookies[key] = rest.partition(";")[0]
            told = {name.lower(): value for name, value in response.getheaders()}
            return Answer(response.status, told, response.read().decode(errors="replace"))

    def url(self, address: str) -> str:
        return f"http://127.0.0.1:{self.port}{address}"

    def crawl(self, *addresses: str) -> dict[str, Answer]:
        """What readers are answered at every address that can be reached from the front page, robots.txt and these."""
        found: dict[str, Answer] = {}
        waiting = ["/", "/robots.txt", *addresses]
        while waiting:
            address = waiting.pop()
            if address in found or address.startswith(NOT_READERS):
                continue
            found[address] = self.as_reader(address)
            waiting += [html.unescape(link[0] or link[1]) for link in _LINKS.findall(found[address].text)]
        return found

    def as_reader(self, address: str) -> Answer:
        """GET without any cookie."""
        return Server(self.port, self.process).ask(address)

    def send(self, page: str, address: str, **form: str) -> Answer:
        """POST to `address` what a form on `page` would send."""
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', self.ask(page).text)
        assert token, f"{page} has no form"
        return self.ask(address, {"csrfmiddlewaretoken": token[1], **form})

    def log_in(self) -> None:
        name, password = LOGIN
        login = "/admin/login/"
        answer = self.send(login, login, username=name, password=password, next="/admin/")
        assert answer.status == 302, answer.text


@dataclass
class Site:
    folder: Path
    database: str
    servers: list[Server] = field(default_factory=list)

    @property
    def environment(self) -> dict[str, str]:
        return os.environ | {
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "ENV_FILE": os.devnull,
            "SECRET_KEY": "x" * 60,
            "DEBUG": "off",
            "ALLOWED_HOSTS": "127.0.0.1",
            "SITE_URL": "http://127.0.0.1",
            "CSRF_TRUSTED_ORIGINS": "http://127.0.0.1:*,http://127.0.0.1",
            "DATABASE_URL": self.database,
            "CACHE_URL": os.environ.get("TEST_CACHE_URL") or "locmemcache://",
            "MEDIA_ROOT": str(self.folder / "media"),
            "STATIC_ROOT": str(self.folder / "static"),
            "DJANGO_SUPERUSER_PASSWORD": LOGIN[1],
            "LOG_LEVEL": "WARNING",
        }

    def manage(self, *arguments: str) -> str:
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert done.returncode == 0, done.stdout
        return done.stdout

    def serve(self) -> Server:
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            port = listener.getsockname()[1]
        command = [sys.executable, "-m", "gunicorn", "config.wsgi", "--bind", f"127.0.0.1:{port}"]
        log = (self.folder / f"server-{port}.log").open("wb")
        process = subprocess.Popen(
            [*command, "--no-control-socket"], cwd=ROOT, env=self.environment, stdout=log, stderr=log
        )
        log.close()
        server = Server(port, process)
        self.servers.append(server)
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline and process.poll() is None:
            with contextlib.suppress(OSError):
                if server.as_reader("/healthz").status == 200:
                    return server
            time.sleep(0.05)
        raise AssertionError((self.folder / f"server-{port}.log").read_text())


@contextlib.contextmanager
def site(folder: Path) -> Iterator[Site]:
    """A migrated site with an editor in chief, whose servers end with the context."""
    with _database(folder) as url:
        found = Site(folder, url)
        found.manage("migrate", "--verbosity=0")
        found.manage("createsuperuser", "--no-input", f"--username={LOGIN[0]}", "--email=ana@news.example")
        try:
            yield found
        finally:
            for server in found.servers:
                server.process.terminate()
            for server in found.servers:
                server.process.wait(PATIENCE)


@contextlib.contextmanager
def _database(folder: Path) -> Iterator[str]:
    url = os.environ.get("TEST_DATABASE_URL")
    if not url:
        yield f"sqlite:///{folder}/site.sqlite3"
        return
    import psycopg

    name = f"copydesk_serving_{os.getpid()}"
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {name}")
        connection.execute(f"CREATE DATABASE {name}")
        try:
            yield urlunsplit(urlsplit(url)._replace(path=f"/{name}"))
        finally:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
