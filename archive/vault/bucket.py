"""Objects in one bucket of any S3, under one prefix: put, get, list, delete, and what may go wrong with each.

Every put carries its SHA-256, which the service checks before it keeps anything. A put that creates says so
(``If-None-Match: *``): a retry after a lost answer finds its own object there and is content when it is the same.
Retries are few and bounded (botocore's standard mode, then this module for bodies that break off).
"""

import shutil
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any, BinaryIO, TypeVar

from archive.causes import Cause
from archive.errors import Code, MunimentError
from archive.vault.connection import ATTEMPTS, BeyondError, Connection, Service, TakenError
from archive.vault.objectlocks import ObjectLocks
from archive.vault.protection import Protection

PART = 16 << 20  # bytes of a part; what is larger is put in parts
_BLOCK = 1 << 20
_FIRST_REGION = "us-east-1"  # the one that a bucket is never told to lie in
_PARTIAL = 206  # RFC 9110, 15.3.7
_T = TypeVar("_T")


class Bucket:
    """``place`` is ``s3://bucket/prefix``. Raises ValueError for anything else."""

    def __init__(self, place: str, service: Service, scratch: Path, part: int = PART) -> None:
        self._connection = Connection(place, service)
        self.place = self._connection.place
        self.locks = ObjectLocks(self._connection)
        self._scratch = scratch  # a local folder for what is read: encrypted documents only
        self._part = part

    def make(self) -> None:
        """The bucket itself, where it is not there yet. Raises VAULT_REFUSED where that is not allowed."""
        try:
            next(self.keys(), None)
        except MunimentError as error:
            if error.facts.get("problem") != "NoSuchBucket":
                raise
            client = self._connection.client
            region = client.meta.region_name
            where = {"CreateBucketConfiguration": {"LocationConstraint": region}}
            with self._connection.told():
                client.create_bucket(
                    Bucket=self._connection.name, **({} if region == _FIRST_REGION else where)
                )

    def create(self, key: str, content: bytes | Path) -> None:
        """Puts a new object. One with the same content may be there. Raises VAULT_OCCUPIED for another."""
        with _stream(content) as stream:
            try:
                self._put(key, stream, only_new=True)
            except TakenError:
                if not self._holds(key, stream):
                    raise MunimentError(Code.VAULT_OCCUPIED, place=self.place) from None

    def replace(self, key: str, content: bytes | BinaryIO, like: Protection | None = None) -> None:
        """``like`` is how its neighbours are locked; else it is for the short time."""
        with _stream(content) as stream:
            try:
                self._put(key, stream, only_new=False, like=like)
            except TakenError:
                if not self._holds(key, stream):
                    raise self._given_up() from None

    def open(self, key: str) -> BinaryIO:
        """A seekable copy on the local disk, with no name there.

        Raises DOCUMENT_MISSING, and DOCUMENT_UNREADABLE where the service has it, answers, and yet does not give it.
        """
        return self._fetched(key, self._copied)

    def read_range(self, key: str, start: int, count: int) -> bytes:
        """So many bytes from ``start`` on, and no more of it is sent; fewer only where it ends. Raises as ``open``."""
        wanted = f"bytes={start}-{start + count - 1}"

        def taken(answer: Mapping[str, Any]) -> bytes:
            with self._connection.told(), closing(answer["Body"]) as body:
                if answer["ResponseMetadata"]["HTTPStatusCode"] != _PARTIAL:  # it would be another part
                    raise MunimentError(
                        Code.VAULT_REFUSED,
                        place=self.place,
                        problem=Cause("不支持按范围读取", "it knows no ranges"),
                    )
                return bytes(body.read())

        try:
            return self._fetched(key, taken, Range=wanted)
        except BeyondError:
            return b""

    def _fetched(self, key: str, take: Callable[[Mapping[str, Any]], _T], **more: str) -> _T:
        """What ``take`` makes of the answer; asked for again where the body broke off."""
        name = key.rpartition("/")[2]
        for attempt in range(1, ATTEMPTS + 1):
            try:
                with self._connection.told(name):
                    answer = self._connection.client.get_object(**self._connection.at(key), **more)
            except MunimentError as error:  # botocore has tried again already
                raise self._explained(error, name) from None
            try:
                return take(answer)
            except MunimentError as error:  # a body that broke off was botocore's no longer
                if error.code is not Code.VAULT_UNREACHABLE or attempt == ATTEMPTS:
                    raise self._explained(error, name) from None
        raise AssertionError("unreachable")

    def _copied(self, answer: Mapping[str, Any]) -> BinaryIO:
        file = TemporaryFile(dir=self._scratch)  # noqa: SIM115 - the caller's
        try:
            with self._connection.told(), closing(answer["Body"]) as body:
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
        pages = self._connection.client.get_paginator("list_objects_v2").paginate(
            Bucket=self._connection.name, Prefix=self._connection.prefix + below
        )
        with self._connection.told():
            for page in pages:
                for each in page.get("Contents", ()):
                    yield each["Key"].removeprefix(self._connection.prefix)

    def folders(self, below: str = "") -> Iterator[str]:
        """The prefixes one level below ``below``, each with its ``/`` at the end."""
        pages = self._connection.client.get_paginator("list_objects_v2").paginate(
            Bucket=self._connection.name, Prefix=self._connection.prefix + below, Delimiter="/"
        )
        with self._connection.told():
            for page in pages:
                for each in page.get("CommonPrefixes", ()):
                    yield each["Prefix"].removeprefix(self._connection.prefix)

    def delete(self, key: str) -> None:
        with self._connection.told():
            self._connection.client.delete_object(**self._connection.at(key))

    def give_up_uploads(self, below: str) -> None:
        """What a crash left half put: paid for and never seen."""
        pages = self._connection.client.get_paginator("list_multipart_uploads").paginate(
            Bucket=self._connection.name, Prefix=self._connection.prefix + below
        )
        with self._connection.told():
            for page in pages:
                for each in page.get("Uploads", ()):
                    self._connection.client.abort_multipart_upload(
                        Bucket=self._connection.name, Key=each["Key"], UploadId=each["UploadId"]
                    )

    def _put(self, key: str, stream: BinaryIO, *, only_new: bool, like: Protection | None = None) -> None:
        condition = {"IfNoneMatch": "*"} if only_new else {}
        where = self._connection.at(key)
        lock = self.locks.of_put(like)
        with self._connection.told():
            if stream.seek(0, 2) > self._part:
                self._put_in_parts(where, stream, condition, lock)
            else:
                stream.seek(0)
                content = stream.read()
                self._connection.client.put_object(
                    **where, Body=content, ChecksumSHA256=_checksum(content), **condition, **lock
                )

    def _put_in_parts(
        self, where: dict[str, str], stream: BinaryIO, condition: dict[str, str], lock: dict[str, object]
    ) -> None:
        upload = self._connection.client.create_multipart_upload(**where, ChecksumAlgorithm="SHA256", **lock)[
            "UploadId"
        ]
        try:
            parts: list[dict[str, object]] = []
            stream.seek(0)
            while content := stream.read(self._part):
                number, checksum = len(parts) + 1, _checksum(content)
                put = self._connection.client.upload_part(
                    **where, UploadId=upload, PartNumber=number, Body=content, ChecksumSHA256=checksum
                )
                parts.append({"PartNumber": number, "ETag": put["ETag"], "ChecksumSHA256": checksum})
            self._connection.client.complete_multipart_upload(
                **where, UploadId=upload, MultipartUpload={"Parts": parts}, **condition
            )
        except BaseException:
            self._abort(where, upload)
            raise

    def _abort(self, where: dict[str, str], upload: str) -> None:
        from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415

        try:
            self._connection.client.abort_multipart_upload(**where, UploadId=upload)
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
