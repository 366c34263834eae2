"""The key of one case file, and what is derived from it.

Deleting the wrapped key makes everything sealed under it unreadable for good: documents, texts, details.
"""

from base64 import urlsafe_b64encode
from dataclasses import dataclass
from hashlib import sha256
from hmac import compare_digest
from hmac import new as hmac_new
from typing import NewType

from archive.keys.sealing import KEY_BYTES, Randomness, derive, seal, unseal

CaseFileId = NewType("CaseFileId", str)  # a UUID, 36 characters


@dataclass(frozen=True, slots=True, repr=False)
class FileKey:
    """32 random bytes that belong to one case file. Its repr shows nothing."""

    case_file: CaseFileId
    secret: bytes

    @classmethod
    def make(cls, case_file: CaseFileId, randomness: Randomness) -> "FileKey":
        return cls(case_file, randomness(KEY_BYTES))

    def pdf_password(self, document: str) -> str:
        """32 characters (24 bytes, base64url): longer passwords fail in poppler."""
        return urlsafe_b64encode(derive(self.secret, f"pdf:{document}", 24)).decode()

    def seal(self, plaintext: bytes, place: str) -> bytes:
        return seal(derive(self.secret, "seal"), plaintext, f"{self.case_file}:{place}")

    def unseal(self, box: bytes, place: str) -> bytes:
        """Raises sealing.BoxError."""
        return unseal(derive(self.secret, "seal"), box, f"{self.case_file}:{place}")

    def stream_key(self, stream: str) -> bytes:
        """For the one sealed stream of a document: ``stream:2:1``."""
        return derive(self.secret, stream)

    def authentication(self, sha512: bytes, document: str) -> bytes:
        """HMAC-SHA256 over a document's SHA-512 and name: PDF encryption itself proves no integrity."""
        return hmac_new(derive(self.secret, "hmac"), document.encode() + b"\0" + sha512, sha256).digest()

    def authentic(self, sha512: bytes, document: str, code: bytes) -> bool:
        return compare_digest(self.authentication(sha512, document), code)
