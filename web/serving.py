"""The server: waitress over the pages, one to an archive, ended in order by SIGTERM and Ctrl-C."""

import fcntl
import json
import logging
import os
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

from flask import Flask
from waitress import create_server
from waitress.channel import HTTPChannel
from waitress.parser import HTTPRequestParser
from waitress.task import ErrorTask
from waitress.utilities import RequestEntityTooLarge

from archive.causes import of_system
from archive.errors import Code, MunimentError, refusal_of
from web.admitting import admission_of, takes_files
from web.app import create_app
from web.pages.recordings import MOST_AT_ONCE
from web.securing import Cookie
from web.uploading import FORM, SealedBuffer
from web.watching import Watch
from web.wiring import House

Gate = Callable[[str, str], MunimentError | None]  # of a request's path and its header Cookie
Ready = Callable[[str], None]  # told the address once the server listens

_FORMS = 1 << 20  # bytes that the fields of a form may add to the files
_UNSENT = MOST_AT_ONCE + (1 << 20)  # bytes of an answer that a slow client keeps waiting, in memory
_PATIENCE = 60.0  # seconds for which a client may take nothing of an answer that waits for it
_log = logging.getLogger("muniment.server")


def serve(house: House, ready: Ready) -> None:
    """Serves until it is told to stop; requests under way are answered. Raises SERVER_RUNNING, ADDRESS_IN_USE."""
    settings = house.settings
    with only_server(settings.home.absolute() / "locks" / "server.lock"):
        limit = settings.upload_limit_mb * 1024 * 1024 + _FORMS
        app = create_app(house)
        try:
            server: Any = create_server(
                app,
                host=settings.host,
                port=settings.port,
                threads=settings.threads,
                ident="",
                max_request_body_size=limit,
                # Beyond this waitress would write a page to /tmp in plain. It never buffers so much.
                outbuf_overflow=1 << 30,
                outbuf_high_watermark=_UNSENT,
                cleanup_interval=5,
                clear_untrusted_proxy_headers=True,
            )
        except OSError as error:
            raise MunimentError(
                Code.ADDRESS_IN_USE,
                address=f"{settings.host}:{settings.port}",
                problem=of_system(error.errno),
            ) from None
        server.channel_class = _Channel
        server.adj.gate = _gate(app)
        server.maintenance = partial(give_up_stalled, server)
        house.index.start()
        house.recognition.start()
        with Watch(house), _stopping_on(signal.SIGTERM):
            ready(f"http://{settings.host}:{server.effective_port}")
            server.run()
        server.close()


def _gate(app: Flask) -> Gate:
    """Asked before more than a form is received: else anybody could fill the disk without signing in."""
    cookie: Cookie = app.extensions["muniment-cookie"]
    house: House = app.extensions["muniment"]
    views = {
        rule.rule: view
        for rule in app.url_map.iter_rules()
        if takes_files(view := app.view_functions[rule.endpoint])
    }

    def refusal(path: str, cookies: str) -> MunimentError | None:
        view, token = views.get(path), cookie.within(cookies)
        admission = None if view is None else admission_of(view)
        if admission is None:
            return MunimentError(Code.FORM_TOO_LARGE)
        try:
            admission.check(house.sessions.resume(token) if token else None)
        except MunimentError as refused:
            return refused
        return None

    return refusal


@contextmanager
def only_server(lock: Path) -> Iterator[None]:
    """One server an archive; the kernel releases the lock when the process dies. Raises SERVER_RUNNING."""
    with lock.open("a+b") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            raise MunimentError(Code.SERVER_RUNNING, pid=file.read(20).decode() or "?") from None
        file.truncate(0)
        file.write(str(os.getpid()).encode())
        file.flush()
        yield


@contextmanager
def _stopping_on(number: signal.Signals) -> Iterator[None]:
    """The signal ends the server's loop as Ctrl-C does: by an exception that lets requests under way finish."""

    def stop(_number: int, _frame: object) -> NoReturn:
        raise SystemExit(0)

    before = signal.signal(number, stop)
    try:
        yield
    finally:
        signal.signal(number, before)


def give_up_stalled(server: Any, now: float, patience: float = _PATIENCE) -> None:
    """Idle clients go, as waitress has it, and so do those that no longer take what waits for them: waitress would wait
    for ever, and with it a thread, or one of the few connections.
    """
    type(server).maintenance(server, now)
    for channel in list(server.active_channels.values()):
        if channel.total_outbufs_len and channel.last_activity < now - patience:
            channel.will_close = True
            with suppress(OSError):
                channel.socket.shutdown(socket.SHUT_RDWR)  # else it is looked at again when the line has room


class _Refused(ErrorTask):  # type: ignore[misc]
    """What the server refuses before a page sees it, in our own words."""

    def execute(self) -> None:
        error = self.request.error
        if isinstance(error, RequestEntityTooLarge):
            limit = (self.channel.server.adj.max_request_body_size - _FORMS) // (1024 * 1024)
            error = MunimentError(Code.UPLOAD_TOO_LARGE, limit=limit)
        if isinstance(error, MunimentError):
            as_json = "application/json" in self.request.headers.get("ACCEPT", "")
            self.request.error = _Said(error, as_json=as_json)
        super().execute()


class _Said:
    """An error as waitress sends it: both languages, since nothing of the request was read yet."""

    def __init__(self, error: MunimentError, *, as_json: bool) -> None:
        self._error = error
        self._as_json = as_json

    def to_response(self, _ident: str | None = None) -> tuple[str, list[tuple[str, str]], bytes]:
        said, kind = f"{self._error.say('zh')}\n{self._error.say('en')}", "text/plain"
        if self._as_json:
            kind = "application/json"
            said = json.dumps({"code": self._error.code.value, "message": said}, ensure_ascii=False)
        body = f"{said}\n".encode()
        headers = [("Content-Type", f"{kind}; charset=utf-8"), ("Content-Length", str(len(body)))]
        return f"{self._error.meaning.http} Refused", headers, body


class _Parser(HTTPRequestParser):  # type: ignore[misc]
    """Receives bodies sealed, and says so when there is no room for one."""

    def parse_header(self, header_plus: bytes) -> None:
        super().parse_header(header_plus)
        if self.body_rcv is None:
            return
        self.body_rcv.buf = SealedBuffer(self.adj.inbuf_overflow)
        if self.chunked or self.content_length > FORM:
            self.error = self.adj.gate(self.path, self.headers.get("COOKIE", ""))
            self.completed = self.error is not None

    def received(self, data: bytes) -> int:
        """Of several requests at once the first alone is answered, and the client is told that the line is closed (RFC
        9112, 9.3.2): the answers to all could be more than is kept for a slow client, and a thread would wait for it.
        """
        try:
            taken = int(super().received(data))
        except OSError as fault:
            _log.error("an upload was not received: %s", fault.strerror)
            self.error = refusal_of(fault) or MunimentError(Code.ARCHIVE_BUSY)
            self.completed = True
            return len(data)
        if self.completed and not self.empty and taken < len(data):
            self.headers["CONNECTION"] = "close"
            return len(data)
        return taken


class _Channel(HTTPChannel):  # type: ignore[misc]
    parser_class = _Parser
    error_task_class = _Refused
