"""Voiding: the voucher is stamped 作废 and kept whole, the number is never reused (P9)."""

from dataclasses import dataclass
from typing import Final

from archive.casefile.amending import Amending, Amendment, Draft
from archive.casefile.documents import place_of
from archive.casefile.filing import Filing, document_row
from archive.casefile.reading import CaseFile, CaseFiles, FileState
from archive.casefile.reference import Reference
from archive.errors import Code, MunimentError
from archive.evidence.sandbox import Sandbox
from archive.ledger.acts import Act
from archive.ledger.entries import Actor
from archive.reasons import reason_of
from archive.voucher.fields import parse
from archive.voucher.sheet import Kept, day

_LONGEST_REASON: Final = 500  # code points that fit the stamp's lines


@dataclass(frozen=True, slots=True)
class Voiding:
    amending: Amending
    sandbox: Sandbox
    filing: Filing

    @property
    def case_files(self) -> CaseFiles:
        return self.amending.case_files

    def void(self, actor: Actor, reference: str, reason: str) -> CaseFile:
        """Adds a stamped voucher as a new version; what was there stays. The reason is printed on it.

        Raises MunimentError: REASON_MISSING, REASON_UNFIT, ALREADY_VOID.
        """
        reason = reason_of(reason, _LONGEST_REASON)
        wanted = Reference.parse(reference)
        with self.amending.vault.locked(str(wanted.series)):
            case_file = self.case_files.get(wanted)
            if case_file.state is FileState.VOID:
                raise MunimentError(Code.ALREADY_VOID, reference=str(wanted))
            self._stamp(actor, wanted, case_file, reason)
        return self.case_files.get(wanted)

    def _stamp(self, actor: Actor, reference: Reference, case_file: CaseFile, reason: str) -> None:
        key = self.case_files.key_of(case_file)
        voucher = self.case_files.voucher(case_file)
        kept = [
            Kept(each.name, each.kind, each.pages, each.original_sha256)
            for each in self.case_files.documents(case_file)[1:]
        ]
        shown = self.filing.sheet(
            reference, parse(voucher), case_file.completed_on, case_file.permanent, case_file.filed_at, kept
        )
        version, name, now = case_file.version + 1, reference.document(0), self.amending.catalogue.clock()
        stamp = {"date": day(now.astimezone(self.filing.zone).date()), "reason": reason, "by": actor}
        printed = self.sandbox.voucher(shown, key.pdf_password(place_of(0, version)), voucher, stamp)

        def stamped(draft: Draft) -> Amendment:
            stored = draft.staging.put(name, printed.pdf)
            return Amendment(
                "voided",
                Act.VOIDED,
                detail={"reason": reason, "sha512": [stored.sha512.hex()]},
                case_file={"state": FileState.VOID.value, "voided_at": draft.at},
                documents=[document_row(key, 0, version, name, "voucher.json", printed, draft.staging)],
            )

        with printed:
            self.amending.amend(actor, case_file, stamped)
