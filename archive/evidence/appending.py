"""Behind the pages of a document what does not stand on them: its asides, and the files that lie in it."""

import io
from collections.abc import Mapping
from dataclasses import replace

import pikepdf

from archive.evidence import asides, drawing, enclosing, withheld
from archive.evidence.documents import Paginated
from archive.evidence.enclosing import Paginate
from archive.evidence.kinds import EvidenceKind
from archive.evidence.limits import Limits


def with_asides(made: Paginated, data: bytes, kind: EvidenceKind) -> Paginated:
    """``made`` of an office document, with what can be read in the document itself. Comments are among the annotations
    of what was made already, and there they have pages.
    """
    found = asides.beyond(withheld.read(data, kind), made.asides)
    return replace(made, asides=[*made.asides, *found], attached=(), more=0)


def whole(document: Paginated, limits: Limits, show: Paginate) -> pikepdf.Pdf:
    """The pages of a document and, if there is anything to tell, some more; ``show`` makes pages of an attachment, or
    refuses. The caller closes it.

    The pages of attachments come as far as there is room; what tells of them comes always.

    :raises Refused: EVIDENCE_UNREADABLE.
    """
    pages = document.pages
    unshown = asides.unshown(document.asides, _texts(document))
    if not unshown and not document.attached:
        return pages
    # Fonts and compiler, for those who have something to tell only.
    from archive.evidence.typesetting import typeset  # noqa: PLC0415

    shown = enclosing.all_shown(document.attached, limits, show)
    try:
        # Pages to spare for the list itself.
        fitting = enclosing.fitted(shown, limits.pages - len(pages.pages) - 1 - len(shown) // 20)
        listed = enclosing.listed(document.attached, fitting, document.more)
        notes = enclosing.unlisted(document.attached, document.more)
        with typeset(asides.sheet(unshown, listed, notes), limits) as more:
            pages.pages.extend(more.pages)
        for each in fitting:
            if each.pages is not None:
                pages.pages.extend(each.pages.pages)
    finally:
        for each in shown:
            each.close()
    return pages


def _texts(document: Paginated) -> Mapping[int, str]:
    """Of the pages on which something may stand that is also told elsewhere: as a rule there is none."""
    doubtful = [each for each in document.asides if each.perhaps_shown]
    if not doubtful:
        return {}
    target = io.BytesIO()
    document.pages.save(target)
    saved = drawing.open_pdf(target, None)
    try:
        anywhere = any(each.page is None for each in doubtful)
        wanted = range(len(saved)) if anywhere else sorted({each.page or 0 for each in doubtful})
        return {number: drawing.text(saved, number) for number in wanted}
    finally:
        saved.close()
