import hashlib
import io
import json
from datetime import date, datetime, timedelta, timezone

import pikepdf
import pytest
from PIL import Image, ImageChops

from archive.errors import Code, MunimentError
from archive.evidence.sandbox import EvidenceKind, Sandbox
from archive.voucher.fields import parse
from archive.voucher.sheet import sheet

VOUCHER = {
    "complainant": {"name": "王小明", "contact": "13800138000"},
    "received_at": "2026-02-27T20:15+08:00",
    "channel": "门店现场",
    "store": "春熙路店",
    "details": "第三幕道具缺失，剧情无法继续。",
    "demands": ["退费"],
    "evidence": [],
    "receiver": {"name": "李莉", "department": "春熙路店", "contact": "8001"},
}


def _sheet(raw: bytes) -> dict[str, object]:
    return sheet(
        parse(raw),
        reference="2026-一级-剧本相关-001",
        level="一级 · 一般投诉",
        category="剧本相关",
        completed_on=date(2026, 3, 1),
        period="2 年",
        due=date(2028, 3, 1),
        filed_at=datetime(2026, 3, 2, 9, tzinfo=timezone(timedelta(hours=8))),
    )


@pytest.fixture(scope="module")
def raw() -> bytes:
    return json.dumps(VOUCHER, ensure_ascii=False).encode()


def test_a_voucher_is_printed_sealed_and_carries_its_source(raw: bytes, sandbox: Sandbox, password: str):
    with sandbox.voucher(_sheet(raw), password, raw) as made:
        assert (made.kind, made.pages, made.original_attached) == (EvidenceKind.PDF, 1, True)
        assert made.original_sha256 == hashlib.sha256(raw).hexdigest()
        assert "第三幕道具缺失，剧情无法继续。" in made.text[0].replace("\n", "")
        with sandbox.original(made.pdf, password) as source:
            assert source.read() == raw
        with pikepdf.open(made.pdf, password=password) as pdf:
            assert pdf.encryption.R == 6
            assert list(pdf.attachments) == ["voucher.json"]
        with (
            sandbox.release(made.pdf, password, "new", "副本", originals=True) as copy,
            sandbox.original(copy, "new") as source,
        ):
            assert source.read() == raw


def test_a_void_voucher_is_stamped(raw: bytes, sandbox: Sandbox, password: str):
    void = {"date": "2026-03-05", "reason": "重复登记", "by": "李莉"}
    with (
        sandbox.voucher(_sheet(raw), password, raw) as plain,
        sandbox.voucher(_sheet(raw), password, raw, void) as stamped,
    ):
        assert "重复登记" in stamped.text[0]
        pages = [
            Image.open(io.BytesIO(sandbox.page(each.pdf, password, 1, 600, ""))) for each in (plain, stamped)
        ]
        assert ImageChops.difference(*pages).getbbox()


def test_a_character_that_no_font_has_is_named(raw: bytes, sandbox: Sandbox, password: str):
    with pytest.raises(MunimentError) as refused:
        sandbox.voucher(_sheet(raw) | {"store": "\U000e0fff"}, password, raw)
    assert refused.value.code is Code.GLYPH_MISSING
    assert refused.value.facts["characters"]
