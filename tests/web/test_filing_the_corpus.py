"""Files that nobody of this project made, many broken or hostile, through filing: filed and readable, or refused."""

import os
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from pathlib import Path

import pytest

from access.person import Person, Role
from archive.casefile.filing import Submission
from archive.casefile.numbering import runs
from archive.casefile.sources import Source
from archive.errors import Code, Exit, MunimentError
from archive.ledger.entries import CONSOLE
from archive.ledger.verifying import verify
from web.wiring import House

ROOT = Path(__file__).resolve().parents[2]
CORPUS = Path(os.environ.get("MUNIMENT_CORPUS", ROOT.parent / "shared" / "corpus"))
REFUSED = (Exit.REFUSED, Exit.UNAVAILABLE)


def outcome(house: House, reader: Person, voucher: bytes, path: Path) -> str:
    """``filed`` once it was read back, page and original; else the code of the refusal."""
    content = path.read_bytes()
    source = Source(path.name, BytesIO(content))
    try:
        filed = house.filing.file(CONSOLE, Submission("一级", "其他", None, None, voucher, (source,)))
    except MunimentError as refusal:
        assert refusal.code is not Code.INTERNAL, path.name
        assert refusal.meaning.exit in REFUSED, path.name
        assert refusal.say("zh"), path.name
        assert refusal.say("en"), path.name
        return refusal.code
    assert house.viewing.page(reader, filed.reference, 1, 1, 800).startswith(b"\xff\xd8"), path.name
    stream, password = house.case_files.open_document(house.case_files.get(filed.reference), 1)
    with stream, house.sandbox.original(stream, password) as original:
        assert original.read() == content, path.name
    return "filed"


@pytest.mark.skipif(not CORPUS.is_dir(), reason=f"the corpus is not in {CORPUS}; set MUNIMENT_CORPUS")
def test_each_is_filed_and_readable_again_or_refused_with_a_reason(house: House, forms):
    reader = house.people.add(CONSOLE, "吴昊", Role.AUDITOR, "内审部", "correct-horse-battery")
    paths = sorted(each for folder in ("pdf", "other") for each in (CORPUS / folder).iterdir())
    with ThreadPoolExecutor(2) as pool:
        ended = Counter(pool.map(lambda path: outcome(house, reader, forms.voucher(), path), paths))
    print(dict(ended))
    assert ended["filed"] > 0
    with house.catalogue.reading() as connection:
        assert [run.last for run in runs(connection)] == [ended["filed"]]
        verify(connection, house.catalogue.ledger, house.case_files.file_key)
    assert list((house.settings.home / "staging").iterdir()) == []
