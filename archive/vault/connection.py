"""The way to one bucket of any S3: which service, as whom, and what it or the way to it answers, as a sentence."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from archive.causes import Unfit
from archive.errors import Code, MunimentError
from archive.vault.protection import Locking

SCHEME = "s3://"
ATTEMPTS = 4
_TAKEN = frozenset(
    {"PreconditionFailed", "NoSuchUpload"}
)  # the second: the completed upload's answer was lost
_LATER = frozenset(
    {"ConditionalRequestConflict", "OperationAborted", "SlowDown", "RequestTimeout", "Throttling"}
)
_ABSENT = frozenset({"NoSuchKey", "404"})
_BEYOND = 416  # RFC 9110, 15.5.17


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


class Connection:
    """``place`` is ``s3://bucket/prefix``. Raises ValueError for anything else."""

    def __init__(self, place: str, service: Service) -> None:
        self.name, prefix = bucket_of(place), place.removeprefix(SCHEME).rstrip("/").partition("/")[2]
        if not self.name or "//" in f"/{prefix}":
            raise Unfit(
                f"“{place}”不是 {SCHEME}存储桶/前缀的形式", f"{place!r} is not like {SCHEME}bucket/prefix"
            )
        self.place = place.rstrip("/")
        self.prefix = f"{prefix}/" if prefix else ""
        self.service = service

    def at(self, key: str) -> dict[str, str]:
        """Where an object lies, as requests name it."""
        return {"Bucket": self.name, "Key": self.prefix + key}

    @cached_property
    def client(self) -> Any:
        import boto3  # noqa: PLC0415 - a third of a second that only its users should wait
        from botocore.config import Config  # noqa: PLC0415
        from botocore.session import Session  # noqa: PLC0415

        session = Session()
        if self.service.credentials is not None:
            session.set_config_variable("credentials_file", str(self.service.credentials))
        with self.told():
            return boto3.session.Session(botocore_session=session, region_name=self.service.region).client(
                "s3",
                endpoint_url=self.service.endpoint,
                config=Config(
                    connect_timeout=min(10, self.service.seconds),
                    read_timeout=self.service.seconds,
                    retries={"mode": "standard", "total_max_attempts": ATTEMPTS},
                    max_pool_connections=32,
                    s3={"addressing_style": "path"} if self.service.endpoint else {},
                    # We say what is put, and check what is read against the catalogue, not against the service.
                    request_checksum_calculation="when_required",
                    response_checksum_validation="when_required",
                ),
            )

    @contextmanager
    def told(self, name: str | None = None) -> Iterator[None]:
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
        code = status(error)
        if problem in _TAKEN:
            return TakenError()
        if code == _BEYOND:
            return BeyondError()
        if name is not None and problem in _ABSENT:
            return MunimentError(Code.DOCUMENT_MISSING, document=name)
        if code >= 500 or problem in _LATER:
            return MunimentError(Code.VAULT_UNREACHABLE, place=self.place, problem=problem)
        return MunimentError(Code.VAULT_REFUSED, place=self.place, problem=problem)


class BeyondError(Exception):
    """A range that begins beyond the end."""


class TakenError(Exception):
    """An object is there already, or its upload is no more; perhaps ours, put by an attempt whose answer was lost."""


def status(error: Any) -> int:
    """Of HTTP, as the service answered."""
    return int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
