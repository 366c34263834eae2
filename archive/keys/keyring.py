"""The master keyring: versioned keys that wrap every other key. Where it is kept: ``archive.keys.keyfile``."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from archive.errors import Code, MunimentError
from archive.keys.filekey import CaseFileId, FileKey
from archive.keys.sealing import BoxError, seal, unseal


@dataclass(frozen=True, slots=True)
class Wrapped:
    version: int  # of the master key
    box: bytes


@dataclass(slots=True, repr=False)
class Keyring:
    """Master keys by version; the highest wraps, every one unwraps.

    A rotation in another process adds a version while this one is at work. ``renew`` reads the keys again from where
    they are kept; it is asked when a version is met that is not known yet.
    """

    keys: Mapping[int, bytes]
    source: str  # the file it came from, for messages
    renew: Callable[[], Mapping[int, bytes]] | None = None

    @property
    def current(self) -> int:
        return max(self.keys)

    def wrap(self, secret: bytes, place: str, *, at_least: int = 0) -> Wrapped:
        """``at_least`` is the version that the catalogue wraps with: an older one may be gone tomorrow.

        Raises MunimentError(KEY_WRONG).
        """
        version = max(self.current, at_least)
        return Wrapped(version, seal(self._master(version), secret, f"{place}:v{version}"))

    def unwrap(self, wrapped: Wrapped, place: str) -> bytes:
        """Raises MunimentError(KEY_WRONG)."""
        try:
            return unseal(self._master(wrapped.version), wrapped.box, f"{place}:v{wrapped.version}")
        except BoxError:
            raise MunimentError(Code.KEY_WRONG, path=self.source) from None

    def wrap_file_key(self, key: FileKey, *, at_least: int = 0) -> Wrapped:
        return self.wrap(key.secret, place_of_file_key(key.case_file), at_least=at_least)

    def file_key(self, case_file: CaseFileId, wrapped: Wrapped) -> FileKey:
        return FileKey(case_file, self.unwrap(wrapped, place_of_file_key(case_file)))

    def _master(self, version: int) -> bytes:
        if version not in self.keys and self.renew is not None:
            # Those that were retired stay known here: a row may have been read just before it was re-wrapped.
            self.keys = {**self.keys, **self.renew()}
        if version not in self.keys:
            raise MunimentError(Code.KEY_WRONG, path=self.source)
        return self.keys[version]


def place_of_file_key(case_file: str) -> str:
    return f"file:{case_file}"
