"""The bytes as they came in: beside the pages, or within them."""

from pikepdf import AttachedFileSpec, Name, Pdf

from archive.evidence.images import embedded_jpeg

_STEM = "original."
_VOUCHER = "voucher.json"


def attach(pdf: Pdf, data: bytes, extension: str) -> None:
    """Keep the bytes as an embedded file. Its name is ours: what a customer calls a file may name them."""
    name = _STEM + extension
    pdf.attachments[name] = AttachedFileSpec(pdf, data, filename=name, relationship=Name.Source)


def find(pdf: Pdf) -> bytes | None:
    """The original of an opened document: the embedded file, else the JPEG that is the page."""
    for name, file in pdf.attachments.items():
        if name.startswith(_STEM) or name == _VOUCHER:
            return bytes(file.get_file().read_bytes())
    return embedded_jpeg(pdf)
