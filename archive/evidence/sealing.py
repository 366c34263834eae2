"""Encrypting a finished document, and opening it again before it is believed."""

import hashlib
from typing import BinaryIO

import pikepdf
from pikepdf import Encryption, ObjectStreamMode, Pdf

from archive.errors import Code
from archive.evidence import originals
from archive.evidence.refusing import Refused


def seal(pdf: Pdf, password: str, target: BinaryIO) -> None:
    """Write with AES-256 (ISO 32000-2 7.6.4, revision 6), metadata encrypted, small objects in streams.

    Owner and user password are the same: rights kept for an owner would promise what no reader must honour.
    """
    pdf.save(
        target,
        encryption=Encryption(owner=password, user=password, R=6, aes=True, metadata=True),
        object_stream_mode=ObjectStreamMode.generate,
        compress_streams=True,
    )
    target.flush()


def reopen(target: BinaryIO, password: str, pages: int, original_sha256: str | None) -> None:
    """Open what was written, with the password, and compare the page count and the original.

    ``original_sha256`` is hex; ``None`` where there was none to begin with.

    :raises Refused: CONVERSION_CRASHED when it is not what was meant; such a document must not be kept.
    """
    target.seek(0)
    with pikepdf.open(target, password=password) as again:
        if len(again.pages) != pages or digest(originals.find(again)) != original_sha256:
            raise Refused(Code.CONVERSION_CRASHED)


def digest(data: bytes | None) -> str | None:
    """SHA-256 in hex, of what there is."""
    return None if data is None else hashlib.sha256(data).hexdigest()
