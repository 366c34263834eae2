"""Reading one object of the vault without a catalogue: what its record tells, after everything else agreed with it."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from hashlib import sha512
from typing import Any

import sqlalchemy as sa

from archive.casefile import tables
from archive.casefile.documents import Document, document_of
from archive.casefile.record import Record, Row, unseal
from archive.casefile.reference import Reference
from archive.errors import DOCUMENT_DAMAGED, Code, MunimentError
from archive.keys.filekey import CaseFileId, FileKey
from archive.keys.journal import Kept
from archive.keys.keyring import Keyring, Wrapped
from archive.keys.sealing import BoxError
from archive.vault.inventory import LONGEST, NAME, SIDECAR, decode
from archive.vault.port import Vault

_URN = "urn:uuid:"
_VERSION = re.compile(r"v([1-9]\d*)/")
_CONTENT = re.compile(r"v([1-9]\d*)/content/([^/]+)")
_LONGEST_RECORD = 1 << 29  # bytes
_WORDS = {"title", "text"}  # sealed, in a document's row


class Reason(StrEnum):
    """Why an object cannot be rebuilt."""

    DISAGREES = "disagrees"
    INVENTORY = "inventory"
    KEY_MISSING = "key-missing"
    KEY_WRONG = "key-wrong"
    NAME = "name"
    RECORD_ALTERED = "record-altered"
    RECORD_MISSING = "record-missing"
    RECORD_NEWER = "record-newer"

    def say(self, language: str) -> str:
        return _REASONS[self][0 if language == "zh" else 1]


_REASONS: Mapping[Reason, tuple[str, str]] = {
    Reason.DISAGREES: (
        "封存记录与清单、编号或其他档案不一致",
        "its record disagrees with its inventory, its number or another file",
    ),
    Reason.INVENTORY: ("清单缺失或被改动", "its inventory is missing or was altered"),
    Reason.KEY_MISSING: ("密钥日志中没有它的密钥", "the key journal has no key for it"),
    Reason.KEY_WRONG: ("主密钥打不开它的密钥", "the master key does not open its key"),
    Reason.NAME: ("目录名不是档号", "its folder is not named after a case file"),
    Reason.RECORD_ALTERED: ("封存记录被改动", "its sealed record was altered"),
    Reason.RECORD_MISSING: ("没有封存记录", "it has no sealed record"),
    Reason.RECORD_NEWER: ("封存记录由更新的版本写成", "its sealed record was written by a newer Muniment"),
}


class UnfitError(Exception):
    """An object that cannot be rebuilt, and why."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason.value)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Told:
    """What an object tells: the rows of the case file, those that tell of its records, its wrapped key, and who ever
    did something to it (actors). Not ``settled``: there is more in it, or less at its top, by an act that was cut off.
    """

    record: Record
    recorded: tuple[Row, ...]
    wrapped: Wrapped
    actors: frozenset[str]
    settled: bool


@dataclass(frozen=True, slots=True)
class Reader:
    """``others`` as in ``Recording``. ``asked`` are the case files whose key was looked for."""

    vault: Vault
    keyring: Keyring
    kept: Kept
    others: tuple[sa.Table, ...]
    asked: set[str] = field(default_factory=set)

    def read(self, folder: str, newest: int) -> Told:
        """``newest`` is the last version of which anything lies in the object. Its documents are not read here, but
        must be those that the record was made of, by SHA-512 and HMAC. Raises UnfitError; what ails the vault as a
        whole as it is.
        """
        reference = _reference(folder)
        inventory, settled = self._inventory(folder, newest)
        try:
            case_file = CaseFileId(str(inventory["id"]).removeprefix(_URN))
            head = int(str(inventory["head"])[1:])
            content = {str(path): digest for digest, each in inventory["manifest"].items() for path in each}
            made = [each.get("user", {}).get("name") for each in inventory["versions"].values()]
        except (KeyError, ValueError, TypeError, AttributeError):
            raise UnfitError(Reason.INVENTORY) from None
        self.asked.add(case_file)
        wrapped = self.kept.file_keys.get(case_file)
        if wrapped is None:
            raise UnfitError(Reason.KEY_MISSING)
        key = self._key(case_file, wrapped)
        recorded = tuple(self._recorded(folder, reference, key, content))
        record = self._record(folder, reference, key, head, content)
        return Told(record, recorded, wrapped, _actors(made, record), settled)

    def _key(self, case_file: CaseFileId, wrapped: Wrapped) -> FileKey:
        try:
            return self.keyring.file_key(case_file, wrapped)
        except MunimentError as error:
            if error.code is not Code.KEY_WRONG:
                raise
            raise UnfitError(Reason.KEY_WRONG) from None

    def _record(
        self, folder: str, reference: Reference, key: FileKey, head: int, content: Mapping[str, str]
    ) -> Record:
        path = f"v{head}/content/{reference.record}"
        if path not in content:
            raise UnfitError(Reason.RECORD_MISSING)
        record = self._opened(self._proven(folder, path, content[path]), key, head)
        if record is None:
            raise UnfitError(Reason.RECORD_NEWER)
        if not _agrees(record, reference, key, content):
            raise UnfitError(Reason.DISAGREES)
        return record

    def _opened(self, box: bytes, key: FileKey, version: int) -> Record | None:
        """None for one of a newer form. Raises UnfitError for what is not the record of that version."""
        try:
            return unseal(box, key, version, self.others)
        except BoxError:
            raise UnfitError(Reason.RECORD_ALTERED) from None
        except (ValueError, KeyError, TypeError):
            return None

    def _recorded(
        self, folder: str, reference: Reference, key: FileKey, content: Mapping[str, str]
    ) -> Iterator[Row]:
        """Each proven by its seal: the inventory has no witness yet, and its digests become the catalogue's."""
        for path, digest in content.items():
            match = _CONTENT.fullmatch(path)
            if match is not None and match[2] == reference.record:
                box, version = self._proven(folder, path, digest), int(match[1])
                self._opened(box, key, version)
                yield {
                    "case_file": key.case_file,
                    "version": version,
                    "size": len(box),
                    "sha512": digest,
                }

    def _proven(self, folder: str, path: str, digest: str) -> bytes:
        content = self._small(f"{folder}/{path}", _LONGEST_RECORD)
        if content is None:
            raise UnfitError(Reason.RECORD_MISSING)
        if sha512(content).hexdigest() != digest:
            raise UnfitError(Reason.RECORD_ALTERED)
        return content

    def _inventory(self, folder: str, newest: int) -> tuple[dict[str, Any], bool]:
        """That of the newest version, where its sidecar confirms it: it counts as made, whether or not its inventory
        had come to the top of the object when the machine failed. Else the object's own; one version more, that has no
        inventory, is an act that was cut off. What is only an older version's is never taken: it would bring back a
        state that later acts have ended. And whether nothing is left of an act that was cut off.
        """
        top, last = self._confirmed(folder), self._confirmed(f"{folder}/v{newest}")
        if last is not None and _head(last) == newest and (top is None or _id(top) == _id(last)):
            return last, top == last
        if top is None:
            raise UnfitError(Reason.INVENTORY)
        return top, _head(top) != newest - 1

    def _confirmed(self, within: str) -> dict[str, Any] | None:
        """The inventory there, if its sidecar confirms it."""
        content = self._small(f"{within}/{NAME}", LONGEST)
        sidecar = self._small(f"{within}/{SIDECAR}", LONGEST)
        if (
            content is None
            or sidecar is None
            or sidecar.split()[:1] != [sha512(content).hexdigest().encode()]
        ):
            return None
        try:
            return decode(content)
        except MunimentError:
            return None

    def _small(self, path: str, longest: int) -> bytes | None:
        """None where there is no such file that can be read, or one that is none of ours."""
        try:
            with self.vault.open_path(path) as stream:
                content = stream.read(longest + 1)
                return content if len(content) <= longest else None
        except MunimentError as error:
            if error.code not in DOCUMENT_DAMAGED:
                raise
        except OSError:  # a bad sector, a link, a folder in its place
            pass
        return None


def newest_version(paths: Iterable[str], folder: str) -> int:
    """The last version of an object of which anything is among its paths; 0 for none."""
    found = (_VERSION.match(path.removeprefix(f"{folder}/")) for path in paths)
    return max((int(match[1]) for match in found if match is not None), default=0)


def _head(inventory: Mapping[str, Any]) -> int:
    match = _VERSION.fullmatch(f"{inventory.get('head')}/")
    return 0 if match is None else int(match[1])


def _id(inventory: Mapping[str, Any]) -> object:
    return inventory.get("id")


def _reference(folder: str) -> Reference:
    try:
        reference = Reference.parse(folder.rpartition("/")[2])
    except MunimentError:
        raise UnfitError(Reason.NAME) from None
    if reference.folder != folder:
        raise UnfitError(Reason.NAME)
    return reference


def _actors(made: Iterable[Any], record: Record) -> frozenset[str]:
    """Who ``made`` the versions of the object, and the columns that name one (``filed_by``, ``placed_by``, …)."""
    rows = (record.case_file, *(row for each in record.rows.values() for row in each))
    named = [value for row in rows for column, value in row.items() if column.endswith("_by") and value]
    return frozenset(map(str, (*named, *made)))


def _agrees(record: Record, reference: Reference, key: FileKey, content: Mapping[str, str]) -> bool:
    row, series = record.case_file, reference.series
    own = (row["reference"], row["year"], row["level"], row["category"], row["number"])
    if own != (str(reference), series.year, series.level, series.category, reference.number):
        return False
    known = [each for row in record.documents for each in _document(row).contents]
    return all(content.get(each.path) == each.sha512 and each.vouched(key) for each in known)


def _document(row: Row) -> Document:
    return document_of(
        {each.name: row.get(each.name) for each in tables.document.c if each.name not in _WORDS}
    )
