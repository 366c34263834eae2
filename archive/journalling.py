"""Journalling: the key of a case file is in the key journal before anything sealed under it is in the vault.

The journal is what opens the vault when the catalogue is lost. The version to wrap with is read from the catalogue
under the journal's lock. A rotation first makes the catalogue name the new version and then takes that lock: whoever
appended before it is wrapped anew, whoever comes after it wraps with the new version.
"""

import logging
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from archive.casefile import tables
from archive.database.catalogue import Catalogue
from archive.description import described, place_of_archive, read_description
from archive.errors import Code, MunimentError
from archive.keys.filekey import CaseFileId, FileKey
from archive.keys.journal import Kept, KeyJournal
from archive.keys.keyring import Keyring, Wrapped, place_of_file_key
from archive.keys.versions import wrapping_version
from archive.ledger import tables as ledger_tables
from archive.ledger.acts import Act
from archive.ledger.entries import SYSTEM, Detail
from archive.ledger.log import entries

_logger = logging.getLogger("muniment")


@dataclass(frozen=True, slots=True)
class JournalStatus:
    """``missing`` are the case files whose key the catalogue has and the journal has not, ``torn`` counts its lines
    that cannot be read, ``others`` keys that the catalogue does not know: of filings that were cut off. ``mended``: it
    was damaged and made anew, and no fixity check has named that yet.
    """

    path: str
    versions: Counter[int]  # of the master key: how many keys of the journal it wraps
    file_keys: int
    missing: frozenset[CaseFileId]
    torn: int
    others: int
    mended: bool

    @property
    def whole(self) -> bool:
        return not self.missing

    def to_json(self) -> dict[str, Any]:
        return {
            "path": self.path,
            "file_keys": self.file_keys,
            "missing": len(self.missing),
            "unreadable_lines": self.torn,
            "other_keys": self.others,
            "mended": self.mended,
            "whole": self.whole,
        }


@dataclass(frozen=True, slots=True)
class Journalling:
    home: Path
    catalogue: Catalogue
    keyring: Keyring
    journal: KeyJournal

    def begin(self) -> None:
        """An archive from before there was a journal, or whose journal was lost, gets one. One whose first lines are
        damaged is made anew from the catalogue, and the ledger says so. Raises KEY_JOURNAL_OF_OTHER.
        """
        archive = self.journal.archive()
        if archive is None:
            self._renew(self._tell)
        else:
            self._check(archive)

    def keep(self, key: FileKey) -> None:
        """The key is in the journal, on the disk. To be called before the vault is given anything sealed under it.
        One that was taken away or exchanged since the opening is not to begin with this key. Raises as ``begin``.
        """
        self.begin()

        def wrap() -> Wrapped:
            with self.catalogue.reading() as connection:
                at_least = wrapping_version(connection)
            return self.keyring.wrap_file_key(key, at_least=at_least)

        self.journal.append(key.case_file, wrap)

    def status(self) -> JournalStatus:
        kept = self.journal.read()
        with self.catalogue.reading() as connection:
            query = sa.select(tables.file_key.c.case_file)
            known = frozenset(map(CaseFileId, connection.execute(query).scalars()))
        return JournalStatus(
            str(self.journal.path),
            Counter(each.version for each in (*kept.file_keys.values(), *_own(kept))),
            len(kept.file_keys),
            known - kept.file_keys.keys(),
            kept.torn,
            len(kept.file_keys.keys() - known),
            self.mended(),
        )

    def mended(self) -> bool:
        """Whether it was found damaged, and made anew, since the last fixity check: the next one names it."""
        entry = ledger_tables.entry.c
        last = sa.select(sa.func.max(entry.position)).where(entry.act == Act.FIXITY_CHECKED.value)
        query = sa.select(entry.position).where(
            entry.act == Act.REPAIRED.value,
            entry.subject == self._subject(),
            entry.position > sa.func.coalesce(last.scalar_subquery(), -1),
        )
        with self.catalogue.reading() as connection:
            # Under the ledger's own key: of a case file none is needed.
            found = list(entries(connection, self.catalogue.ledger, query, lambda _: None))
        return any(each.detail == self._mending() for each in found)

    def renew(self) -> int:
        """The journal is written anew, whole: what the catalogue has, and what only the journal has, everything
        wrapped with the version that the catalogue wraps with. How many keys it had missed. What of the old journal
        cannot be read today may be all that opens a file some day: then it is kept aside. Raises KEY_JOURNAL_OF_OTHER.
        """
        return self._renew(lambda _: None)

    def _renew(self, tell: Callable[[Kept], None]) -> int:
        """``tell`` is asked last, under the lock of the journal, before anything of it is replaced."""
        missed = 0

        def renewed(kept: Kept) -> Kept:
            nonlocal missed
            if kept.archive is not None:
                self._check(described(kept.archive).archive)
            with self.catalogue.reading() as connection:
                version = wrapping_version(connection)
                secrets = {
                    row.name: self._wrapped(_row(row), row.name, version)
                    for row in connection.execute(sa.select(ledger_tables.secret))
                }
                rows = connection.execute(sa.select(tables.file_key)).all()
            file_keys = self._opened(
                {key: each for key, each in kept.file_keys.items() if each.version == version}, version
            )
            for row in rows:
                if row.case_file not in file_keys:
                    file_keys[row.case_file] = self._key(row.case_file, _row(row), version)
            missed = len({row.case_file for row in rows} - kept.file_keys.keys())
            others = {key: each for key, each in kept.file_keys.items() if key not in file_keys}
            file_keys |= self._opened(others, version)
            self._keep_aside(kept, len(others.keys() - file_keys.keys()))
            tell(kept)
            return Kept(self._description(version), secrets, file_keys)

        self.journal.rewrite(renewed)
        return missed

    def _tell(self, kept: Kept) -> None:
        """Said before it is done: whatever cuts this off, no damage is mended in silence."""
        if kept == Kept():
            _logger.warning("the key journal is made: %s", self.journal.path)
        elif self.journal.archive() is None:  # else another process was faster
            _logger.warning("the key journal was damaged and is made anew: %s", self.journal.path)
            with self.catalogue.unit(SYSTEM) as unit:
                unit.record(Act.REPAIRED, self._subject(), detail=self._mending())

    def _subject(self) -> str:
        """Not from ``archive.json``, which may be damaged too."""
        return f"archive:{self.catalogue.ledger.origin.removeprefix('muniment/')}"

    def _mending(self) -> Detail:
        return {"documents": [self.journal.path.name], "result": "whole"}

    def left(self, current: int) -> int:
        """How many of its keys another version wraps."""
        return sum(count for version, count in self.status().versions.items() if version != current)

    def _check(self, archive: str) -> None:
        if archive != read_description(self.home).archive:
            raise MunimentError(Code.KEY_JOURNAL_OF_OTHER, path=str(self.journal.path))

    def _description(self, version: int) -> dict[str, Any]:
        description = read_description(self.home)
        wrapped = self._wrapped(description.wrapped, place_of_archive(description.archive), version)
        return replace(description, wrapped=wrapped).to_json()

    def _opened(self, wrapped: Mapping[str, Wrapped], version: int) -> dict[str, Wrapped]:
        """Those that open, wrapped with ``version``. Others are of another master key, even where its number is one
        that is known: after a step back to an older key file the same number is given to a new key.
        """
        found, unknown = {}, set()
        for each, box in wrapped.items():
            if box.version in unknown:
                continue  # or the key file would be read again for each
            try:
                key = self.keyring.file_key(CaseFileId(each), box)
            except MunimentError as error:
                if error.code is not Code.KEY_WRONG:
                    raise
                unknown |= {box.version} - self.keyring.keys.keys()
                continue
            found[each] = box if box.version == version else self.keyring.wrap_file_key(key, at_least=version)
        return found

    def _keep_aside(self, kept: Kept, left_out: int) -> None:
        """Under the lock of the journal, before it is written anew without them."""
        if left_out or kept.torn or (kept.archive is None and kept != Kept()):
            aside = self.journal.keep_aside(self.catalogue.clock().date())
            _logger.warning(
                "the key journal was written anew without %d keys that do not open and %d lines that cannot be read;"
                " keep the one before, %s, as long as a file in the vault lacks its key",
                left_out,
                kept.torn,
                aside,
            )

    def _key(self, case_file: str, wrapped: Wrapped, version: int) -> Wrapped:
        return self._wrapped(wrapped, place_of_file_key(case_file), version)

    def _wrapped(self, wrapped: Wrapped, place: str, version: int) -> Wrapped:
        if wrapped.version == version:
            return wrapped
        return self.keyring.wrap(self.keyring.unwrap(wrapped, place), place, at_least=version)


def _row(row: sa.Row[Any]) -> Wrapped:
    return Wrapped(row.master_version, row.box)


def _own(kept: Kept) -> Iterable[Wrapped]:
    """What wraps the archive's own: its description and its secrets."""
    if kept.archive is not None:
        yield described(kept.archive).wrapped
    yield from kept.secrets.values()
