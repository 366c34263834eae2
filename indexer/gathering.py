"""What a case file is found by: code and facts, voucher, its documents' names and texts (P12, P13.2)."""

import json
from collections.abc import Iterator

from archive.casefile.reading import CaseFile, CaseFiles, FileState
from archive.evidence.masking import mask_text
from archive.voucher.masking import masked

VOID = "作废"  # what the stamp says, P9


def gather(case_files: CaseFiles, case_file: CaseFile) -> tuple[str, ...]:
    """The parts of text of one case file; a phrase never runs from one into the next.

    Raises BoxError, MunimentError and ValueError where something sealed does not open or does not parse.
    """
    voucher = json.loads(case_files.voucher(case_file))
    titles = case_files.titles(case_file).values()
    # Pages follow each other without a break: a sentence may run over the foot of one.
    documents = ("\n".join(pages) for pages in case_files.texts(case_file).values())
    return (*facts(case_file), *_said(voucher), *titles, *documents)


def gather_masked(case_files: CaseFiles, case_file: CaseFile) -> tuple[str, ...]:
    """What it is found by beside its facts, by those who read it masked (P14.4, P16). Raises as ``gather``."""
    voucher = masked(json.loads(case_files.voucher(case_file)))
    titles = map(mask_text, case_files.titles(case_file).values())
    documents = ("\n".join(pages) for pages in case_files.masked_texts(case_file).values())
    return (*_said(voucher), *titles, *documents)


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
