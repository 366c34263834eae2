"""Releasing a copy: fresh PDFs under a one-time password, each page stamped. Stored passwords never leave.

It shows the pages only. Whoever needs what was handed in, such as a court, gets it on request: then each original rides
in its document, and a recording that lies beside its cover goes along as an encrypted ZIP archive under the same
password. That is made while it is read, so that it is nowhere in plain and never in memory as a whole.
"""

import io
from base64 import b32encode
from dataclasses import dataclass
from datetime import datetime, tzinfo
from pathlib import PurePosixPath
from typing import BinaryIO, Final

from archive.casefile.documents import Document
from archive.casefile.reading import CaseFile, CaseFiles
from archive.casefile.zipping import Zipped
from archive.database.catalogue import Catalogue
from archive.evidence.kinds import EvidenceKind
from archive.evidence.sandbox import Sandbox
from archive.keys.sealing import Randomness
from archive.ledger.acts import Act
from archive.ledger.entries import Actor
from archive.reasons import remark_of

LONGEST_RECIPIENT: Final = 200
_NAMED: Final = 40  # characters of it in a stamp, which is laid over pages of any size


@dataclass(frozen=True, slots=True)
class Release:
    """``documents`` are streams for the caller to write, from where they stand, and to close; one of a recording can be
    read once only. ``password`` is told once and kept nowhere.
    """

    reference: str
    documents: tuple[tuple[str, BinaryIO], ...]
    password: str


@dataclass(frozen=True, slots=True)
class Releasing:
    catalogue: Catalogue
    case_files: CaseFiles
    sandbox: Sandbox
    zone: tzinfo
    randomness: Randomness

    def release(self, actor: Actor, reference: str, *, to: str = "", originals: bool = False) -> Release:
        """Recorded before anything is handed out, and whether ``originals`` go with it.

        Raises MunimentError: REASON_UNFIT, FILE_NOT_FOUND, DOCUMENT_ALTERED, DOCUMENT_MISSING.
        """
        to = remark_of(to, LONGEST_RECIPIENT)
        case_file = self.case_files.get(reference)
        documents = self.case_files.documents(case_file)
        if originals and any(each.stream is not None for each in documents):
            self.case_files.check(case_file)  # to its end, before anything is handed out
        password = one_time_password(self.randomness)
        moment = self.catalogue.clock().astimezone(self.zone)
        marked = stamp(case_file.reference, moment, to, originals=originals)
        copies: list[tuple[str, BinaryIO]] = []
        try:
            for document in documents:
                stream, stored_password = self.case_files.open_document(case_file, document.ordinal)
                with stream:
                    copy = self.sandbox.release(
                        stream, stored_password, password, marked, originals=originals
                    )
                copies.append((document.name, copy))
                if originals and document.stream is not None:
                    copies.append(self._recording(case_file, document, password))
            with self.catalogue.unit(actor) as unit:
                names = [name for name, _ in copies]
                unit.record(
                    Act.RELEASED,
                    case_file.reference,
                    detail={"documents": names, "to": to, "originals": originals},
                    key=self.case_files.key_of(case_file),
                )
        except BaseException:
            for _, copy in copies:
                copy.close()
            raise
        return Release(case_file.reference, tuple(copies), password)

    def _recording(self, case_file: CaseFile, document: Document, password: str) -> tuple[str, BinaryIO]:
        stem, extension = PurePosixPath(document.name).stem, EvidenceKind(document.kind).extension
        member = (f"{stem}.{extension}", self.case_files.open_recording(case_file, document))
        moment = self.catalogue.clock().astimezone(self.zone)
        return f"{stem}.zip", io.BufferedReader(Zipped([member], moment, password))


def stamp(reference: str, moment: datetime, to: str, *, originals: bool) -> str:
    """One line for every page: whose copy it is stays with it wherever it goes on to (P16). ``to`` may be empty.

    Covers and printed mails say that the original is in the document, so a copy without it says that it is not.
    """
    whom = " ".join(to.split())
    if len(whom) > _NAMED:
        whom = whom[: _NAMED - 1] + "…"
    copy = "副本 COPY" if originals else "副本 COPY（不含原件）"
    return f"{reference}  {copy}  {moment:%Y-%m-%d %H:%M}" + (f"  交：{whom}" if whom else "")


def one_time_password(randomness: Randomness) -> str:
    """25 characters of base32 in groups of five: 125 bits, easy to read out."""
    text = b32encode(randomness(16)).decode()[:25]
    return "-".join(text[start : start + 5] for start in range(0, 25, 5))
