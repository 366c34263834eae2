"""AWS KMS as the guard of a key file: the key of its box is a data key that only KMS can open again.

The file names the KMS key and holds the data key's ciphertext; it is opened with the file's own KMS key, never with one
that the ciphertext picks. Credentials, region and endpoint come from where boto3 looks for them (``AWS_PROFILE``,
``~/.aws``, a role, ``AWS_ENDPOINT_URL_KMS``): never from settings or the command line.
"""

from base64 import b64decode, b64encode
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from archive.causes import Unfit
from archive.errors import Code, MunimentError
from archive.keys.sealing import Randomness

KIND = "aws-kms"
SCHEME = "aws-kms://"
_CONTEXT = {"muniment": "keyring"}  # bound to the ciphertext, and shown in CloudTrail
_LATER = frozenset({"DependencyTimeoutException", "KMSInternalException", "ThrottlingException"})
_SECONDS = 10


@dataclass(frozen=True, slots=True)
class AwsKms:
    """``key`` is a key id, ARN or alias (``alias/muniment``); needed for writing only."""

    key: str | None = None

    @classmethod
    def parse(cls, address: str) -> "AwsKms":
        """``aws-kms://alias/muniment``. Raises Unfit."""
        key = address.removeprefix(SCHEME)
        if not key or key == address:
            raise Unfit(
                f"“{address}”没有指明密钥，形式如 {SCHEME}alias/muniment",
                f"{address!r} does not name a key, as {SCHEME}alias/muniment would",
            )
        return cls(key)

    @property
    def kind(self) -> str:
        return KIND

    def lock(self, randomness: Randomness) -> tuple[bytes, dict[str, Any]]:  # noqa: ARG002 - KMS throws its own dice
        with _told(str(self.key)):
            made = _client().generate_data_key(KeyId=self.key, KeySpec="AES_256", EncryptionContext=_CONTEXT)
        figures = {"key": made["KeyId"], "ciphertext": b64encode(made["CiphertextBlob"]).decode()}
        return bytes(made["Plaintext"]), figures

    def unlock(self, figures: Mapping[str, Any]) -> bytes:
        key, ciphertext = str(figures["key"]), b64decode(figures["ciphertext"])
        with _told(key):
            opened = _client().decrypt(CiphertextBlob=ciphertext, KeyId=key, EncryptionContext=_CONTEXT)
        return bytes(opened["Plaintext"])


def _client() -> Any:
    import boto3  # noqa: PLC0415 - a third of a second that only its users should wait
    from botocore.config import Config  # noqa: PLC0415

    retries = {"mode": "standard", "total_max_attempts": 4}
    # A session of its own: the default one remembers credentials and is not safe between threads.
    return boto3.session.Session().client(
        "kms", config=Config(connect_timeout=_SECONDS, read_timeout=_SECONDS, retries=retries)
    )


@contextmanager
def _told(key: str) -> Iterator[None]:
    """What KMS or the way to it answers, as a sentence; botocore's own messages hold no secret but say too much."""
    from botocore.exceptions import (  # noqa: PLC0415
        BotoCoreError,
        ClientError,
        ConnectionError,  # noqa: A004 - botocore's own
        HTTPClientError,
    )

    try:
        yield
    except ClientError as error:
        problem = str(error.response.get("Error", {}).get("Code", "?"))
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        if status >= 500 or problem in _LATER:
            raise MunimentError(Code.KEY_UNREACHABLE, service="AWS KMS", problem=problem) from None
        raise MunimentError(Code.KEY_REFUSED, service="AWS KMS", key=key, problem=problem) from None
    except (ConnectionError, HTTPClientError) as error:
        raise MunimentError(Code.KEY_UNREACHABLE, service="AWS KMS", problem=type(error).__name__) from None
    except BotoCoreError as error:  # no credentials, no region
        raise MunimentError(
            Code.KEY_REFUSED, service="AWS KMS", key=key, problem=type(error).__name__
        ) from None
