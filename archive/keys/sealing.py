"""AES-256-GCM boxes and HKDF: the two primitives all keys and sealed texts are made of.

A box is ``version(1) | nonce(12) | ciphertext | tag(16)``; the associated data binds it to its place, so that a box
moved elsewhere does not open. NIST SP 800-38D; RFC 5869.
"""

from collections.abc import Callable
from secrets import token_bytes

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

KEY_BYTES = 32
BOX_VERSION = b"\x01"
_NONCE = 12

Randomness = Callable[[int], bytes]


class BoxError(ValueError):
    """The box was altered, moved, or sealed under another key."""


def seal(key: bytes, plaintext: bytes, place: str, *, randomness: Randomness = token_bytes) -> bytes:
    nonce = randomness(_NONCE)
    return BOX_VERSION + nonce + AESGCM(key).encrypt(nonce, plaintext, place.encode())


def unseal(key: bytes, box: bytes, place: str) -> bytes:
    """Raises BoxError."""
    if box[:1] != BOX_VERSION:
        raise BoxError("unknown box version")
    try:
        sealed = memoryview(box)[1 + _NONCE :]  # a long text is not copied for its sake
        return AESGCM(key).decrypt(box[1 : 1 + _NONCE], sealed, place.encode())
    except (InvalidTag, ValueError) as error:
        raise BoxError("the box does not open") from error


def derive(key: bytes, purpose: str, length: int = KEY_BYTES) -> bytes:
    """HKDF-SHA256 without salt (``key`` is uniformly random); ``purpose`` separates the uses."""
    return HKDF(algorithm=SHA256(), length=length, salt=None, info=purpose.encode()).derive(key)
