"""The key journal: every wrapped key of the archive once more, outside of the catalogue and of the vault.

A text file of lines, each ``check json``; the check is the first 16 hex digits of the SHA-256 of the JSON, so that a
line torn by a power cut, or decayed, is noticed and passed over. A line holds the archive's description
(``archive``), a secret of its own (``secret``) or the key of a case file (``case_file``), the last two wrapped by the
master key (``master_version``, ``box``); of two lines about the same thing the later counts. It is appended to while
people file, and written anew as a whole when the master key is rotated or a key is to be forgotten.
"""

import fcntl
import json
import os
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import date
from errno import ENOSPC
from hashlib import sha256
from io import BufferedReader, FileIO
from itertools import count
from pathlib import Path
from tempfile import mkstemp
from typing import Any

from archive.causes import NO_PLAIN_FILE, of_system
from archive.errors import Code, MunimentError, refusal_of
from archive.keys.keyring import Wrapped
from archive.vault import durable

_CHECK = 16  # hex digits
_OWN = 3  # lines, the first: the description of the archive and the two secrets of its ledger


@dataclass(frozen=True, slots=True)
class Kept:
    """What a journal holds. ``torn`` counts lines that cannot be read."""

    archive: Mapping[str, Any] | None = None  # archive.json
    secrets: Mapping[str, Wrapped] = field(default_factory=dict)
    file_keys: Mapping[str, Wrapped] = field(default_factory=dict)  # by case file
    torn: int = 0


@dataclass(frozen=True, slots=True)
class KeyJournal:
    """The journal at ``path``. Safe to use from several threads and processes at once: whoever writes holds its
    lock. Everything here may raise MunimentError: DISK_FULL, PATH_UNUSABLE.
    """

    path: Path

    def read(self) -> Kept:
        """Nothing where there is no journal."""
        with self._said(), suppress(FileNotFoundError), self._opened(os.O_RDONLY) as file:
            return _kept(file.read())
        return Kept()

    def archive(self) -> str | None:
        """The archive it belongs to, by its first lines; none where these do not hold what is the archive's own."""
        with (
            self._said(),
            suppress(FileNotFoundError),
            self._opened(os.O_RDONLY) as raw,
            BufferedReader(raw) as file,
        ):
            first, *others = (_document(file.readline().rstrip(b"\n")) or {} for _ in range(_OWN))
            if "archive" in first and all("secret" in each for each in others):
                return str(first["archive"].get("archive"))
        return None

    def append(self, case_file: str, wrap: Callable[[], Wrapped]) -> None:
        """One file key, on the disk when this returns. ``wrap`` is asked under the lock."""
        with self._locked() as file:
            line = _line(_wrapped({"case_file": case_file}, wrap()))
            end = file.seek(0, os.SEEK_END)
            if end and os.pread(file.fileno(), 1, end - 1) != b"\n":
                line = b"\n" + line  # what was torn stays a line of its own
            try:
                _write(file, line)
                os.fsync(file.fileno())
            except BaseException:
                with suppress(OSError):
                    file.truncate(end)
                raise

    def rewrite(self, change: Callable[[Kept], Kept]) -> None:
        """The journal becomes what ``change`` makes of it, at once or not at all; who appends waits meanwhile."""
        with self._locked() as file:
            kept = change(_kept(file.read()))
            for left in self.path.parent.glob(f".{self.path.name}-*"):  # by one that was killed
                left.unlink()
            descriptor, name = mkstemp(prefix=f".{self.path.name}-", dir=self.path.parent)  # mode 0600
            try:
                with os.fdopen(descriptor, "wb") as fresh:
                    fcntl.flock(fresh, fcntl.LOCK_EX)  # nobody appends to it before its name is on the disk
                    fresh.writelines(_lines(kept))
                    fresh.flush()
                    os.fsync(fresh.fileno())
                    Path(name).replace(self.path)
                    durable.sync_folder(self.path.parent)
            except BaseException:
                Path(name).unlink(missing_ok=True)
                raise

    def keep_aside(self, on: date) -> Path:
        """A second name for the journal as it is, beside it and named by the day: for ``change``, which leaves out
        what may still be needed. No later line comes into it, since what ``change`` returns takes the first name.
        """
        for number in count(1):
            aside = self.path.with_name(f"{self.path.name}.{on}" + (f".{number}" if number > 1 else ""))
            with suppress(FileExistsError):
                aside.hardlink_to(self.path)
            if aside.samefile(self.path):  # made now, or by a change that was cut off
                break
        return aside

    def forget(self, case_files: Iterable[str]) -> None:
        """For shredding: the keys are in the journal no more. The bytes may stay on the disk until it overwrites them.
        Called after the catalogue has forgotten them, so that nobody brings them back from there.
        """
        gone = frozenset(case_files)

        def without(kept: Kept) -> Kept:
            left = {each: wrapped for each, wrapped in kept.file_keys.items() if each not in gone}
            return Kept(kept.archive, kept.secrets, left)

        self.rewrite(without)

    @contextmanager
    def _locked(self) -> Iterator[FileIO]:
        """The file that bears the name now, at its start, made where there is none."""
        with self._said():
            while True:
                with self._opened(os.O_RDWR | os.O_APPEND | os.O_CREAT) as file:
                    fcntl.flock(file, fcntl.LOCK_EX)
                    if self._is_named(file):
                        if os.fstat(file.fileno()).st_size == 0:
                            durable.sync_folder(self.path.parent)
                        yield file
                        return

    def _is_named(self, file: FileIO) -> bool:
        """Whether it was not replaced while we waited for its lock."""
        with suppress(FileNotFoundError):
            return os.path.samestat(os.fstat(file.fileno()), self.path.stat())
        return False

    def _opened(self, flags: int) -> FileIO:
        """A plain file only: a pipe would be waited for, a link replaced by the file that is written anew."""
        if self.path.is_symlink() or (self.path.exists() and not self.path.is_file()):
            raise MunimentError(Code.PATH_UNUSABLE, path=str(self.path), problem=NO_PLAIN_FILE)
        descriptor = os.open(self.path, flags | os.O_NOFOLLOW | os.O_NONBLOCK, 0o600)
        return FileIO(descriptor, "r+" if flags & os.O_RDWR else "r")

    @contextmanager
    def _said(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            unusable = MunimentError(Code.PATH_UNUSABLE, path=str(self.path), problem=of_system(error.errno))
            raise refusal_of(error) or unusable from None


def _write(file: FileIO, line: bytes) -> None:
    """All of it: where there is room for a part, that part is written and nothing said."""
    if file.write(line) != len(line):
        raise OSError(ENOSPC, os.strerror(ENOSPC))


def _kept(content: bytes) -> Kept:
    archive, torn = None, 0
    secrets: dict[str, Wrapped] = {}
    file_keys: dict[str, Wrapped] = {}
    for line in content.split(b"\n"):
        document = _document(line)
        if document is None:
            torn += bool(line)
        elif "archive" in document:
            archive = document["archive"]
        else:
            kind, into = ("secret", secrets) if "secret" in document else ("case_file", file_keys)
            into[document[kind]] = Wrapped(document["master_version"], b64decode(document["box"]))
    return Kept(archive, secrets, file_keys, torn)


def _document(line: bytes) -> dict[str, Any] | None:
    """None for a line that is not as it was written."""
    check, _, text = line.partition(b" ")
    if not line or check != _check(text):
        return None
    document: dict[str, Any] = json.loads(text)
    return document


def _lines(kept: Kept) -> Iterator[bytes]:
    if kept.archive is not None:
        yield _line({"archive": dict(kept.archive)})
    for name, wrapped in kept.secrets.items():
        yield _line(_wrapped({"secret": name}, wrapped))
    for name, wrapped in kept.file_keys.items():
        yield _line(_wrapped({"case_file": name}, wrapped))


def _line(document: Mapping[str, Any]) -> bytes:
    text = json.dumps(document, separators=(",", ":")).encode()
    return _check(text) + b" " + text + b"\n"


def _wrapped(named: dict[str, Any], wrapped: Wrapped) -> dict[str, Any]:
    return {**named, "master_version": wrapped.version, "box": b64encode(wrapped.box).decode()}


def _check(text: bytes) -> bytes:
    return sha256(text).hexdigest()[:_CHECK].encode()
