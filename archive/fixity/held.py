"""What the vault must hold of a case file, by the catalogue, which is the truth."""

from collections.abc import Iterator
from dataclasses import dataclass

import sqlalchemy as sa

from archive.casefile import tables
from archive.casefile.documents import Content, Document
from archive.casefile.reading import all_documents
from archive.casefile.reference import Reference
from archive.keys.filekey import CaseFileId
from archive.vault.inventory import NAME, OBJECT_DECLARATION, SIDECAR


@dataclass(frozen=True, slots=True)
class Held:
    """A case file with every version of its documents, oldest version first, by ordinal within one."""

    id: CaseFileId
    reference: str
    version: int
    documents: tuple[Document, ...]

    @property
    def folder(self) -> str:
        return Reference.parse(self.reference).folder

    def brought_by(self, version: int) -> dict[str, str]:
        """Name to SHA-512 of what a version of the object brought."""
        return {each.name: each.sha512 for each in self.contents() if each.version == version}

    def contents(self) -> Iterator[Content]:
        """PDFs, and recordings that lie beside them, each once: a cover made anew keeps its recording."""
        yield from dict.fromkeys(each for document in self.documents for each in document.contents)

    def paths(self) -> Iterator[str]:
        """Every file of the object, from its folder."""
        yield OBJECT_DECLARATION[0]
        for folder in ("", *(f"v{version}/" for version in range(1, self.version + 1))):
            yield folder + NAME
            yield folder + SIDECAR
        for each in self.contents():
            yield each.path


def held(connection: sa.Connection, case_file: CaseFileId) -> Held | None:
    columns = tables.case_file.c
    row = connection.execute(
        sa.select(columns.id, columns.reference, columns.version).where(columns.id == case_file)
    ).one_or_none()
    return (
        None if row is None else Held(row.id, row.reference, row.version, all_documents(connection, row.id))
    )


def held_at(connection: sa.Connection, folder: str) -> Held | None:
    """The case file whose place in the vault is ``folder``; none when no row knows it."""
    query = sa.select(tables.case_file.c.id).where(tables.case_file.c.reference == folder.rpartition("/")[2])
    found = connection.execute(query).scalar()
    known = None if found is None else held(connection, found)
    return known if known is not None and known.folder == folder else None
