"""Restoring a snapshot onto an empty machine: a whole archive in a folder that is missing or empty, or none.

It is built beside and moved there at the end. Every byte is proven on its way: by the seal of its object, by the
SHA-512 that the list names. A damaged catalogue, list or key part stops it; a damaged document costs that document,
which is named: in a disaster the rest is wanted.
"""

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from hashlib import sha512
from pathlib import Path

from archive.backup.keeping_apart import description_of, put_back, shredded
from archive.backup.lines import read
from archive.backup.places import Place, open_place
from archive.backup.sealing import Sealer
from archive.backup.snapshots import QUARANTINE, Kept, Listing, catalogue_name, keys_name, newest
from archive.casefile.quarantining import FOLDER as QUARANTINE_FOLDER
from archive.causes import NO_KEY_LIST, Cause
from archive.database.catalogue import Catalogue
from archive.database.engine import Database
from archive.description import write_description
from archive.errors import Code, MunimentError
from archive.founding import catalogue_key_of
from archive.keys.keyring import Keyring
from archive.keys.sealing import Randomness
from archive.ledger.acts import Act
from archive.ledger.entries import Actor
from archive.vault import durable
from archive.vault.inventory import NAME, OBJECT_DECLARATION, SIDECAR, sidecar
from archive.vault.local import LocalVault
from archive.vault.placing import HOME, Where, write_where

Progress = Callable[[int, int], None]  # files of the vault restored, of how many


@dataclass(frozen=True, slots=True)
class Restored:
    """``damaged`` names objects of the backup and what was lost with them; ``gone`` counts case files that were
    destroyed since the snapshot and are not brought back.
    """

    home: Path
    snapshot: str
    taken_at: str  # RFC 3339
    checkpoint: str | None  # of the ledger as it was
    files: int
    documents: int
    size: int  # bytes
    gone: int
    damaged: tuple[str, ...]


def restore(
    place: Place,
    keyring: Keyring,
    home: Path,
    randomness: Randomness,
    *,
    snapshot: str | None = None,
    progress: Progress = lambda _done, _total: None,
) -> Restored:
    """The newest snapshot, or the one that is named. Raises MunimentError: ARCHIVE_EXISTS, BACKUP_MISSING,
    BACKUP_DAMAGED, BACKUP_KEY_VERSION, KEY_WRONG, DISK_FULL; OSError.
    """
    if home.exists() and (not home.is_dir() or any(home.iterdir())):
        raise MunimentError(Code.ARCHIVE_EXISTS, home=str(home))
    home.parent.mkdir(parents=True, exist_ok=True)
    _, sealer = open_place(place, keyring, randomness)
    wanted = _wanted(place, snapshot)
    built = home.with_name(f".{home.name}.restoring")
    shutil.rmtree(built, ignore_errors=True)  # of a restore that was cut off
    try:
        built.mkdir(mode=0o700)
        restored = _Restoring(place, sealer, keyring, built, progress).run(wanted, home)
        built.rename(home)
        durable.sync_folder(home.parent)
    except BaseException:
        shutil.rmtree(built, ignore_errors=True)
        raise
    return restored


def record_restored(catalogue: Catalogue, actor: Actor, restored: Restored) -> None:
    """The first entry of the restored ledger: from here on its history is another one than what was lost."""
    with catalogue.unit(actor) as unit:
        unit.record(
            Act.RESTORED,
            f"backup:{restored.snapshot}",
            detail={
                "files": restored.files,
                "gone": restored.gone,
                "documents": list(restored.damaged[:100]),
                "result": "damaged" if restored.damaged else "whole",
            },
        )


def _wanted(place: Place, snapshot: str | None) -> str:
    there = newest(place.store, "snapshots")
    if not there or snapshot not in (None, *there):
        raise MunimentError(Code.BACKUP_MISSING, place=f"{place.said} {snapshot or ''}".strip())
    return there[0] if snapshot is None else snapshot


class _Restoring:
    def __init__(
        self, place: Place, sealer: Sealer, keyring: Keyring, built: Path, progress: Progress
    ) -> None:
        self._place = place
        self._sealer = sealer
        self._keyring = keyring
        self._built = built
        self._progress = progress
        self._vault = LocalVault(built / "vault", built / "staging", built / "locks")
        self._gone = shredded(place.keys)
        self._damaged: list[str] = []

    def run(self, snapshot: str, home: Path) -> Restored:
        total = self._count(snapshot)
        listing = Listing(self._place.store, self._sealer, snapshot)
        try:
            self._vault.create()
            self._catalogue(snapshot)
            self._keys(snapshot)
            left_out: set[str] = set()
            for done, kept in enumerate(listing.kept(), start=1):
                if kept.case_file in self._gone:
                    left_out.add(kept.case_file)
                else:
                    self._file(kept)
                self._progress(done, total)
        finally:
            listing.close()
        for folder, _, _ in os.walk(self._built):
            durable.sync_folder(Path(folder))
        header, trailer = listing.header, listing.trailer
        return Restored(
            home,
            snapshot,
            header.taken_at,
            header.checkpoint,
            trailer.files if trailer else 0,
            trailer.documents if trailer else 0,
            trailer.size if trailer else 0,
            len(left_out),
            (*self._damaged, *(trailer.damaged if trailer else ())),
        )

    def _count(self, snapshot: str) -> int:
        """The list is read once more for it, which also proves it to its end before anything is fetched."""
        listing = Listing(self._place.store, self._sealer, snapshot)
        try:
            return sum(1 for _ in listing.kept())
        finally:
            listing.close()

    def _catalogue(self, snapshot: str) -> None:
        name = catalogue_name(snapshot)
        with self._place.store.open(name) as stream:
            durable.write(self._built / "catalogue.db", self._sealer.open(name, stream))

    def _keys(self, snapshot: str) -> None:
        """From the newest key part that opens: it holds the keys of every snapshot up to its own."""
        parts = newest(self._place.keys, "keys")
        if not parts:
            problem = Cause("没有密钥部分", "no key part is there")
            raise MunimentError(Code.BACKUP_DAMAGED, path=keys_name(snapshot), problem=problem)
        if parts[0] < snapshot:
            self._damaged.append(keys_name(snapshot))
        for number, part in enumerate(parts, start=1):
            try:
                self._put_keys_back(keys_name(part))
            except MunimentError as error:
                if error.code is not Code.BACKUP_DAMAGED or number == len(parts):
                    raise
                self._damaged.append(keys_name(part))
            else:
                return

    def _put_keys_back(self, name: str) -> None:
        with self._place.keys.open(name) as stream:
            lines = read(self._sealer.open(name, stream), name)
            description = description_of(lines, name)
            catalogue = Database(self._built / "catalogue.db", catalogue_key_of(description, self._keyring))
            try:
                put_back(catalogue, lines, self._gone)
                with catalogue.writing() as connection:  # not where it lay: that vault may be in use
                    write_where(connection, Where(HOME, None))
            except (KeyError, ValueError, TypeError):
                raise MunimentError(Code.BACKUP_DAMAGED, path=name, problem=NO_KEY_LIST) from None
            finally:
                catalogue.close()
        write_description(self._built, description)

    def _file(self, kept: Kept) -> None:
        """A document, a sealed file of the quarantine, or an inventory and what is made from it."""
        name = self._sealer.name_of(bytes.fromhex(kept.sha512))
        root = self._built / QUARANTINE_FOLDER if kept.case_file == QUARANTINE else self._vault.root
        target = root / kept.path
        if not target.resolve().is_relative_to(root.resolve()):
            raise MunimentError(
                Code.BACKUP_DAMAGED,
                path=name,
                problem=Cause("指向库外的位置", "it names a place outside the vault"),
            )
        root.mkdir(mode=0o700, exist_ok=True)
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            with self._place.store.open(name) as stream:
                durable.write(target, _proven(self._sealer.open(name, stream), kept.sha512, name))
        except MunimentError as error:
            if error.code is not Code.BACKUP_DAMAGED:
                raise
            self._damaged.append(f"{name} ({kept.path})")
            return
        if target.name == NAME:
            self._complete(target)

    def _complete(self, inventory: Path) -> None:
        """Sidecar, declaration, and the copy at the top, which a later version replaces (OCFL 1.1, 3.1)."""
        content = inventory.read_bytes()
        top = inventory.parent.parent
        for path, data in (
            (inventory.with_name(SIDECAR), sidecar(content)),
            (top / SIDECAR, sidecar(content)),
            (top / NAME, content),
            (top / OBJECT_DECLARATION[0], OBJECT_DECLARATION[1]),
        ):
            path.unlink(missing_ok=True)
            durable.write(path, data)


def _proven(pieces: Iterator[bytes], expected: str, name: str) -> Iterator[bytes]:
    digest = sha512()
    for piece in pieces:
        digest.update(piece)
        yield piece
    if digest.hexdigest() != expected:
        raise MunimentError(
            Code.BACKUP_DAMAGED, path=name, problem=Cause("属于另一个文件", "it is of another file")
        )
