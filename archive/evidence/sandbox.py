"""The sandbox: a small pool of caged worker processes that turn bytes from outside into encrypted PDFs.

Documents pass in memory files (memfd_create(2)); nothing of a customer's is written to a disk in the clear. A
bomb or a crash costs its worker, never the server, and the caller learns which it was.
"""

import contextlib
import io
import logging
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, BinaryIO, Self

from archive.causes import Cause
from archive.errors import Code, MunimentError
from archive.evidence import memoryfiles, parting, seams
from archive.evidence.aids import Aids, Wanted
from archive.evidence.kinds import EvidenceKind
from archive.evidence.limits import Limits
from archive.evidence.pool import Pool
from archive.evidence.programs import Programs
from archive.evidence.recognised import RecognisedPage
from archive.evidence.seams import Seams
from archive.evidence.texts import LONGEST_LINE, pages_of
from archive.evidence.workers import WorkerDied

__all__ = ["Converted", "EvidenceKind", "Limits", "Opened", "Resealed", "Sandbox"]

_FAT = 3  # a worker is replaced when it has grown beyond a third of its memory
_WIDTHS = range(1, 8001)  # pixels
# What a worker may say of a job. It may have been taken over, so anything else is a crash.
# Kinds that are not taken and have no name of their own.
_CALLED = {"program": Cause("程序", "program"), "unknown": Cause("无法识别", "unknown")}
_SAYABLE = frozenset(
    {
        Code.CONVERSION_CRASHED,
        Code.CONVERSION_TOO_LARGE,
        Code.EVIDENCE_EMPTY,
        Code.EVIDENCE_ENCRYPTED,
        Code.EVIDENCE_KIND,
        Code.EVIDENCE_TOO_MANY_PAGES,
        Code.EVIDENCE_UNREADABLE,
        Code.GLYPH_MISSING,
        Code.PAGE_NOT_FOUND,
    }
)
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Converted:
    """A finished document. ``pdf`` and ``words`` are sealed memory files, at their start; the caller closes it all."""

    pdf: BinaryIO
    size: int  # bytes
    pages: int
    words: BinaryIO  # the text of each page, as ``evidence.texts`` writes it
    wordless: tuple[int, ...]  # the pages (from 1) that have none: they are pictures
    kind: EvidenceKind  # of what was given
    original_sha256: str  # hex, of the bytes given
    original_attached: bool  # else the page carries them identically, or they lie beside it
    pending: bool = False  # a cover stands for it until its converter is installed

    @property
    def text(self) -> tuple[str, ...]:
        """All of it at once: of a document that is known to be short."""
        self.words.seek(0)
        return tuple(pages_of(self.words))

    def close(self) -> None:
        self.pdf.close()
        self.words.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


@dataclass(frozen=True, slots=True)
class _Wants:
    """``parts`` holds what is wanted, one after the other; it is empty where that is the source itself."""

    parts: BinaryIO
    wanted: tuple[Wanted, ...]


@dataclass(frozen=True, slots=True)
class Opened:
    """A kept document as its password opens it. ``revision`` is that of its encryption (6: AES-256), 0: none."""

    pages: int
    revision: int


@dataclass(frozen=True, slots=True)
class Resealed:
    """``pdf`` is a sealed memory file, at its start. ``original_sha256`` is hex, empty where there is no original."""

    pdf: BinaryIO
    pages: int
    original_sha256: str


class Sandbox:
    """A pool of workers. Thread-safe; a call waits until a worker is free.

    Workers start when first needed and end after ``idle_seconds`` without work. Every method raises
    MunimentError: CONVERSION_CRASHED, CONVERSION_TIMEOUT, CONVERSION_TOO_LARGE, SANDBOX_UNAVAILABLE, and what
    it names itself.
    """

    def __init__(self, workers: int = 2, limits: Limits | None = None, idle_seconds: float = 60.0) -> None:
        self.limits = limits or Limits()
        self._pool = Pool(workers, self.limits, idle_seconds)
        self._programs = Programs(self.limits, workers, self._pool.on_starter)
        self._aids = Aids(self._programs, self.limits)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def pids(self) -> tuple[int, ...]:
        """The living workers."""
        return self._pool.pids

    def close(self) -> None:
        """End all workers. Jobs under way fail; calls after this are refused."""
        self._programs.close()
        self._pool.close()

    def convert(
        self,
        source: BinaryIO,
        name: str,
        password: str,
        *,
        inspect: Callable[[BinaryIO], None] | None = None,
        patient: bool = False,
    ) -> Converted:
        """Evidence to an encrypted PDF, the original bytes recoverable. ``name`` is for error messages only.

        ``inspect`` is shown the very bytes that will be converted, in a stream that nobody can change, and may
        refuse them. Programs for what is attached to a mail have a time together, after which covers stand for the rest
        (``pending``), unless we are ``patient``: then each has its own.

        :raises MunimentError: EVIDENCE_EMPTY, EVIDENCE_ENCRYPTED, EVIDENCE_KIND, EVIDENCE_TOO_LARGE,
            EVIDENCE_TOO_MANY_PAGES, EVIDENCE_UNREADABLE.
        """
        request = {"job": "convert", "password": password}
        with self._taken(source, name) as given:
            if inspect is not None:
                with os.fdopen(os.dup(given), "rb") as held:
                    inspect(held)
                os.lseek(given, 0, os.SEEK_SET)
            try:
                return self._helped(request, given, name, patient=patient)
            except MunimentError as refusal:
                if refusal.code not in parting.BY_A_PART:
                    raise
                return self._without_unfit(request, given, name, refusal, patient=patient)

    def recording(self, head: bytes, name: str) -> EvidenceKind | None:
        """The kind of a sound or film that begins so (4096 bytes tell it); none for anything else."""
        with memoryfiles.copied(io.BytesIO(head)) as given:
            target, answer = self._result({"job": "kind"}, (given,), name)
        target.close()
        try:
            return None if answer["kind"] is None else EvidenceKind(answer["kind"])
        except (KeyError, ValueError):
            raise MunimentError(Code.CONVERSION_CRASHED, name=name) from None

    def cover(
        self, excerpt: int, name: str, password: str, kind: EvidenceKind, size: int, sha256: str
    ) -> Converted:
        """The cover of a recording that does not ride in it. ``excerpt`` is a descriptor of an excerpt of it.

        :raises MunimentError: EVIDENCE_UNREADABLE where nothing can be made of it.
        """
        request = {"job": "cover", "password": password, "size": size, "sha256": sha256}
        memoryfiles.seal(excerpt)
        with self._aids.of(kind, excerpt, name) as aid:
            helps = () if aid.descriptor is None else (aid.descriptor,)
            os.lseek(excerpt, 0, os.SEEK_SET)  # whoever read it shares its place with us
            return self._finished({**request, "aid": dict(aid.said)}, (excerpt, *helps), name)

    def voucher(
        self,
        sheet: Mapping[str, object],
        password: str,
        attachment: bytes,
        void: Mapping[str, str] | None = None,
    ) -> Converted:
        """The printed voucher (P9), ``attachment`` (voucher.json as it came) inside; ``void`` stamps it 作废.

        ``original_sha256`` is of the attachment.

        :raises MunimentError: GLYPH_MISSING.
        """
        request = {
            "job": "voucher",
            "password": password,
            "sheet": dict(sheet),
            "void": dict(void) if void else None,
        }
        with memoryfiles.copied(io.BytesIO(attachment)) as given:
            return self._finished(request, (given,), "voucher.json")

    def page(
        self,
        pdf: BinaryIO,
        password: str,
        number: int,
        width: int,
        watermark: str,
        recognised: RecognisedPage | None = None,
        marks: Sequence[str] = (),
        around: Seams = seams.NONE,
    ) -> bytes:
        """Page ``number`` (from 1) as a JPEG ``width`` pixels wide, masked (P16) and watermarked.

        ``recognised`` is what was read in its picture, to be masked as well. ``marks`` are words on the page,
        without white space: they are marked where nothing is masked. ``around`` is what numbers may run over from.

        :raises MunimentError: PAGE_NOT_FOUND, EVIDENCE_UNREADABLE.
        """
        if width not in _WIDTHS:
            raise ValueError(f"width must be 1 to {_WIDTHS[-1]} pixels")
        request = {
            "job": "page",
            "password": password,
            "number": number,
            "width": width,
            "watermark": watermark,
            "recognised": None if recognised is None else recognised.document(),
            "marks": list(marks),
            "before": list(around.before),
            "after": list(around.after),
        }
        with memoryfiles.given(pdf) as given, self._result(request, (given,), f"{number}")[0] as drawn:
            return drawn.read()

    def recognise(self, pdf: BinaryIO, password: str, number: int) -> RecognisedPage:
        """What stands in the picture of page ``number`` (from 1). Needs the limits of ``transcribing``.

        :raises MunimentError: PAGE_NOT_FOUND, EVIDENCE_UNREADABLE.
        """
        request = {"job": "recognise", "password": password, "number": number}
        with memoryfiles.given(pdf) as given:
            target, answer = self._result(request, (given,), f"{number}")
        target.close()
        try:
            return RecognisedPage.read(answer)
        except ValueError:
            raise MunimentError(Code.CONVERSION_CRASHED, name=f"{number}") from None

    def release(
        self, pdf: BinaryIO, old_password: str, new_password: str, stamp: str, *, originals: bool = False
    ) -> BinaryIO:
        """A fresh copy with another password and ``stamp`` on every page; the caller closes it.

        It shows the pages only, unless ``originals`` are to go with them: as they came, with camera notes.

        :raises MunimentError: EVIDENCE_UNREADABLE.
        """
        request = {
            "job": "release",
            "password": old_password,
            "new_password": new_password,
            "stamp": stamp,
            "originals": originals,
        }
        return self._stream(request, pdf)

    def original(self, pdf: BinaryIO, password: str) -> BinaryIO:
        """The original bytes of a document, identical to those given to ``convert``; the caller closes them.

        :raises MunimentError: EVIDENCE_UNREADABLE.
        """
        return self._stream({"job": "original", "password": password}, pdf)

    def verify(self, pdf: BinaryIO, password: str) -> Opened:
        """What a document is once opened; nothing of it is drawn or kept.

        :raises MunimentError: EVIDENCE_UNREADABLE.
        """
        with memoryfiles.given(pdf) as given:
            target, answer = self._result({"job": "verify", "password": password}, (given,), "PDF")
            target.close()
        try:
            return Opened(int(answer["pages"]), int(answer["revision"]))
        except (KeyError, TypeError, ValueError):
            raise MunimentError(Code.CONVERSION_CRASHED, name="PDF") from None

    def unseal(self, pdf: BinaryIO, password: str) -> tuple[BinaryIO, str]:
        """A document without its encryption, and the PDF/A part and level that it claims (``3B``; empty: none).
        The caller closes it.

        :raises MunimentError: EVIDENCE_UNREADABLE.
        """
        with memoryfiles.given(pdf) as given:
            target, answer = self._result({"job": "unseal", "password": password}, (given,), "PDF")
        return target, str(answer.get("pdfa", ""))

    def reseal(self, pdf: BinaryIO, password: str) -> Resealed:
        """A document that lay without encryption, encrypted again; the caller closes its ``pdf``.

        :raises MunimentError: EVIDENCE_UNREADABLE.
        """
        request = {"job": "reseal", "password": "", "new_password": password}
        with memoryfiles.given(pdf) as given:
            target, answer = self._result(request, (given,), "PDF")
        try:
            return Resealed(target, int(answer["pages"]), str(answer["sha256"] or ""))
        except (KeyError, TypeError, ValueError):
            target.close()
            raise MunimentError(Code.CONVERSION_CRASHED, name="PDF") from None

    def report(self, shown: Mapping[str, object]) -> BinaryIO:
        """A fixity report as PDF/A, from what ``archive.fixity.printing.sheet`` makes; the caller closes it."""
        return self._stream({"job": "report", "shown": dict(shown)}, io.BytesIO())

    def _helped(
        self, request: Mapping[str, Any], given: int, name: str, *, patient: bool = False
    ) -> Converted:
        os.lseek(given, 0, os.SEEK_SET)  # whoever read it shares its place with us
        made = self._converted(request, (given,), name)
        if isinstance(made, Converted):
            return made
        helped = self._aids.of_all(made.wanted, made.parts, given, name, patient=patient)
        with made.parts, helped as (said, aid):
            os.lseek(given, 0, os.SEEK_SET)
            return self._finished({**request, "aids": said}, (given, aid), name)

    def _without_unfit(
        self,
        request: Mapping[str, Any],
        given: int,
        name: str,
        refusal: MunimentError,
        *,
        patient: bool,
    ) -> Converted:
        """What is refused for one of its parts is shown without those that fail alone; at worst without any."""
        os.lseek(given, 0, os.SEEK_SET)
        try:
            held, answer = self._result({"job": "parts"}, (given,), name)
        except MunimentError:
            raise refusal from None
        with held:
            parts = parting.sizes(answer)
            if not parts:
                raise refusal
            unfit = parting.unfit(
                parts,
                held,
                lambda part: self._helped(request, part, name).close(),
                time.monotonic() + self.limits.parts_seconds,
            )
        if unfit and len(unfit) < len(parts):
            with contextlib.suppress(MunimentError):
                return self._helped({**request, "unfit": unfit}, given, name, patient=patient)
        unfit = dict.fromkeys(parts, refusal.code) | unfit
        return self._helped({**request, "unfit": unfit}, given, name, patient=patient)

    @contextlib.contextmanager
    def _taken(self, source: BinaryIO, name: str) -> Iterator[int]:
        """What was handed in, up to the limit."""
        most = self.limits.source_bytes
        try:
            with memoryfiles.copied(source, most) as held:
                yield held
        except memoryfiles.TooLong:
            raise MunimentError(Code.EVIDENCE_TOO_LARGE, name=name, limit=most // 1_000_000) from None

    def _finished(self, request: Mapping[str, Any], given: Sequence[int], name: str) -> Converted:
        made = self._converted(request, given, name)
        if isinstance(made, Converted):
            return made
        made.parts.close()
        raise MunimentError(Code.CONVERSION_CRASHED, name=name)  # it asks for help that it has

    def _converted(self, request: Mapping[str, Any], given: Sequence[int], name: str) -> Converted | _Wants:
        """The finished document; or what of it a program outside must help with first."""
        target, words, answer = self._written(request, given, name)
        try:
            if "wants" in answer:
                words.close()
                return _Wants(target, _wanted(answer["wants"][: self.limits.helped_parts]))
            return _described(target, words, answer)
        except (KeyError, TypeError, ValueError, RecursionError):
            target.close()
            words.close()
            raise MunimentError(Code.CONVERSION_CRASHED, name=name) from None

    def _stream(self, request: Mapping[str, Any], pdf: BinaryIO) -> BinaryIO:
        with memoryfiles.given(pdf) as given:
            return self._result(request, (given,), "PDF")[0]

    def _result(
        self, request: Mapping[str, Any], given: Sequence[int], name: str
    ) -> tuple[BinaryIO, dict[str, Any]]:
        """What the worker wrote, sealed and at its start, and what it said of it."""
        target, words, answer = self._written(request, given, name)
        words.close()
        return target, answer

    def _written(
        self, request: Mapping[str, Any], given: Sequence[int], name: str
    ) -> tuple[BinaryIO, BinaryIO, dict[str, Any]]:
        """The same, and beside it the words that the worker found in what it wrote."""
        with contextlib.ExitStack() as opened:
            target, words = (opened.enter_context(memoryfiles.empty(each)) for each in ("target", "words"))
            answer = self._answer(request, (given[0], target.fileno(), words.fileno(), *given[1:]), name)
            try:
                for each in (target, words):
                    memoryfiles.seal(each.fileno())
                    each.seek(0)
            except OSError:
                raise MunimentError(Code.CONVERSION_CRASHED, name=name) from None
            opened.pop_all()
        return target, words, answer

    def _answer(self, request: Mapping[str, Any], descriptors: Sequence[int], name: str) -> dict[str, Any]:
        with self._pool.worker() as worker:
            try:
                answer = worker.ask(request, descriptors)
            except WorkerDied as died:
                if not self._pool.closed:  # else we ended it ourselves
                    _log.warning("a worker died in the job %s: %s", request["job"], died.code)
                raise MunimentError(died.code, name=name, **died.facts) from None
            worker.spent = bool(answer.get("spent")) or not _slim(answer.get("peak_kib"), self.limits)
        if isinstance(answer.get("done"), dict):
            return dict(answer["done"])
        refusal = _refusal(answer, name)
        if answer.get("fault"):
            level = logging.WARNING if refusal.code is Code.CONVERSION_CRASHED else logging.INFO
            _log.log(level, "the job %s was refused: %r", request["job"], str(answer["fault"])[:200])
        raise refusal


def _slim(peak_kib: object, limits: Limits) -> bool:
    return isinstance(peak_kib, int) and peak_kib * 1024 < limits.memory_bytes // _FAT


def _described(pdf: BinaryIO, words: BinaryIO, answer: Mapping[str, Any]) -> Converted:
    """:raises KeyError, TypeError, ValueError, RecursionError: the answer is not what a worker says."""
    pages, told, wordless = int(answer["pages"]), 0, []
    for told, page in enumerate(pages_of(words, LONGEST_LINE), start=1):
        if not page.strip():
            wordless.append(told)
    if told != pages:
        raise ValueError("the text does not go with the pages")
    words.seek(0)
    kind, sha256 = EvidenceKind(answer["kind"]), bytes.fromhex(answer["sha256"]).hex()
    return Converted(
        pdf,
        os.fstat(pdf.fileno()).st_size,
        pages,
        words,
        tuple(wordless),
        kind,
        sha256,
        bool(answer["attached"]),
        bool(answer["pending"]),
    )


def _wanted(said: Sequence[Mapping[str, Any]]) -> tuple[Wanted, ...]:
    """:raises KeyError, TypeError, ValueError: the answer is not what a worker says."""
    wanted = tuple(
        Wanted(EvidenceKind(each["kind"]), bytes.fromhex(each["sha256"]).hex(), int(each["size"]))
        for each in said
    )
    if any(each.size < 0 for each in wanted):
        raise ValueError("nothing has such a size")
    return wanted


def _refusal(answer: Mapping[str, Any], name: str) -> MunimentError:
    said, facts = answer.get("refused"), answer.get("facts")
    if isinstance(said, str) and said in _SAYABLE and isinstance(facts, dict):
        with contextlib.suppress(KeyError, IndexError, TypeError, ValueError):  # facts that fill no sentence
            if (kind := facts.get("kind")) in _CALLED:
                facts = {**facts, "kind": _CALLED[kind]}
            error = MunimentError(Code(said), **{**facts, "name": name})
            str(error)
            return error
    return MunimentError(Code.CONVERSION_CRASHED, name=name)
