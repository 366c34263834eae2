"""Specimens made here, byte by byte or by the libraries; nothing is downloaded or copied."""

import io
import os
import random
from collections.abc import Callable, Iterator
from pathlib import Path

import pikepdf
import pytest
from PIL import Image

from archive.evidence.sandbox import Limits, Sandbox

PASSWORD = "correct-horse-battery-staple-012"  # 32 characters, as many as poppler takes


@pytest.fixture(scope="session")
def password() -> str:
    return PASSWORD


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as pool:
        yield pool


@pytest.fixture(scope="module")
def tight() -> Iterator[Sandbox]:
    """A sandbox whose limits a bomb reaches soon."""
    limits = Limits(memory_bytes=450_000_000, cpu_seconds=5, wall_seconds=20, pixels=2_000_000, pages=20)
    with Sandbox(workers=1, limits=limits) as pool:
        yield pool


@pytest.fixture(scope="session")
def corpus() -> Path:
    root = Path(__file__).resolve().parents[3]
    folder = Path(os.environ.get("MUNIMENT_CORPUS", root.parent / "shared" / "corpus"))
    if not folder.is_dir():
        pytest.skip(f"the corpus of hostile files is not here ({folder}); set MUNIMENT_CORPUS")
    return folder


@pytest.fixture(scope="session")
def photo() -> Image.Image:
    """Soft noise with a red upper left corner, so that a turn or a flip is seen."""
    noise = random.Random(7).randbytes(64 * 48 * 3)
    picture = Image.frombytes("RGB", (64, 48), noise).resize((640, 480), Image.Resampling.BICUBIC)
    picture.paste((220, 20, 20), (0, 0, 200, 150))
    return picture


@pytest.fixture(scope="session")
def saved() -> Callable[..., bytes]:
    def save(image: Image.Image, kind: str, **options: object) -> bytes:
        target = io.BytesIO()
        image.save(target, kind, **options)
        return target.getvalue()

    return save


@pytest.fixture(scope="session")
def jpeg(photo: Image.Image, saved: Callable[..., bytes]) -> bytes:
    return saved(photo, "JPEG", quality=85)


@pytest.fixture(scope="session")
def written() -> Callable[..., bytes]:
    """A PDF with a page for each text; ``rotate`` turns the pages, ``prepare`` may change the document."""

    def write(
        *texts: str,
        rotate: int = 0,
        box: tuple[float, ...] = (0, 0, 595, 842),
        prepare: Callable[[pikepdf.Pdf], None] | None = None,
        **options: object,
    ) -> bytes:
        pdf = pikepdf.new()
        font = pdf.make_indirect(
            pikepdf.Dictionary(
                Type=pikepdf.Name.Font,
                Subtype=pikepdf.Name.Type1,
                BaseFont=pikepdf.Name.Helvetica,
                Encoding=pikepdf.Name.WinAnsiEncoding,
            )
        )
        for text in texts:
            page = pdf.add_blank_page(page_size=(100, 100))
            page.obj.MediaBox = pikepdf.Array(list(box))
            page.obj.Resources = pikepdf.Dictionary(Font=pikepdf.Dictionary(F1=font))
            if rotate:
                page.obj.Rotate = rotate
            lines = "".join(f"({line}) Tj T* " for line in text.split("\n"))
            page.obj.Contents = pdf.make_stream(f"BT /F1 24 Tf 30 TL 60 700 Td {lines} ET".encode())
        if prepare:
            prepare(pdf)
        target = io.BytesIO()
        pdf.save(target, **options)
        pdf.close()
        return target.getvalue()

    return write
