"""Exporting case files into one preservation package: decrypted documents, originals, metadata, events, proofs.

The package is built in a folder beside the wanted one and renamed at the end: there is a whole package or none. That
folder bears a mark: what an export that was cut off left is removed, what bears none is somebody else's. The
export is recorded before the package gets its name, and the proof of that very entry goes into the package: whoever
holds it can show that this archive made it, byte for byte.
"""

import json
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import sqlalchemy as sa

from archive.casefile.documents import Document
from archive.casefile.reading import CaseFile, CaseFiles
from archive.database.catalogue import Catalogue
from archive.errors import Code, MunimentError
from archive.evidence.kinds import EvidenceKind
from archive.evidence.sandbox import Sandbox
from archive.evidence.texts import written
from archive.keys.filekey import FileKey
from archive.ledger.acts import Act
from archive.ledger.entries import Actor
from archive.ledger.log import size
from archive.packages import tables
from archive.packages.actors import NAMES, actors_of
from archive.packages.bag import Bag
from archive.packages.describing import Description, Made, Packaged, Standing, encode, pdf_path, text_path
from archive.packages.explaining import README
from archive.packages.history import PROOF, positions, proven
from archive.vault import durable
from archive.vault.locks import alone
from archive.vault.port import Vault

Progress = Callable[[int], None]
_MARK = ".muniment-export"  # held while an export is under way


@dataclass(frozen=True, slots=True)
class Exported:
    """``manifest`` is the SHA-512, in hex, of the payload's manifest: it stands for the whole package."""

    folder: Path
    references: tuple[str, ...]
    documents: int
    manifest: str


@dataclass(frozen=True, slots=True)
class Exporting:
    """``holds`` tells the holds a case file is under; holds are kept by another part of the house."""

    catalogue: Catalogue
    case_files: CaseFiles
    vault: Vault
    sandbox: Sandbox
    holds: Callable[[str], Sequence[Standing]]

    def export(
        self,
        actor: Actor,
        references: Sequence[str],
        to: Path,
        names: Mapping[str, str],
        progress: Progress = lambda _: None,
    ) -> Exported:
        """``names`` says who the actors are. Raises MunimentError: FILE_NOT_FOUND, REFERENCE_INVALID,
        OUTPUT_EXISTS, ARCHIVE_BUSY (another export there is under way), DOCUMENT_ALTERED, DOCUMENT_MISSING.
        """
        files = [self.case_files.get(each) for each in dict.fromkeys(references)]
        if to.exists() or to.is_symlink():
            raise MunimentError(Code.OUTPUT_EXISTS, path=str(to))
        to.parent.mkdir(parents=True, exist_ok=True)
        with _workplace(to.with_name(to.name + ".partial")) as built:
            bag, documents, actors = Bag(built), 0, set[str]()
            for done, case_file in enumerate(files, start=1):
                documents += self._add(bag, case_file, actors)
                progress(done)
            bag.add(NAMES, _json({each: names[each] for each in sorted(actors) if each in names}))
            bag.add("README.txt", README.encode())
            manifest = bag.close_payload()
            bag.add_tag(PROOF, _json(self._recorded(actor, files, manifest)))
            bag.close(self._info(files))
            built.rename(to)
            durable.sync_folder(to.parent)
        return Exported(to, tuple(each.reference for each in files), documents, manifest)

    def _add(self, bag: Bag, case_file: CaseFile, actors: set[str]) -> int:
        """One case file's part of the payload; returns how many documents it has, adds who did something to it."""
        key = self.case_files.key_of(case_file)
        folder = case_file.reference
        newest = {each.ordinal: each.version for each in self.case_files.documents(case_file)}
        documents = [
            each for each in self.case_files.all_documents(case_file) if each.version <= case_file.version
        ]
        titles = self.case_files.titles(case_file)
        packaged = tuple(
            self._document(bag, case_file, each, titles[each.ordinal], newest=newest) for each in documents
        )
        description = Description(
            case_file, packaged, self._versions(case_file), tuple(self.holds(case_file.reference))
        )
        bag.add(f"{folder}/metadata.json", encode(description))
        bag.add(f"{folder}/voucher.json", self.case_files.voucher(case_file))
        for each in self.case_files.documents(case_file):
            bag.add(
                f"{folder}/{text_path(each.name)}", written(self.case_files.pages(case_file, each.ordinal))
            )
        with self.catalogue.reading() as connection:
            events = proven(connection, self.catalogue.ledger, key, positions(connection, case_file))
        events["former"] = self._former(case_file, key)
        actors |= actors_of(description, events)
        bag.add(f"{folder}/events.json", _json(events))
        return len(documents)

    def _document(
        self,
        bag: Bag,
        case_file: CaseFile,
        document: Document,
        title: str,
        *,
        newest: Mapping[int, int],
    ) -> Packaged:
        path = pdf_path(document.version, document.name)
        original = None
        stream, password = self.case_files.open_version(case_file, document)
        with stream:
            plain, claim = self.sandbox.unseal(stream, password)
            with plain:
                bag.add(f"{case_file.reference}/{path}", plain)
            if newest[document.ordinal] == document.version:
                original = f"originals/{Path(document.name).stem}.{_extension(document)}"
                with self._original(case_file, document, stream, password) as given:
                    bag.add(f"{case_file.reference}/{original}", given)
        return Packaged(
            ordinal=document.ordinal,
            version=document.version,
            name=document.name,
            title=title,
            kind=document.kind,
            pages=document.pages,
            original_sha256=document.original_sha256,
            pending=document.pending,
            pdf=path,
            original=original,
            pdfa=claim,
            stream_version=None if document.stream is None else document.stream.version,
        )

    def _original(self, case_file: CaseFile, document: Document, pdf: BinaryIO, password: str) -> BinaryIO:
        """From the PDF, or of a recording that lies beside it: then piece by piece, as it is copied."""
        if document.stream is None:
            return self.sandbox.original(pdf, password)
        return self.case_files.open_recording(case_file, document)

    def _versions(self, case_file: CaseFile) -> tuple[Made, ...]:
        inventory: dict[str, Any] = self.vault.inventory(case_file.folder)
        return tuple(
            Made(version, each["created"], each["message"], each["user"]["name"])
            for version in range(1, case_file.version + 1)
            for each in [inventory["versions"][f"v{version}"]]
        )

    def _former(self, case_file: CaseFile, key: FileKey) -> Any:
        """The events before the case file came to this archive, if it was imported."""
        query = sa.select(tables.former_history.c.box).where(
            tables.former_history.c.case_file == case_file.id
        )
        with self.catalogue.reading() as connection:
            box = connection.execute(query).scalar()
        return None if box is None else json.loads(key.unseal(box, "history"))

    def _recorded(self, actor: Actor, files: Sequence[CaseFile], manifest: str) -> dict[str, Any]:
        """Records the export, a case file an entry, and proves each entry."""
        keys = [self.case_files.key_of(each) for each in files]
        with self.catalogue.unit(actor) as unit:
            first = size(unit.connection)
            for case_file, key in zip(files, keys, strict=True):
                unit.record(Act.EXPORTED, case_file.reference, detail={"manifest": manifest}, key=key)
        with self.catalogue.reading() as connection:
            proofs = [
                proven(connection, self.catalogue.ledger, key, [first + number])
                for number, key in enumerate(keys)
            ]
        return {**proofs[0], "events": [event for each in proofs for event in each["events"]]}

    def _info(self, files: Sequence[CaseFile]) -> dict[str, str]:
        return {
            "Bag-Software-Agent": "Muniment",
            "Bagging-Date": self.catalogue.clock().date().isoformat(),
            "External-Identifier": self.catalogue.ledger.origin,
            "External-Description": f"{len(files)} case files · 投诉登记档案 {len(files)} 份",
        }


@contextmanager
def _workplace(folder: Path) -> Iterator[Path]:
    """An empty folder within ``folder``; both go at the end. Raises OUTPUT_EXISTS, ARCHIVE_BUSY."""
    mark, built = folder / _MARK, folder / "package"
    with suppress(OSError):
        folder.rmdir()  # what is empty is nobody's
    if folder.is_symlink() or (folder.exists() and not mark.is_file()):
        raise MunimentError(Code.OUTPUT_EXISTS, path=str(folder))
    folder.mkdir(mode=0o700, exist_ok=True)
    with alone(mark):
        shutil.rmtree(built, ignore_errors=True)  # of an export that was cut off
        try:
            built.mkdir(mode=0o700)
            yield built
        finally:
            shutil.rmtree(built, ignore_errors=True)
            mark.unlink(missing_ok=True)
            with suppress(OSError):
                folder.rmdir()


def _extension(document: Document) -> str:
    return "json" if document.ordinal == 0 else EvidenceKind(document.kind).extension


def _json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, indent=1).encode()
