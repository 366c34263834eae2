import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.evidence.kinds import EvidenceKind
from archive.evidence.recognising import recognise
from archive.evidence.refusing import Refused


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (b"\xff\xd8\xff\xe0", EvidenceKind.JPEG),
        (b"\x89PNG\r\n\x1a\n", EvidenceKind.PNG),
        (b"II*\x00\x08\x00\x00\x00\x00\x00", EvidenceKind.TIFF),
        (b"MM\x00*\x00\x00\x00\x08", EvidenceKind.TIFF),
        (b"\x00\x00\x00\x18ftypheic", EvidenceKind.HEIC),
        (b"\x00\x00\x00\x18ftypmif1\x00\x00\x00\x00mif1heic", EvidenceKind.HEIC),
        (b"\x00\x00\x00\x1cftypmif1\x00\x00\x00\x00mif1avifmiaf", EvidenceKind.AVIF),
        (b"\x00\x00\x00\x18ftypavif", EvidenceKind.AVIF),
        (b"GIF89a", EvidenceKind.GIF),
        (b"GIF87a%PDF-1.7", EvidenceKind.GIF),
        (b"RIFF\x00\x00\x00\x00WEBPVP8 ", EvidenceKind.WEBP),
        (b"BM" + bytes(12) + b"\x28\x00\x00\x00", EvidenceKind.BMP),
        (b"BMW is what the customer drove away in.", EvidenceKind.TEXT),
        (b"what <html> is, and <script> too", EvidenceKind.TEXT),
        (b"<?xml version='1.0'?>\n<html>", EvidenceKind.HTML),
        (b"<!DOCTYPE html><html>", EvidenceKind.HTML),
        ("顾客投诉".encode(), EvidenceKind.TEXT),
        (b"<svg xmlns='x'><script/></svg>", EvidenceKind.TEXT),
        (b" " * 1100 + b"%PDF-1.4", EvidenceKind.TEXT),
        (b"From: a\nTo: b\nSubject: c\n\nd", EvidenceKind.MAIL),
        (b"a,b,c\n1,2,3\n4,5,6\n", EvidenceKind.CSV),
        (b"\x00\x00\x00\x18ftypmp42", EvidenceKind.MP4),
        (b"\x00\x00\x00\x18ftyp3gp5", EvidenceKind.MP4),
        (b"\x00\x00\x00\x14ftypqt  ", EvidenceKind.MOV),
        (b"#!AMR\n", EvidenceKind.AMR),
        (b"{\\rtf1 words}", EvidenceKind.RTF),
        (b"%PDF-1.7\n", EvidenceKind.PDF),
        (b"\r\n\r\n%PDF-1.4", EvidenceKind.PDF),
        (b" " * 1000 + b"%PDF-1.4", EvidenceKind.PDF),
    ],
)
def test_a_kind_that_becomes_pages_is_known_by_its_first_bytes(head: bytes, kind: EvidenceKind):
    assert recognise(head) is kind


@pytest.mark.parametrize(
    ("head", "name"),
    [
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "Office 97-2003"),
        (b"II*\x00\x10\x00\x00\x00CR\x02\x00", "camera raw"),
        (b"MZ\x90\x00", "program"),
        (b"\x00\x01\x02\x03", "unknown"),
    ],
)
def test_a_kind_not_taken_is_named(head: bytes, name: str):
    assert recognise(head) == name


BODY = b"1 0 obj\n<</Type/Catalog/Pages 2 0 R>>\nendobj\ntrailer<</Root 1 0 R>>\nstartxref\n9\n%%EOF\n"


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"%PDF.1.4\n" + BODY, EvidenceKind.PDF),
        (b"%PDF\n" + BODY, EvidenceKind.PDF),
        (b"%\xe2\xe3\xcf\xd3\r\n%made by hand\r\n" + BODY, EvidenceKind.PDF),
        (b"\n" + BODY, EvidenceKind.PDF),
        ("顾客说附件是 %PDF.1.4，打不开\n".encode(), EvidenceKind.TEXT),
        (b"%PDF.1.4 is how it begins; then come 1 0 obj and more\n", EvidenceKind.TEXT),
        (b"I quote:\n" + BODY, EvidenceKind.TEXT),
    ],
)
def test_a_pdf_without_a_right_header_is_known_by_what_follows(data: bytes, kind: EvidenceKind):
    assert recognise(data) is kind


def test_a_signature_at_the_start_goes_before_a_pdf_header_inside():
    assert recognise(b"\xff\xd8\xff\xe0" + b"%PDF-1.7") is EvidenceKind.JPEG
    assert recognise(b"GIF89a%PDF-1.7") is EvidenceKind.GIF


@given(st.binary(max_size=2000))
def test_any_bytes_have_an_answer(head: bytes):
    with contextlib.suppress(Refused):
        assert recognise(head)
