"""The return check (P14.5): every document of a file is read and compared with what was filed."""

from dataclasses import dataclass

from archive.casefile.reading import CaseFile, CaseFiles


@dataclass(frozen=True, slots=True)
class Returning:
    case_files: CaseFiles

    def verify(self, case_file: CaseFile) -> None:
        """SHA-512 and HMAC of each document. Damage is recorded, then raised: DOCUMENT_ALTERED,
        DOCUMENT_MISSING.
        """
        for document in self.case_files.documents(case_file):
            self.case_files.open_document(case_file, document.ordinal)[0].close()
