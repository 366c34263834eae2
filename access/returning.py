"""The return check (P14.5): every document of a file is read and compared with what was filed."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from archive.casefile.reading import CaseFile, CaseFiles
from archive.database.catalogue import Catalogue
from archive.errors import Code, MunimentError
from archive.ledger.acts import Act
from archive.ledger.entries import SYSTEM, Detail

_DAMAGE = frozenset({Code.DOCUMENT_ALTERED, Code.DOCUMENT_MISSING})


@dataclass(frozen=True, slots=True)
class Returning:
    catalogue: Catalogue
    case_files: CaseFiles

    def verify(self, case_file: CaseFile) -> None:
        """SHA-512 and HMAC of each document. Damage is recorded, then raised: DOCUMENT_ALTERED,
        DOCUMENT_MISSING.
        """
        for document in self.case_files.documents(case_file):
            with recording_damage(self.catalogue, case_file, document.ordinal):
                stream, _ = self.case_files.open_document(case_file, document.ordinal)
                stream.close()


@contextmanager
def recording_damage(catalogue: Catalogue, case_file: CaseFile, ordinal: int) -> Iterator[None]:
    """Damage found within the block is recorded in a unit of its own: the act that met it does not happen."""
    try:
        yield
    except MunimentError as error:
        if error.code in _DAMAGE:
            with catalogue.unit(SYSTEM) as unit:
                detail: Detail = {
                    "document": ordinal,
                    "problem": error.code.value,
                }
                unit.record(Act.DAMAGE_FOUND, case_file.reference, detail=detail)
        raise
