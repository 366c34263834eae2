"""What a reader gets to see of a piece of evidence."""

import io

from archive.evidence.kinds import EvidenceKind
from archive.evidence.sandbox import Sandbox


def shown(sandbox: Sandbox, data: bytes, kind: EvidenceKind, password: str) -> list[str]:
    """The text of each page, without white space; the original must be whole."""
    with sandbox.convert(io.BytesIO(data), f"x.{kind.extension}", password) as made:
        assert made.kind is kind
        with sandbox.original(made.pdf, password) as original:
            assert original.read() == data
        return ["".join(each.split()) for each in made.text]
