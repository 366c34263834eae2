"""Files that nobody of this project made: each is kept readably, or refused with a reason.

Office documents, sound and film are among them; where LibreOffice or ffmpeg is absent, their covers are read.
"""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from archive.errors import Code, MunimentError
from archive.evidence.sandbox import Converted, Limits, Sandbox

BATCHES = 4
REASONS = {
    Code.EVIDENCE_EMPTY,
    Code.EVIDENCE_ENCRYPTED,
    Code.EVIDENCE_KIND,
    Code.EVIDENCE_TOO_MANY_PAGES,
    Code.EVIDENCE_UNREADABLE,
    Code.CONVERSION_TOO_LARGE,
    Code.CONVERSION_TIMEOUT,
}


def _attempt(sandbox: Sandbox, path: Path, password: str) -> Converted | MunimentError:
    try:
        with path.open("rb") as source:
            return sandbox.convert(source, path.name, password)
    except MunimentError as refused:
        return refused


def _outcome(sandbox: Sandbox, path: Path, password: str, *, thoroughly: bool) -> str:
    made = _attempt(sandbox, path, password)
    if isinstance(made, MunimentError):
        assert made.code in REASONS, path.name
        assert path.name in made.say("zh")
        return str(made.code)
    with made:
        assert sandbox.page(made.pdf, password, 1, 400, "王五").startswith(b"\xff\xd8\xff")
        if thoroughly:
            sandbox.release(made.pdf, password, "new", "副本").close()
            with sandbox.original(made.pdf, password) as original:
                assert original.read() == path.read_bytes()
    return f"kept ({made.kind})"


@pytest.mark.parametrize("batch", range(BATCHES))
def test_each_file_is_kept_readably_or_refused_with_a_reason(batch: int, corpus: Path, password: str):
    paths = sorted(path for folder in ("pdf", "other") for path in (corpus / folder).iterdir())[
        batch::BATCHES
    ]
    assert paths
    with Sandbox(limits=Limits(cpu_seconds=20)) as sandbox, ThreadPoolExecutor(2) as threads:

        def outcome(numbered: tuple[int, Path]) -> str:
            # Copies and originals are checked for every third file, to keep the run short.
            return _outcome(sandbox, numbered[1], password, thoroughly=numbered[0] % 3 == 0)

        outcomes = Counter(threads.map(outcome, enumerate(paths)))
    print(f"\n{len(paths)} files: {dict(outcomes.most_common())}")
    assert outcomes["kept (pdf)"] > 0.8 * len(paths)
    others = {path.suffix for path in paths} & {".doc", ".odt", ".rtf", ".mov", ".txt", ".csv"}
    assert len([kept for kept in outcomes if kept.startswith("kept") and "pdf" not in kept]) >= min(
        len(others), 3
    )
