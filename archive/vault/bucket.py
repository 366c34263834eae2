"""Objects in one bucket of any S3, under one prefix: put, get, list, delete, and what may go wrong with each.

Every put carries its SHA-256, which the service checks before it keeps anything. A put that creates says so
(``If-None-Match: *``): a retry after a lost answer finds its own object there and is content when it is the same.
Retries are few and bounded (botocore's standard mode, then this module for bodies that break off).
"""

import shutil
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any, BinaryIO, TypeVar

from archive.causes import Cause, Unfit
from archive.errors import Code, MunimentError
from archive.vault.protection import Locking, LockMode, Protection

SCHEME = "s3://"
PART = 16 << 20  # bytes of a part; what is larger is put in parts
_BLOCK = 1 << 20
_ATTEMPTS = 4
_FIRST_REGION = "us-east-1"  # the one that a bucket is never told to lie in
_TAKEN = frozenset(
    {"PreconditionFailed", "NoSuchUpload"}
)  # the second: the completed upload's answer was lost
_LATER = frozenset(
    {"ConditionalRequestConflict", "OperationAborted", "SlowDown", "RequestTimeout", "Throttling"}
)
_ABSENT = frozenset({"NoSuchKey", "404"})
_PARTIAL, _BEYOND = 206, 416  # RFC 9110, 15.3.7 and 15.5.17
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Service:
    """Which S3, and as whom; what is left open is looked for where AWS tools look."""

    endpoint: str | None = None
    region: str | None = None
    credentials: Path | None = None  # an AWS credentials file
    seconds: float = 20  # that it may keep silent
    locking: Locking | None = None  # none: nothing is locked


AMAZON = Service()  # or whatever the environment says


def bucket_of(place: str) -> str:
    """The name of the bucket that a place lies in; empty for a folder."""
    return place.removeprefix(SCHEME).partition("/")[0] if place.startswith(SCHEME) else ""


class Bucket:
    """``place`` is ``s3://bucket/prefix``. Raises ValueError for anything else."""

    def __init__(self, place: str, service: Service, scratch: Path, part: int = PART) -> None:
        self._name, prefix = bucket_of(place), place.removeprefix(SCHEME).rstrip("/").partition("/")[2]
        if not self._name or "//" in f"/{prefix}":
            raise Unfit(
                f"“{place}”不是 {SCHEME}存储桶/前缀的形式", f"{place!r} is not like {SCHEME}bucket/prefix"
            )
        self.place = place.rstrip("/")
        self._prefix = f"{prefix}/" if prefix else ""
        self._service = service
        self._scratch = scratch  # a local folder for what is read: encrypted documents only
        self._part = part

    def make(self) -> None:
        """The bucket itself, where it is not there yet. Raises VAULT_REFUSED where that is not allowed."""
        try:
            next(self.keys(), None)
        except MunimentError as error:
            if error.facts.get("problem") != "NoSuchBucket":
                raise
            region = self._client.meta.region_name
            where = {"CreateBucketConfiguration": {"LocationConstraint": region}}
            with self._told():
                self._client.create_bucket(Bucket=self._name, **({} if region == _FIRST_REGION else where))

    def create(self, key: str, content: bytes | Path) -> None:
        """Puts a new object. One with the same content may be there. Raises VAULT_OCCUPIED for another."""
        with _stream(content) as stream:
            try:
                self._put(key, stream, only_new=True)
            except _TakenError:
                if not self._holds(key, stream):
                    raise MunimentError(Code.VAULT_OCCUPIED, place=self.place) from None

    def replace(self, key: str, content: bytes | BinaryIO, like: Protection | None = None) -> None:
        """``like`` is how its neighbours are locked; else it is for the short time."""
        with _stream(content) as stream:
            try:
                self._put(key, stream, only_new=False, like=like)
            except _TakenError:
                if not self._holds(key, stream):
                    raise self._given_up() from None

    @property
    def locks(self) -> bool:
        return self._service.locking is not None

    def check_locks(self) -> None:
        """Raises VAULT_UNLOCKED where objects are to be locked and the bucket was not made for that."""
        from botocore.exceptions import ClientError  # noqa: PLC0415

        if not self.locks:
            return
        with self._told():
            try:
                found = self._client.get_object_lock_configuration(Bucket=self._name)
            except ClientError as error:
                if error.response["Error"]["Code"] != "ObjectLockConfigurationNotFoundError":
                    raise
                found = {}
        if found.get("ObjectLockConfiguration", {}).get("ObjectLockEnabled") != "Enabled":
            raise MunimentError(Code.VAULT_UNLOCKED, place=self.place)

    def protection(self, key: str) -> Protection | None:
        """How the object is locked; none where there is none."""
        head = self._head(key)
        return None if head is None else self._protection(head)

    def _head(self, key: str) -> Mapping[str, Any] | None:
        try:
            with self._told(key):
                head: Mapping[str, Any] = self._client.head_object(Bucket=self._name, Key=self._prefix + key)
        except MunimentError as error:
            if error.code is Code.DOCUMENT_MISSING:
                return None
            raise
        return head

    def _protection(self, head: Mapping[str, Any]) -> Protection:
        """A lock of the weaker mode is none: it is set anew in the mode that is wanted now."""
        strong = head.get("ObjectLockMode") in (self._mode, LockMode.COMPLIANCE.name)
        held = head.get("ObjectLockLegalHoldStatus") == "ON"
        return Protection(head.get("ObjectLockRetainUntilDate") if strong else None, held)

    def protect(self, key: str, wanted: Protection) -> None:
        """Locks what is there longer where that is wanted, never shorter; the hold is as it is wanted."""
        head = self._head(key)
        if head is None:
            return
        there = self._protection(head)
        where = {"Bucket": self._name, "Key": self._prefix + key}
        with self._told():
            if self._falls_short(there, wanted):
                self._lock_longer(where, head, wanted.until)
            if there.held != wanted.held:
                status = {"Status": "ON" if wanted.held else "OFF"}
                self._client.put_object_legal_hold(**where, LegalHold=status)

    def _lock_longer(self, where: Mapping[str, str], head: Mapping[str, Any], until: datetime | None) -> None:
        """In the mode that is wanted. The stronger one stays where it is; where a service lets no weaker one become it,
        that is made longer: ``protects`` goes on to say no, but no hold is refused for it.
        """
        from botocore.exceptions import ClientError  # noqa: PLC0415

        def lock(mode: str) -> None:
            self._client.put_object_retention(**where, Retention={"Mode": mode, "RetainUntilDate": until})

        there, ends = head.get("ObjectLockMode"), head.get("ObjectLockRetainUntilDate")
        try:
            lock(LockMode.COMPLIANCE.name if there == LockMode.COMPLIANCE.name else self._mode)
        except ClientError:
            if there != LockMode.GOVERNANCE.name or there == self._mode:
                raise
            if until is not None and (ends is None or ends < until):
                lock(there)

    def protects(self, key: str, wanted: Protection) -> bool:
        there = self.protection(key)
        return there is not None and there.held == wanted.held and not self._falls_short(there, wanted)

    def _falls_short(self, there: Protection, wanted: Protection) -> bool:
        """What is over needs no lock any more. Services keep whole seconds."""
        if wanted.until is None or wanted.until <= self._locking.clock():
            return False
        return there.until is None or there.until < wanted.until.replace(microsecond=0)

    @property
    def _locking(self) -> Locking:
        if self._service.locking is None:
            raise ValueError("nothing is locked here")
        return self._service.locking

    @property
    def _mode(self) -> str:
        return self._locking.mode.name

    def open(self, key: str) -> BinaryIO:
        """A seekable copy on the local disk, with no name there.

        Raises DOCUMENT_MISSING, and DOCUMENT_UNREADABLE where the service has it, answers, and yet does not give it.
        """
        return self._fetched(key, self._copied)

    def read_range(self, key: str, start: int, count: int) -> bytes:
        """So many bytes from ``start`` on, and no more of it is sent; fewer only where it ends. Raises as ``open``."""
        wanted = f"bytes={start}-{start + count - 1}"

        def taken(answer: Mapping[str, Any]) -> bytes:
            with self._told(), closing(answer["Body"]) as body:
                if answer["ResponseMetadata"]["HTTPStatusCode"] != _PARTIAL:  # it would be another part
                    raise MunimentError(
                        Code.VAULT_REFUSED,
                        place=self.place,
                        problem=Cause("不支持按范围读取", "it knows no ranges"),
                    )
                return bytes(body.read())

        try:
            return self._fetched(key, taken, Range=wanted)
        except _BeyondError:
            return b""

    def _fetched(self, key: str, take: Callable[[Mapping[str, Any]], _T], **more: str) -> _T:
        """What ``take`` makes of the answer; asked for again where the body broke off."""
        name = key.rpartition("/")[2]
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                with self._told(name):
                    answer = self._client.get_object(Bucket=self._name, Key=self._prefix + key, **more)
            except MunimentError as error:  # botocore has tried again already
                raise self._explained(error, name) from None
            try:
                return take(answer)
            except MunimentError as error:  # a body that broke off was botocore's no longer
                if error.code is not Code.VAULT_UNREACHABLE or attempt == _ATTEMPTS:
                    raise self._explained(error, name) from None
        raise AssertionError("unreachable")

    def _copied(self, answer: Mapping[str, Any]) -> BinaryIO:
        file = TemporaryFile(dir=self._scratch)  # noqa: SIM115 - the caller's
        try:
            with self._told(), closing(answer["Body"]) as body:
                shutil.copyfileobj(body, file, _BLOCK)
        except BaseException:
            file.close()
            raise
        file.seek(0)
        return file

    def _explained(self, error: MunimentError, name: str) -> MunimentError:
        """One object that cannot be had, or nothing at all: only the first is damage."""
        if error.code is Code.VAULT_UNREACHABLE:
            try:
                next(self.keys(), None)
            except MunimentError:
                return error
            problem = error.facts["problem"]
            return MunimentError(Code.DOCUMENT_UNREADABLE, document=name, problem=problem)
        return error

    def read(self, key: str) -> bytes | None:
        """The content of a small object; none when it is not there."""
        try:
            with self.open(key) as file:
                return file.read()
        except MunimentError as error:
            if error.code is Code.DOCUMENT_MISSING:
                return None
            raise

    def keys(self, below: str = "") -> Iterator[str]:
        """In order, without the prefix."""
        pages = self._client.get_paginator("list_objects_v2").paginate(
            Bucket=self._name, Prefix=self._prefix + below
        )
        with self._told():
            for page in pages:
                for each in page.get("Contents", ()):
                    yield each["Key"].removeprefix(self._prefix)

    def folders(self, below: str = "") -> Iterator[str]:
        """The prefixes one level below ``below``, each with its ``/`` at the end."""
        pages = self._client.get_paginator("list_objects_v2").paginate(
            Bucket=self._name, Prefix=self._prefix + below, Delimiter="/"
        )
        with self._told():
            for page in pages:
                for each in page.get("CommonPrefixes", ()):
                    yield each["Prefix"].removeprefix(self._prefix)

    def delete(self, key: str) -> None:
        with self._told():
            self._client.delete_object(Bucket=self._name, Key=self._prefix + key)

    def give_up_uploads(self, below: str) -> None:
        """What a crash left half put: paid for and never seen."""
        with self._told():
            found = self._client.list_multipart_uploads(Bucket=self._name, Prefix=self._prefix + below)
            for each in found.get("Uploads", ()):
                self._client.abort_multipart_upload(
                    Bucket=self._name, Key=each["Key"], UploadId=each["UploadId"]
                )

    def _put(self, key: str, stream: BinaryIO, *, only_new: bool, like: Protection | None = None) -> None:
        condition = {"IfNoneMatch": "*"} if only_new else {}
        where = {"Bucket": self._name, "Key": self._prefix + key}
        lock = self._lock(like)
        with self._told():
            if stream.seek(0, 2) > self._part:
                self._put_in_parts(where, stream, condition, lock)
            else:
                stream.seek(0)
                content = stream.read()
                self._client.put_object(
                    **where, Body=content, ChecksumSHA256=_checksum(content), **condition, **lock
                )

    def _lock(self, like: Protection | None) -> dict[str, object]:
        if not self.locks:
            return {}
        until = self._locking.first
        if like is not None and like.until is not None:
            until = max(until, like.until)
        held = {"ObjectLockLegalHoldStatus": "ON"} if like is not None and like.held else {}
        return {"ObjectLockMode": self._mode, "ObjectLockRetainUntilDate": until, **held}

    def _put_in_parts(
        self, where: dict[str, str], stream: BinaryIO, condition: dict[str, str], lock: dict[str, object]
    ) -> None:
        upload = self._client.create_multipart_upload(**where, ChecksumAlgorithm="SHA256", **lock)["UploadId"]
        try:
            parts: list[dict[str, object]] = []
            stream.seek(0)
            while content := stream.read(self._part):
                number, checksum = len(parts) + 1, _checksum(content)
                put = self._client.upload_part(
                    **where, UploadId=upload, PartNumber=number, Body=content, ChecksumSHA256=checksum
                )
                parts.append({"PartNumber": number, "ETag": put["ETag"], "ChecksumSHA256": checksum})
            self._client.complete_multipart_upload(
                **where, UploadId=upload, MultipartUpload={"Parts": parts}, **condition
            )
        except BaseException:
            self._abort(where, upload)
            raise

    def _abort(self, where: dict[str, str], upload: str) -> None:
        from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415

        try:
            self._client.abort_multipart_upload(**where, UploadId=upload)
        except (BotoCoreError, ClientError):
            return  # the next rollback of this object finds it

    def _holds(self, key: str, stream: BinaryIO) -> bool:
        stream.seek(0)
        try:
            there = self.open(key)
        except MunimentError as error:
            if error.code is Code.DOCUMENT_MISSING:
                raise self._given_up() from None
            raise
        with there:
            while block := stream.read(_BLOCK):
                if there.read(len(block)) != block:
                    return False
            return not there.read(1)

    def _given_up(self) -> MunimentError:
        """The upload is no more and left nothing: who clears up has taken it for one that was cut off."""
        return MunimentError(Code.VAULT_UNREACHABLE, place=self.place, problem="NoSuchUpload")

    @cached_property
    def _client(self) -> Any:
        import boto3  # noqa: PLC0415 - a third of a second that only its users should wait
        from botocore.config import Config  # noqa: PLC0415
        from botocore.session import Session  # noqa: PLC0415

        session = Session()
        if self._service.credentials is not None:
            session.set_config_variable("credentials_file", str(self._service.credentials))
        with self._told():
            return boto3.session.Session(botocore_session=session, region_name=self._service.region).client(
                "s3",
                endpoint_url=self._service.endpoint,
                config=Config(
                    connect_timeout=min(10, self._service.seconds),
                    read_timeout=self._service.seconds,
                    retries={"mode": "standard", "total_max_attempts": _ATTEMPTS},
                    max_pool_connections=32,
                    s3={"addressing_style": "path"} if self._service.endpoint else {},
                    # We say what is put, and check what is read against the catalogue, not against the service.
                    request_checksum_calculation="when_required",
                    response_checksum_validation="when_required",
                ),
            )

    @contextmanager
    def _told(self, name: str | None = None) -> Iterator[None]:
        """What the service or the way to it answers, as a sentence. ``name`` is the document that is read."""
        from botocore.exceptions import (  # noqa: PLC0415
            BotoCoreError,
            ClientError,
            ConnectionError,  # noqa: A004 - botocore's own
            HTTPClientError,
            IncompleteReadError,
        )
        from urllib3.exceptions import HTTPError  # noqa: PLC0415 - what a broken body raises through botocore

        try:
            yield
        except ClientError as error:
            raise self._refusal(error, name) from None
        except (ConnectionError, HTTPClientError, IncompleteReadError, HTTPError) as error:
            raise MunimentError(
                Code.VAULT_UNREACHABLE, place=self.place, problem=type(error).__name__
            ) from None
        except BotoCoreError as error:  # no credentials, no region, an address that is none
            raise MunimentError(Code.VAULT_REFUSED, place=self.place, problem=type(error).__name__) from None

    def _refusal(self, error: Any, name: str | None) -> Exception:
        problem = str(error.response.get("Error", {}).get("Code", "?"))
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        if problem in _TAKEN:
            return _TakenError()
        if status == _BEYOND:
            return _BeyondError()
        if name is not None and problem in _ABSENT:
            return MunimentError(Code.DOCUMENT_MISSING, document=name)
        if status >= 500 or problem in _LATER:
            return MunimentError(Code.VAULT_UNREACHABLE, place=self.place, problem=problem)
        return MunimentError(Code.VAULT_REFUSED, place=self.place, problem=problem)


class _BeyondError(Exception):
    """A range that begins beyond the end."""


class _TakenError(Exception):
    """An object is there already, or its upload is no more; perhaps ours, put by an attempt whose answer was lost."""


@contextmanager
def _stream(content: bytes | Path | BinaryIO) -> Iterator[BinaryIO]:
    if isinstance(content, bytes):
        yield BytesIO(content)
    elif isinstance(content, Path):
        with content.open("rb") as file:
            yield file
    else:
        yield content


def _checksum(content: bytes) -> str:
    return b64encode(sha256(content).digest()).decode()
