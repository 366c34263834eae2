"""Importing a preservation package into an archive in which nothing was filed: the same case files, without difference.

References, dates, states, originals, texts and earlier versions are those of the package. The file key is new and the
PDFs are encrypted anew under it; where the case file came from and what happened to it there is kept sealed with it.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

import sqlalchemy as sa

from archive.casefile import tables as casefile_tables
from archive.casefile import texts
from archive.casefile.documents import Stream, place_of, stream_columns, stream_name, stream_place
from archive.casefile.filing import insert_rows
from archive.casefile.passing import Beside, Pass
from archive.casefile.record import Record, Row
from archive.casefile.recording import Recording
from archive.casefile.recovering import make_way, undo
from archive.casefile.reference import Reference
from archive.causes import Cause
from archive.database.catalogue import Catalogue, Unit
from archive.errors import Code, MunimentError
from archive.evidence.sandbox import Resealed, Sandbox
from archive.evidence.texts import LONGEST_LINE, pages_of, written
from archive.journalling import Journalling
from archive.keys.filekey import CaseFileId, FileKey
from archive.keys.keyring import Keyring
from archive.keys.sealing import Randomness
from archive.keys.versions import wrapping_version
from archive.ledger import tables as ledger_tables
from archive.ledger.acts import Act
from archive.ledger.entries import PERSON, Actor, Detail
from archive.packages import bag, tables
from archive.packages.actors import actors_of, names_of
from archive.packages.describing import Description, Made, Packaged, Standing, decode, text_path
from archive.packages.history import PROOF, checked
from archive.scheme.scheme import Scheme
from archive.vault.inventory import Change
from archive.vault.port import Vault
from archive.vault.staging import Staging
from archive.voucher.fields import parse

Progress = Callable[[int, int], None]  # case files done, of how many
_TEXTS = "texts.json"


@dataclass(frozen=True, slots=True)
class Holding:
    """The holds that come with a case file, as rows of their table, what the ledger is told of each, and the new
    number of each that could not keep its own.
    """

    rows: Mapping[sa.Table, Sequence[Row]] = field(default_factory=dict)
    details: Sequence[Detail] = ()
    renumbered: Mapping[int, int] = field(default_factory=dict)


# Holds are another part's: asked with the case file, its holds and the highest number of a hold in the package, in a
# block that ends after the commit.
Hold = Callable[[CaseFileId, Sequence[Standing], int], AbstractContextManager[Holding]]

# So are people: told who the numbers in the package belong to (none: it does not say), and refusing where they are
# somebody else's here.
NamePeople = Callable[[Actor, Mapping[str, str | None]], None]


@dataclass(frozen=True, slots=True)
class Brought:
    """What became of one case file of the package: brought in, or here already from an earlier run. ``renumbered``
    has the new number of each hold that could not keep its own.
    """

    reference: str
    imported: bool
    renumbered: Mapping[int, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Part:
    """One case file of the package, read and checked."""

    folder: Path
    path: str  # from the bag
    description: Description
    voucher: bytes
    events: bytes
    texts: Mapping[int, Sequence[str]] | None  # of a package of a former form, with all of them in one file


@dataclass(frozen=True, slots=True)
class PackageImport:
    catalogue: Catalogue
    keyring: Keyring
    vault: Vault
    sandbox: Sandbox
    scheme: Scheme
    journalling: Journalling
    recording: Recording
    randomness: Randomness
    hold: Hold
    name_people: NamePeople

    def import_all(
        self, actor: Actor, package: Path, progress: Progress = lambda _done, _total: None
    ) -> Iterator[Brought]:
        """Case file after case file; each is whole or not there, and what is there already is passed over.

        Raises MunimentError: PATH_NOT_FOUND, PACKAGE_DAMAGED, ARCHIVE_IN_USE, PEOPLE_DIFFER, LEVEL_UNKNOWN,
        CATEGORY_UNKNOWN.
        """
        manifest = bag.check(package)
        signer = _exported_by(package, manifest)
        self._check_unused()
        wanted = references(package)
        named, highest = _foreseen(package, wanted)
        self.name_people(actor, named)
        for done, reference in enumerate(wanted, start=1):
            part = self._read(package, reference)
            imported = not self._is_here(part.description)
            renumbered = self._bring(actor, part, manifest, signer, highest) if imported else {}
            progress(done, len(wanted))
            yield Brought(reference, imported, renumbered)

    def _check_unused(self) -> None:
        entry = ledger_tables.entry.c
        taken = tuple(each.value for each in (Act.FILED, Act.FILE_REBUILT, Act.NOT_REBUILT))
        query = sa.select(sa.func.count()).where(entry.act.in_(taken))
        with self.catalogue.reading() as connection:
            if connection.execute(query).scalar_one():
                raise MunimentError(Code.ARCHIVE_IN_USE)

    def _is_here(self, description: Description) -> bool:
        columns = casefile_tables.case_file.c
        query = sa.select(columns.id).where(columns.reference == description.case_file.reference)
        with self.catalogue.reading() as connection:
            found = connection.execute(query).scalar()
        if found not in (None, description.case_file.id):
            raise MunimentError(Code.ARCHIVE_IN_USE)
        return found is not None

    def _read(self, package: Path, reference: str) -> _Part:
        path = f"data/{reference}"

        def read(name: str) -> bytes:
            return bag.read_file(package, f"{path}/{name}")

        description = _described(package, reference)
        self.scheme.level(description.case_file.level)
        self.scheme.category(description.case_file.category)
        voucher, events = read("voucher.json"), read("events.json")
        try:
            parse(voucher)
            in_one = None
            if (package / path / _TEXTS).is_file():
                former = json.loads(read(_TEXTS)).items()
                in_one = {int(ordinal): tuple(map(str, pages)) for ordinal, pages in former}
            json.loads(events)
        except (MunimentError, ValueError, AttributeError, TypeError, RecursionError):
            raise bag.damaged(
                path, Cause("凭证、文字或事件无法读取", "voucher, texts or events cannot be read")
            ) from None
        return _Part(package, path, description, voucher, events, in_one)

    def _bring(
        self, actor: Actor, part: _Part, manifest: str, signer: str, highest: int
    ) -> Mapping[int, int]:
        """Which of its holds could not keep their numbers."""
        case_file = part.description.case_file
        reference = Reference.parse(case_file.reference)
        key = FileKey.make(case_file.id, self.randomness)
        self.journalling.keep(key)
        with self.vault.locked(str(reference.series)), ExitStack() as opened:
            make_way(self.catalogue, self.vault, reference, 0)
            # Held until the commit, and named: what a crash leaves is found by them, whatever its number.
            stagings = [
                opened.enter_context(self.vault.staging(adds_to=case_file.reference))
                for _ in part.description.versions
            ]
            holding = opened.enter_context(self.hold(case_file.id, part.description.holds, highest))
            try:
                record, recorded = self._placed(part, reference, key, holding, stagings)
                with self.catalogue.unit(actor) as unit:
                    self._insert(unit, key, record, recorded, holding)
                    names = sorted({each.name for each in part.description.documents})
                    unit.record(
                        Act.IMPORTED,
                        case_file.reference,
                        detail={"manifest": manifest, "signer": signer, "documents": names},
                        key=key,
                    )
                    for detail in holding.details:
                        unit.record(Act.HELD, case_file.reference, detail=detail, key=key)
                for staging in stagings:
                    staging.settled = True
            except BaseException as error:
                for staging in stagings:
                    undo(self.catalogue, self.vault, reference, staging, error)
                raise
        return holding.renumbered

    def _placed(
        self, part: _Part, reference: Reference, key: FileKey, holding: Holding, stagings: Sequence[Staging]
    ) -> tuple[Record, Sequence[Row]]:
        """Every version of the object, as it was; the record of the newest, and the rows that tell of each record."""
        case_file = part.description.case_file
        row = {
            **asdict(case_file),
            "state": case_file.state.value,
            "voucher": key.seal(part.voucher, "voucher"),
        }
        former = {"case_file": case_file.id, "box": key.seal(part.events, "history")}
        rows = {tables.former_history.name: [former]} | {
            table.name: each for table, each in holding.rows.items()
        }
        record = self.recording.begun(row, [], rows)
        recorded = []
        for made, staging in zip(part.description.versions, stagings, strict=True):
            documents = [*record.documents, *self._documents(part, key, made, stagings)]
            record = replace(record, case_file={**row, "version": made.version}, documents=documents)
            recorded.append(self.recording.put(staging, record, key))
            self._place(part, reference, made, staging)
        return record, recorded

    def _documents(self, part: _Part, key: FileKey, made: Made, stagings: Sequence[Staging]) -> list[Row]:
        """The documents of one version, put into it; their rows."""
        staging = stagings[made.version - 1]
        with ExitStack() as opened:
            for document in part.description.documents:
                if document.version == made.version:
                    staging.put(document.name, self._resealed(part, document, key, opened).pdf)
                if document.version == document.stream_version == made.version:
                    self._seal_recording(part, document, key, staging)
        return [
            _row(part, key, document, stagings)
            for document in part.description.documents
            if document.version == made.version
        ]

    def _place(self, part: _Part, reference: Reference, made: Made, staging: Staging) -> None:
        brings = {name: each.sha512.hex() for name, each in staging.stored.items()}
        change = Change(_moment(part, made.created), made.message, made.user, brings)
        staging.settled = False
        if made.version == 1:
            identifier = f"urn:uuid:{part.description.case_file.id}"
            self.vault.place(staging, reference.folder, identifier, change)
        else:
            self.vault.add_version(staging, reference.folder, made.version, change)

    def _resealed(self, part: _Part, document: Packaged, key: FileKey, opened: ExitStack) -> Resealed:
        path = f"{part.path}/{document.pdf}"
        with bag.open_file(part.folder, path) as plain:
            try:
                made = self.sandbox.reseal(
                    plain, key.pdf_password(place_of(document.ordinal, document.version))
                )
            except MunimentError as error:
                if error.code is Code.SANDBOX_UNAVAILABLE:
                    raise
                raise bag.damaged(path, Cause("无法打开", "it cannot be opened")) from None
        opened.callback(made.pdf.close)
        # A recording that lies beside its cover is compared when it is sealed.
        original = made.original_sha256 if document.stream_version is None else document.original_sha256
        if (made.pages, original) != (document.pages, document.original_sha256):
            raise bag.damaged(
                path, Cause("页面或原件与描述不符", "its pages or its original are not as described")
            )
        return made

    def _seal_recording(self, part: _Part, document: Packaged, key: FileKey, staging: Staging) -> None:
        """The original lies in the package beside the newest cover, in plain."""
        newest = max(
            (each for each in part.description.documents if each.ordinal == document.ordinal),
            key=lambda each: each.version,
        )
        path, place = f"{part.path}/{newest.original}", stream_place(document.ordinal, document.version)
        name = stream_name(document.name)
        beside = Beside(staging, name, key.stream_key(place), place, self.randomness)
        digest = sha256()
        with bag.open_file(part.folder, path) as plain, beside.sealing() as seal:
            passed = Pass(plain, name, (digest.update, seal))
            passed.finish()
        if digest.hexdigest() != document.original_sha256:
            raise bag.damaged(path, Cause("不是所描述的原件", "it is not the original that is described"))
        beside.prove(document.original_sha256, name)

    def _insert(
        self, unit: Unit, key: FileKey, record: Record, recorded: Sequence[Row], holding: Holding
    ) -> None:
        at_least = wrapping_version(unit.connection)
        insert_rows(unit.connection, record, self.keyring.wrap_file_key(key, at_least=at_least))
        others: Mapping[sa.Table, Sequence[Row]] = {
            casefile_tables.record: recorded,
            tables.former_history: record.rows[tables.former_history.name],
            **holding.rows,
        }
        for table, rows in others.items():
            for row in rows:
                unit.connection.execute(table.insert().values(row))


def _row(part: _Part, key: FileKey, document: Packaged, stagings: Sequence[Staging]) -> Row:
    place, staging = place_of(document.ordinal, document.version), stagings[document.version - 1]
    stored = staging.stored[document.name]
    with _text(part, document) as text:
        wordless = _wordless(part, document, text)
        words = texts.kept(key, document.ordinal, document.version, document.name, text, staging)
    return {
        "case_file": key.case_file,
        "ordinal": document.ordinal,
        "version": document.version,
        "name": document.name,
        "kind": document.kind,
        "pages": document.pages,
        "size": stored.size,
        "sha512": stored.sha512.hex(),
        "authentication": key.authentication(stored.sha512, place),
        "original_sha256": document.original_sha256,
        "pending": document.pending,
        **stream_columns(_stream(document, key, stagings)),
        "title": key.seal(document.title.encode(), f"title:{place}"),
        "wordless": wordless,
        **words,
    }


@contextmanager
def _text(part: _Part, document: Packaged) -> Iterator[BinaryIO]:
    """Packages hold that of the newest version: nobody asks for an older one's."""
    if part.texts is None and document.original is not None:
        with bag.open_file(part.folder, _text_path(part, document)) as text:
            yield text
    else:
        pages = () if document.original is None else (part.texts or {}).get(document.ordinal, ())
        yield BytesIO(b"".join(written(pages or ("",) * document.pages)))


def _wordless(part: _Part, document: Packaged, text: BinaryIO) -> str:
    """The column of that name; the text is proved to be one."""
    try:
        pages = [bool(each.strip()) for each in pages_of(text, LONGEST_LINE)]
    except (ValueError, RecursionError):
        pages = []
    if len(pages) != document.pages:
        raise bag.damaged(
            _text_path(part, document), Cause("文字与页数不符", "its text does not go with its pages")
        )
    return texts.ranges(number for number, words in enumerate(pages, start=1) if not words)


def _text_path(part: _Part, document: Packaged) -> str:
    return f"{part.path}/{_TEXTS if part.texts is not None else text_path(document.name)}"


def _stream(document: Packaged, key: FileKey, stagings: Sequence[Staging]) -> Stream | None:
    version = document.stream_version
    if version is None:
        return None
    stored = stagings[version - 1].stored[stream_name(document.name)]
    return Stream.of(stored, key, document.ordinal, version)


def _described(package: Path, reference: str) -> Description:
    """Raises PACKAGE_DAMAGED."""
    path = f"data/{reference}/metadata.json"
    description = decode(bag.read_file(package, path), path)
    if description.case_file.reference != reference:
        raise bag.damaged(path, Cause("属于另一份案卷", "it is of another case file"))
    return description


def _foreseen(package: Path, wanted: Sequence[str]) -> tuple[Mapping[str, str | None], int]:
    """The people of all of the package, with their names where it tells them, and the highest number of a hold: to be
    known before the first case file is imported. Raises PACKAGE_DAMAGED.
    """
    actors, highest = set[str](), 0
    for reference in wanted:
        description = _described(package, reference)
        path = f"data/{reference}/events.json"
        try:
            actors |= actors_of(description, json.loads(bag.read_file(package, path)))
        except (ValueError, KeyError, AttributeError, TypeError, RecursionError):
            raise bag.damaged(path, Cause("无法读取", "it cannot be read")) from None
        highest = max([highest, *(each.number or 0 for each in description.holds)])
    names = names_of(package)
    people = {each for each in actors if PERSON.fullmatch(each)}
    return {each: names.get(each) for each in sorted(people | names.keys())}, highest


def _exported_by(package: Path, manifest: str) -> str:
    """The key of the archive that signed for this very package. Whose key that is, is for people to compare: it is
    recorded. Raises PACKAGE_DAMAGED.
    """
    try:
        proof = json.loads(bag.read_file(package, PROOF))
        details = [each["detail"] for each in checked(proof)]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise bag.damaged(PROOF, Cause("不能证明任何内容", "it proves nothing")) from None
    if not details or any(each != {"manifest": manifest} for each in details):
        raise bag.damaged(PROOF, Cause("是另一个保存包的证明", "it is the proof of another package"))
    return str(proof["key"])


def references(package: Path) -> list[str]:
    """The case files of a package, in order of their references."""
    folders = [each.name for each in (package / "data").iterdir() if each.is_dir() and not each.is_symlink()]
    try:
        return [str(each) for each in sorted(map(Reference.parse, folders))]
    except MunimentError:
        raise bag.damaged(
            "data", Cause("其中有文件夹不是以档号命名", "a folder of it is not named after a case file")
        ) from None


def _moment(part: _Part, text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise bag.damaged(f"{part.path}/metadata.json", Cause("有版本没有时间", "a version has no time"))
    return moment
