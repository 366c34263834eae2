"""What a case file is found by: code and facts, voucher, its documents' names and texts (P12, P13.2)."""

import json
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from archive.casefile.reading import CaseFile, CaseFiles, FileState
from archive.errors import Code, MunimentError
from archive.evidence.masking import mask_text
from archive.keys.sealing import BoxError
from archive.voucher.masking import masked
from indexer.analysis import Part

VOID = "作废"  # what the stamp says, P9

_AWAY = frozenset({Code.VAULT_REFUSED, Code.VAULT_UNREACHABLE})
_logger = logging.getLogger(__name__)


def gather(case_files: CaseFiles, case_file: CaseFile) -> Iterator[Part]:
    """The parts of text of one case file, read as they are taken; a phrase never runs from one into the next.

    What is sealed and does not open or does not parse is left out, and told in the log.
    """
    yield from _each(facts(case_file))
    yield from _sealed(case_files, case_file, lambda voucher: voucher, str, case_files.pages)


def gather_masked(case_files: CaseFiles, case_file: CaseFile) -> Iterator[Part]:
    """What it is found by beside its facts, by those who read it masked (P14.4, P16). Otherwise as ``gather``."""
    yield from _sealed(case_files, case_file, masked, mask_text, case_files.masked_pages)


def _sealed(
    case_files: CaseFiles,
    case_file: CaseFile,
    voucher: Callable[[Mapping[str, Any]], object],
    title: Callable[[str], str],
    pages: Callable[[CaseFile, int], Iterator[str]],
) -> Iterator[Part]:
    with _left_out(case_file):
        yield from _each(_said(voucher(json.loads(case_files.voucher(case_file)))))
    with _left_out(case_file):
        yield from _each(map(title, case_files.titles(case_file).values()))
    for document in case_files.documents(case_file):
        # Pages follow each other without a break: a sentence may run over the foot of one.
        yield _pages(case_file, pages(case_file, document.ordinal))


def _each(texts: Iterable[str]) -> Iterator[Part]:
    return ((text,) for text in texts)


def _pages(case_file: CaseFile, pages: Iterator[str]) -> Iterator[str]:
    with _left_out(case_file):
        for page in pages:
            yield page
            yield "\n"


@contextmanager
def _left_out(case_file: CaseFile) -> Iterator[None]:
    """One damaged text must not keep what comes later out of the index. Fixity checks name it to people. A vault that
    is away has damaged nothing.
    """
    try:
        yield
    except (BoxError, MunimentError, OSError, ValueError) as error:
        if isinstance(error, MunimentError) and error.code in _AWAY:
            raise
        kind = type(error).__name__
        _logger.error("%s is indexed without some of its texts: %s", case_file.reference, kind)  # noqa: TRY400 - a trace may show the text


def facts(case_file: CaseFile) -> tuple[str, ...]:
    """What the catalogue itself knows: nothing of it is sealed."""
    known = (
        case_file.reference,
        case_file.store,
        case_file.script,
        case_file.channel,
        case_file.department,
        case_file.level,
        case_file.category,
        case_file.completed_on.isoformat() if case_file.completed_on else None,
        VOID if case_file.state is FileState.VOID else None,
    )
    return tuple(each for each in known if each)


def _said(value: object) -> Iterator[str]:
    """Every text and number in a JSON document, but not the names of its fields."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for each in value.values():
            yield from _said(each)
    elif isinstance(value, list):
        for each in value:
            yield from _said(each)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield str(value)
