"""What programs of others contribute to a conversion, where they are installed and can be caged."""

import contextlib
import logging
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from archive.evidence import media, office, scratch
from archive.evidence.kinds import EvidenceKind, Family
from archive.evidence.limits import Limits
from archive.evidence.programs import Programs, Uncaged

_log = logging.getLogger(__name__)
_OFFICE, _MEDIA = "LibreOffice", "ffmpeg"


@dataclass(frozen=True, slots=True)
class Aid:
    """``said`` goes to the worker with the job; ``descriptor`` is of a memory file at its start, or none."""

    said: Mapping[str, object]
    descriptor: int | None = None


class Aids:
    """Asked by the pool for the kinds that its workers cannot turn into pages alone."""

    def __init__(self, programs: Programs, limits: Limits) -> None:
        self._programs = programs
        self._limits = limits

    @contextlib.contextmanager
    def of(self, kind: EvidenceKind, source: int, name: str) -> Iterator[Aid]:
        """What there is to help with evidence of this kind; ``source`` is a descriptor of it.

        :raises MunimentError: EVIDENCE_UNREADABLE, CONVERSION_TIMEOUT, SANDBOX_UNAVAILABLE.
        """
        made = os.memfd_create("aid", os.MFD_CLOEXEC)
        try:
            aid = self._office if kind.family is Family.OFFICE else self._media
            yield aid(kind, source, made, name)
        finally:
            os.close(made)

    def _office(self, kind: EvidenceKind, source: int, made: int, name: str) -> Aid:
        soffice = office.find()
        if soffice is None or not scratch.available():
            return Aid({"absent": _OFFICE})
        try:
            office.to_pdf(self._programs, soffice, source, made, kind, name, self._limits)
        except Uncaged as problem:
            _log.warning("%s is not used: %s", _OFFICE, problem)
            return Aid({"absent": _OFFICE})
        os.lseek(made, 0, os.SEEK_SET)
        return Aid({"rendered": True}, made)

    def _media(self, kind: EvidenceKind, source: int, made: int, name: str) -> Aid:
        tools = media.find()
        if tools is None:
            return Aid({"absent": _MEDIA})
        try:
            found = media.describe(self._programs, tools, source, made, kind, name)
        except Uncaged as problem:
            _log.warning("%s is not used: %s", _MEDIA, problem)
            return Aid({"absent": _MEDIA})
        os.lseek(made, 0, os.SEEK_SET)
        return Aid({"media": found}, made)
