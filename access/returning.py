"""The return check (P14.5): every document of a file is read and compared with what was filed."""

from dataclasses import dataclass

from archive.casefile.reading import CaseFile, CaseFiles


@dataclass(frozen=True, slots=True)
class Returning:
    case_files: CaseFiles

    def verify(self, case_file: CaseFile) -> None:
        """SHA-512 and HMAC of each document and recording. Damage is recorded, then raised: DOCUMENT_ALTERED,
        DOCUMENT_MISSING.
        """
        self.case_files.check(case_file)
