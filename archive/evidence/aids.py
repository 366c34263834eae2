"""What programs of others contribute to a conversion, where they are installed and can be caged."""

import contextlib
import logging
import math
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import BinaryIO

from archive.errors import Code, MunimentError
from archive.evidence import media, memoryfiles, office, scratch
from archive.evidence.kinds import EvidenceKind, Family
from archive.evidence.limits import Limits
from archive.evidence.programs import Allowance, Programs, Running, Uncaged

_log = logging.getLogger(__name__)
_OFFICE, _MEDIA = "LibreOffice", "ffmpeg"


@dataclass(frozen=True, slots=True)
class Aid:
    """``said`` goes to the worker with the job; ``descriptor`` is of a memory file at its start, or none."""

    said: Mapping[str, object]
    descriptor: int | None = None


@dataclass(frozen=True, slots=True)
class Wanted:
    """Bytes that a worker cannot turn into pages alone. ``size`` is in bytes, ``sha256`` in hex."""

    kind: EvidenceKind
    sha256: str
    size: int


class Aids:
    """Asked by the pool for the kinds that its workers cannot turn into pages alone."""

    def __init__(self, programs: Programs, limits: Limits) -> None:
        self._programs = programs
        self._limits = limits

    @contextlib.contextmanager
    def of_all(
        self, wanted: Sequence[Wanted], parts: BinaryIO, given: int, name: str, *, patient: bool = False
    ) -> Iterator[tuple[list[dict[str, object]], int]]:
        """For each that is wanted what was said of it, and a descriptor of all that was made, in the same order.

        ``parts`` holds them one after the other; where it is empty, the one that is wanted is ``given`` itself. Parts
        have a time together, after which the others are late, unless we are ``patient``.

        :raises MunimentError: as ``of``; of parts only SANDBOX_UNAVAILABLE: a bad attachment makes no bad mail.
        """
        made = os.memfd_create("aids", os.MFD_CLOEXEC)
        try:
            if os.fstat(parts.fileno()).st_size == 0:
                said = [self._added(each, given, made, name, self._programs) for each in wanted]
            else:
                allowance = Allowance(self._programs, math.inf if patient else self._limits.helped_seconds)
                said = [self._added_part(each, parts, made, name, allowance) for each in wanted]
            os.lseek(made, 0, os.SEEK_SET)
            yield said, made
        finally:
            os.close(made)

    def _added_part(
        self, wanted: Wanted, parts: BinaryIO, made: int, name: str, allowance: Allowance
    ) -> dict[str, object]:
        try:
            with memoryfiles.part(parts.fileno(), wanted.size) as part:
                return self._added(wanted, part, made, name, allowance)
        except MunimentError as refusal:
            if refusal.code is Code.SANDBOX_UNAVAILABLE:
                raise
            late = refusal.code is Code.CONVERSION_TIMEOUT and allowance.spent
            said = {"late": True} if late else {"failed": refusal.code.value}
            return {"sha256": wanted.sha256, "size": 0, "said": said}

    def _added(
        self, wanted: Wanted, source: int, made: int, name: str, programs: Running
    ) -> dict[str, object]:
        with self.of(wanted.kind, source, name, programs) as aid:
            size = 0 if aid.descriptor is None else os.fstat(aid.descriptor).st_size
            if os.fstat(made).st_size + size > self._limits.output_bytes:  # of all that one mail brings
                raise MunimentError(Code.CONVERSION_TOO_LARGE, name=name)
            if aid.descriptor is not None:
                memoryfiles.append(made, aid.descriptor, size)
            return {"sha256": wanted.sha256, "size": size, "said": dict(aid.said)}

    @contextlib.contextmanager
    def of(
        self, kind: EvidenceKind, source: int, name: str, programs: Running | None = None
    ) -> Iterator[Aid]:
        """What there is to help with evidence of this kind; ``source`` is a descriptor of it.

        :raises MunimentError: EVIDENCE_UNREADABLE, CONVERSION_TIMEOUT, SANDBOX_UNAVAILABLE.
        """
        made = os.memfd_create("aid", os.MFD_CLOEXEC)
        try:
            aid = self._office if kind.family is Family.OFFICE else self._media
            yield aid(kind, source, made, name, programs or self._programs)
        finally:
            os.close(made)

    def _office(self, kind: EvidenceKind, source: int, made: int, name: str, programs: Running) -> Aid:
        soffice = office.find()
        if soffice is None or not scratch.available():
            return Aid({"absent": _OFFICE})
        try:
            office.to_pdf(programs, soffice, source, made, kind, name, self._limits)
        except Uncaged as problem:
            _log.warning("%s is not used: %s", _OFFICE, problem)
            return Aid({"absent": _OFFICE})
        os.lseek(made, 0, os.SEEK_SET)
        return Aid({"rendered": True}, made)

    def _media(self, kind: EvidenceKind, source: int, made: int, name: str, programs: Running) -> Aid:
        tools = media.find()
        if tools is None:
            return Aid({"absent": _MEDIA})
        try:
            found = media.describe(programs, tools, source, made, kind, name)
        except Uncaged as problem:
            _log.warning("%s is not used: %s", _MEDIA, problem)
            return Aid({"absent": _MEDIA})
        os.lseek(made, 0, os.SEEK_SET)
        return Aid({"media": found}, made)
