"""The jobs of a worker, each from a request and open files to an answer. Runs inside the cage only."""

import io
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO

import pikepdf
from pikepdf import ObjectStreamMode, Pdf

from archive.errors import Code
from archive.evidence import (
    baring,
    drawing,
    images,
    originals,
    paging,
    releasing,
    texts,
    transcribing,
    unprinted,
)
from archive.evidence.kinds import EvidenceKind, Family
from archive.evidence.limits import Limits
from archive.evidence.recognised import RecognisedPage
from archive.evidence.recognising import HEAD, recognise, recording
from archive.evidence.refusing import Refused
from archive.evidence.sealing import digest, reopen, seal
from archive.evidence.seams import Seams

Answer = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Job:
    """``request`` as it came over the channel; ``source`` read-only, ``target`` and ``words`` empty; all seekable.

    The text of a document's pages goes into ``words``: it may be too long for an answer. ``aid`` is what a program
    outside made for this job, if any.
    """

    request: Mapping[str, Any]
    source: BinaryIO
    target: BinaryIO
    words: BinaryIO
    limits: Limits
    aid: BinaryIO | None = None

    @property
    def password(self) -> str:
        return str(self.request["password"])


def run(job: Job) -> Answer:
    """:raises Refused: with the code the caller gets."""
    return _JOBS[job.request["job"]](job)


def _convert(job: Job) -> Answer:
    data = job.source.read()
    if not data:
        raise Refused(Code.EVIDENCE_EMPTY)
    kind = recognise(data)
    if not isinstance(kind, EvidenceKind):
        raise Refused(Code.EVIDENCE_KIND, kind=kind)
    aids, unfit = job.request.get("aids"), job.request.get("unfit", {})
    if aids is None:
        wanted = paging.wanting(data, kind, job.limits)
        if wanted := {sha256: each for sha256, each in wanted.items() if sha256 not in unfit}:
            return _wants(job, kind, wanted)
    helps = {each["sha256"]: paging.Help(each["said"], _made(job, each["size"])) for each in aids or ()}
    helps |= {sha256: paging.Help({"failed": code}) for sha256, code in unfit.items()}
    original = digest(data)
    with paging.paginate(data, kind, job.limits, helps) as pdf:
        pages, beside = len(pdf.pages), unprinted.take(pdf)
        attached = digest(images.embedded_jpeg(pdf)) != original if kind is EvidenceKind.JPEG else True
        if attached:
            originals.attach(pdf, data, kind.extension)
        seal(pdf, job.password, job.target)
    reopen(job.target, job.password, pages, original)
    # A page made of a picture has no text, and its picture was decoded already.
    text = ("",) * pages if kind.family is Family.PICTURE else _proof(job, pages)
    if beside:
        text = tuple(f"{each}\n{beside[n]}" if n in beside else each for n, each in enumerate(text))
    _tell(job, text)
    return {
        "pages": pages,
        "kind": kind.value,
        "sha256": original,
        "attached": attached,
        "pending": any("absent" in each.said or "late" in each.said for each in helps.values()),
    }


def _wants(job: Job, kind: EvidenceKind, wanted: Mapping[str, tuple[EvidenceKind, bytes]]) -> Answer:
    """What is attached is written to the target, one after the other; anything else is the source itself."""
    if not kind.wants_aid:
        job.target.writelines(part for _, part in wanted.values())
        job.target.flush()
    return {
        "wants": [
            {"kind": each.value, "sha256": sha256, "size": len(part)}
            for sha256, (each, part) in wanted.items()
        ]
    }


def _made(job: Job, size: int) -> bytes:
    """What was made for one of them: they follow each other in the aid."""
    return job.aid.read(size) if job.aid and size else b""


def _parts(job: Job) -> Answer:
    """Each that a mail or a PDF is made of, one after the other, to be tried alone."""
    found = paging.parts(job.source.read(), job.limits)
    job.target.writelines(found.values())
    job.target.flush()
    return {"parts": [[sha256, len(part)] for sha256, part in found.items()]}


def _kind(job: Job) -> Answer:
    kind = recording(job.source.read(HEAD))
    return {"kind": None if kind is None else kind.value}


def _cover(job: Job) -> Answer:
    """Of a recording that does not ride along: what is given is an excerpt of it, its length and its digest."""
    kind = recording(job.source.read(HEAD))
    if kind is None:
        raise Refused(Code.EVIDENCE_UNREADABLE)
    size, sha256, said = int(job.request["size"]), str(job.request["sha256"]), dict(job.request["aid"])
    helped = paging.Help(said, job.aid.read() if job.aid else b"")
    with paging.cover_of_stream(size, kind, sha256, job.limits, helped) as pdf:
        pages, inside = len(pdf.pages), digest(originals.find(pdf))
        seal(pdf, job.password, job.target)
    reopen(job.target, job.password, pages, inside)
    _tell(job, _proof(job, pages))
    return {
        "pages": pages,
        "kind": kind.value,
        "sha256": sha256,
        "attached": False,
        "pending": "absent" in said,
    }


def _tell(job: Job, text: Iterable[str]) -> None:
    job.words.writelines(texts.written(text))
    job.words.flush()


def _proof(job: Job, pages: int) -> tuple[str, ...]:
    """What was written must also open in the other engine, the one that readers see."""
    job.target.seek(0)
    document = drawing.open_pdf(job.target, job.password)
    try:
        reading = drawing.read(document, job.limits, draw=True)
    finally:
        document.close()
    if reading.pages != pages:
        raise Refused(Code.EVIDENCE_UNREADABLE)
    return reading.text


def _voucher(job: Job) -> Answer:
    from archive.voucher.rendering import render  # noqa: PLC0415 -- fonts and compiler, for those who print only

    attachment = job.source.read()
    printed = render(job.request["sheet"], attachment=attachment, void=job.request["void"])
    document = drawing.open_pdf(printed, None)
    try:
        reading = drawing.read(document, job.limits, draw=False)
    finally:
        document.close()
    original = digest(attachment)
    with pikepdf.open(io.BytesIO(printed)) as pdf:
        seal(pdf, job.password, job.target)
    reopen(job.target, job.password, reading.pages, original)
    _tell(job, reading.text)
    return {
        "pages": reading.pages,
        "kind": EvidenceKind.PDF.value,
        "sha256": original,
        "attached": True,
        "pending": False,
    }


def _page(job: Job) -> Answer:
    document = drawing.open_pdf(job.source, job.password)
    try:
        job.target.write(drawing.draw(document, _wanted(job.request)))
    finally:
        document.close()
    job.target.flush()
    return {}


def _wanted(request: Mapping[str, Any]) -> drawing.Wanted:
    recognised = request["recognised"]
    return drawing.Wanted(
        request["number"],
        request["width"],
        request["watermark"],
        None if recognised is None else RecognisedPage.read(recognised),
        tuple(request["marks"]),
        Seams(tuple(request["before"]), tuple(request["after"])),
    )


def _recognise(job: Job) -> Answer:
    document = drawing.open_pdf(job.source, job.password)
    try:
        return transcribing.recognise(document, job.request["number"]).document()
    finally:
        document.close()


def _release(job: Job) -> Answer:
    with _open(job) as pdf:
        if not job.request["originals"]:
            baring.bare(pdf)
        pages, original = len(pdf.pages), digest(originals.find(pdf))
        releasing.stamp_pages(pdf, str(job.request["stamp"]))
        seal(pdf, str(job.request["new_password"]), job.target)
    reopen(job.target, str(job.request["new_password"]), pages, original)
    return {}


def _original(job: Job) -> Answer:
    with _open(job) as pdf:
        data = originals.find(pdf)
    if data is None:
        raise Refused(Code.EVIDENCE_UNREADABLE)
    job.target.write(data)
    job.target.flush()
    return {}


def _report(job: Job) -> Answer:
    from archive.fixity.printing import render  # noqa: PLC0415 -- fonts and compiler, for those who print only

    job.target.write(render(job.request["shown"]))
    job.target.flush()
    return {}


def _unseal(job: Job) -> Answer:
    """The document as it is under its encryption. PDF/A-3 is PDF 1.7 (ISO 19005-3, 6.1.2)."""
    with _open(job) as pdf:
        with pdf.open_metadata(set_pikepdf_as_editor=False) as metadata:
            claim = metadata.pdfa_status
        pdf.save(
            job.target,
            encryption=False,
            force_version="1.7",
            object_stream_mode=ObjectStreamMode.generate,
            compress_streams=True,
            deterministic_id=True,  # else two exports of the same document would differ
        )
    job.target.flush()
    return {"pdfa": claim}


def _reseal(job: Job) -> Answer:
    with _open(job) as pdf:
        pages, original = len(pdf.pages), digest(originals.find(pdf))
        seal(pdf, str(job.request["new_password"]), job.target)
    reopen(job.target, str(job.request["new_password"]), pages, original)
    return {"pages": pages, "sha256": original}


def _verify(job: Job) -> Answer:
    with _open(job) as pdf:
        return {"pages": len(pdf.pages), "revision": pdf.encryption.R if pdf.is_encrypted else 0}


def _open(job: Job) -> Pdf:
    try:
        return pikepdf.open(job.source, password=job.password)
    except pikepdf.PikepdfError as fault:
        raise Refused(Code.EVIDENCE_UNREADABLE) from fault


_JOBS: Mapping[str, Callable[[Job], Answer]] = {
    "convert": _convert,
    "cover": _cover,
    "kind": _kind,
    "voucher": _voucher,
    "page": _page,
    "parts": _parts,
    "recognise": _recognise,
    "release": _release,
    "original": _original,
    "report": _report,
    "reseal": _reseal,
    "unseal": _unseal,
    "verify": _verify,
}
