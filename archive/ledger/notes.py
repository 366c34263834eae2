"""Checkpoints of the ledger as signed notes, the formats C2SP calls ``signed-note`` and ``tlog-checkpoint``.

A checkpoint says: the log called *origin* had *size* entries and this *root*. Signed, it is a short text that
anybody can keep, and check with other people's verifiers. Only Ed25519 signatures (type 0x01) are used.
"""

import base64
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from archive.ledger.merkle import HASH_SIZE, Hash

ED25519 = b"\x01"
KEY_ID_SIZE = 4
PUBLIC_KEY_SIZE = 32
# Limits on what a stranger's text may cost to read; the format asks for at least 16 signatures.
MAX_SIGNATURES = 100
MAX_NOTE_CHARACTERS = 1_000_000
MAX_SIZE = 2**63 - 1

_SIZE = re.compile(r"0|[1-9][0-9]{0,18}", re.ASCII)
_KEY_ID = re.compile(r"[0-9a-f]{8}", re.ASCII)
_SIGNATURE_PREFIX = "— "  # an em dash (U+2014) and a space


class NoteError(ValueError):
    """A note, checkpoint or verifier key is malformed or not to be trusted; the message is the reason."""


class UnsignedError(NoteError):
    """A whole note, but not one that a trusted key signed."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The head of a log: ``size`` leaves with this 32-byte ``root``."""

    origin: str
    size: int
    root: Hash

    def __post_init__(self) -> None:
        if not self.origin or not _is_clean(self.origin) or "\n" in self.origin:
            raise NoteError("the origin is empty, or holds control characters")
        if not 0 <= self.size <= MAX_SIZE:
            raise NoteError("the size is out of range")
        if len(self.root) != HASH_SIZE:
            raise NoteError(f"the root is not {HASH_SIZE} bytes")

    def to_text(self) -> str:
        """The three lines of the note's text, each ended by a newline."""
        return f"{self.origin}\n{self.size}\n{_encode(self.root)}\n"

    @classmethod
    def from_text(cls, text: str) -> "Checkpoint":
        """Read a note's text. Extension lines are refused: the ledger writes none, nobody can audit them."""
        lines = text.split("\n")
        if len(lines) != 4 or lines[3]:
            raise NoteError("a checkpoint is three lines, each ended by a newline")
        origin, size, root = lines[:3]
        if not _SIZE.fullmatch(size):
            raise NoteError("the size is not a plain decimal number")
        return cls(origin, int(size), Hash(_decode(root)))


@dataclass(frozen=True, slots=True)
class Verifier:
    """A public key that is trusted to sign under a name."""

    name: str
    public_key: bytes  # 32 bytes, RFC 8032

    def __post_init__(self) -> None:
        _check_name(self.name)
        if len(self.public_key) != PUBLIC_KEY_SIZE:
            raise NoteError(f"the public key is not {PUBLIC_KEY_SIZE} bytes")

    @classmethod
    def of(cls, name: str, private_key: Ed25519PrivateKey) -> "Verifier":
        """What others need to check the notes that ``private_key`` signs."""
        return cls(name, private_key.public_key().public_bytes_raw())

    @property
    def key_id(self) -> bytes:
        """4 bytes that say which key signed: SHA-256(name, newline, type, public key), cut off."""
        return hashlib.sha256(self.name.encode() + b"\n" + ED25519 + self.public_key).digest()[:KEY_ID_SIZE]

    def to_text(self) -> str:
        """The verifier key as ``name+key id in hex+base64(type, public key)``."""
        return f"{self.name}+{self.key_id.hex()}+{_encode(ED25519 + self.public_key)}"

    @classmethod
    def from_text(cls, text: str) -> "Verifier":
        parts = text.split("+", 2)  # base64 may hold a plus itself
        if len(parts) != 3:
            raise NoteError("a verifier key is a name, a key id and a key, joined by plus signs")
        name, key_id, encoded = parts
        key = _decode(encoded)
        if key[:1] != ED25519:
            raise NoteError("the verifier key is not of the type Ed25519")
        verifier = cls(name, key[1:])
        if not _KEY_ID.fullmatch(key_id) or bytes.fromhex(key_id) != verifier.key_id:
            raise NoteError("the key id does not belong to the verifier key")
        return verifier

    def accepts(self, signature: bytes, text: str) -> bool:
        """Whether ``signature`` (64 bytes, without the key id) is this key's over the note's text."""
        try:
            Ed25519PublicKey.from_public_bytes(self.public_key).verify(signature, text.encode())
        except InvalidSignature:
            return False
        return True


def sign(checkpoint: Checkpoint, name: str, private_key: Ed25519PrivateKey) -> str:
    """The checkpoint as a note with one signature line. Deterministic, as Ed25519 is (RFC 8032)."""
    text = checkpoint.to_text()
    key_id = Verifier.of(name, private_key).key_id
    return f"{text}\n{_SIGNATURE_PREFIX}{name} {_encode(key_id + private_key.sign(text.encode()))}\n"


def open_note(note: str, verifiers: Sequence[Verifier]) -> Checkpoint:
    """The checkpoint of a note that at least one of the ``verifiers`` signed.

    Signatures of unknown keys are ignored, so that witnesses may add theirs; a false one of a known key
    refuses the whole note. Raises ``NoteError`` with the reason. Whether the origin is the expected log is
    for the caller to compare.
    """
    text, signatures = _take_apart(note)
    verified = False
    for name, key_id, signature in signatures:
        for verifier in verifiers:
            if (verifier.name, verifier.key_id) != (name, key_id):
                continue
            if not verifier.accepts(signature, text):
                raise UnsignedError(f"the signature of {name} is false")
            verified = True
    if not verified:
        raise UnsignedError("no trusted key signed the note")
    return Checkpoint.from_text(text)


def _take_apart(note: str) -> tuple[str, list[tuple[str, bytes, bytes]]]:
    """The text (with its last newline) and each signature as (name, key id, signature)."""
    if len(note) > MAX_NOTE_CHARACTERS:
        raise NoteError("the note is too long")
    if not _is_clean(note):
        raise NoteError("the note holds control characters, or is not Unicode text")
    # The text may hold empty lines: the last one divides it from the signatures.
    text, divider, block = note.rpartition("\n\n")
    if not divider or not block.endswith("\n"):
        raise NoteError("the note has no text, no signatures or no last newline")
    lines = block[:-1].split("\n")
    if len(lines) > MAX_SIGNATURES:
        raise NoteError(f"the note has more than {MAX_SIGNATURES} signatures")
    return text + "\n", [_read_signature(line) for line in lines]


def _read_signature(line: str) -> tuple[str, bytes, bytes]:
    name, space, encoded = line.removeprefix(_SIGNATURE_PREFIX).partition(" ")
    if not line.startswith(_SIGNATURE_PREFIX) or not space:
        raise NoteError("a signature line is not an em dash, a name and a signature")
    _check_name(name)
    signed = _decode(encoded)
    if len(signed) <= KEY_ID_SIZE:
        raise NoteError("a signature is too short")
    return name, signed[:KEY_ID_SIZE], signed[KEY_ID_SIZE:]


def _check_name(name: str) -> None:
    if not name or not _is_clean(name) or "+" in name or any(each.isspace() for each in name):
        raise NoteError("a key name is empty, or holds spaces, plus signs or control characters")


def _is_clean(text: str) -> bool:
    """Whether the text can be UTF-8 and holds no ASCII control character but newlines."""
    return not any((each < " " and each != "\n") or "\ud800" <= each <= "\udfff" for each in text)


def _encode(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def _decode(text: str) -> bytes:
    """Strict base64 (RFC 4648 §4): one text for one value, so that no two notes differ and mean the same."""
    try:
        data = base64.b64decode(text, validate=True)
    except ValueError:
        data = b""
    if not data or _encode(data) != text:
        raise NoteError("a value is not canonical base64")
    return data
