"""An S3-compatible store on loopback: just what pictures need of one. It believes every signature."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape


class Store(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}  # by bucket and key: `pictures/originals/…`
        self.headers: dict[str, dict[str, str]] = {}  # those they were put with
        super().__init__(("127.0.0.1", 0), Answers)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Answers(BaseHTTPRequestHandler):
    server: Store
    protocol_version = "HTTP/1.1"

    @property
    def key(self) -> str:
        return unquote(urlsplit(self.path).path).lstrip("/")

    def do_PUT(self) -> None:
        self.server.objects[self.key] = self._body()
        self.server.headers[self.key] = dict(self.headers)
        self._answer(200)

    def do_GET(self) -> None:
        query = parse_qs(urlsplit(self.path).query, keep_blank_values=True)
        if "prefix" in query:
            self._answer(200, self._listing(query["prefix"][0], query.get("delimiter", [""])[0]))
        else:
            self.do_HEAD()

    def do_HEAD(self) -> None:
        if (content := self.server.objects.get(self.key)) is None:
            self._answer(404)
        else:
            self._answer(200, content)

    def do_DELETE(self) -> None:
        self.server.objects.pop(self.key, None)
        self._answer(204)

    def _body(self) -> bytes:
        content = self.rfile.read(int(self.headers["Content-Length"]))
        if self.headers.get("Content-Encoding") != "aws-chunked":
            return content
        size, _, rest = content.partition(b"\r\n")  # in one chunk, as small as these are
        return rest[: int(size.split(b";")[0], 16)]

    def _listing(self, prefix: str, delimiter: str) -> bytes:
        bucket = self.key.rstrip("/")
        keys = [
            name.removeprefix(f"{bucket}/") for name in self.server.objects if name.startswith(f"{bucket}/{prefix}")
        ]
        deeper = [key for key in keys if delimiter and delimiter in key.removeprefix(prefix)]
        folders = {prefix + key.removeprefix(prefix).partition(delimiter)[0] + delimiter for key in deeper}
        found = "".join(f"<Contents><Key>{escape(key)}</Key></Contents>" for key in keys if key not in deeper)
        found += "".join(f"<CommonPrefixes><Prefix>{escape(name)}</Prefix></CommonPrefixes>" for name in folders)
        head = "<?xml version='1.0'?><ListBucketResult xmlns='http://s3.amazonaws.com/doc/2006-03-01/'>"
        return f"{head}<IsTruncated>false</IsTruncated>{found}</ListBucketResult>".encode()

    def _answer(self, status: int, content: bytes = b"") -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Last-Modified", "Mon, 02 Mar 2026 12:00:00 GMT")
        self.send_header("ETag", '"whatever"')
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def log_message(self, *arguments: object) -> None:
        pass


@contextmanager
def playing_store() -> Iterator[Store]:
    store = Store()
    thread = threading.Thread(target=store.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield store
    finally:
        store.shutdown()
        thread.join()
        store.server_close()
