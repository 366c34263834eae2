"""The packages of office documents as trees of elements, within limits: ISO/IEC 29500 and OpenDocument alike.

Names are compared without their namespaces, of which each of the two has several.
"""

import posixpath
import struct
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from xml.etree import ElementTree as ET

Element = ET.Element
_LARGEST = 32 << 20  # bytes of an entry
FAULTS = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    ET.ParseError,
    ValueError,
    KeyError,
    IndexError,
    OSError,
    EOFError,
    NotImplementedError,
    RuntimeError,
)


@dataclass(frozen=True, slots=True)
class Relation:
    """``kind`` is the last part of its type; ``target`` is the name of an entry."""

    kind: str
    target: str


class Package:
    """Entries are read when asked for; what is too large is noted in ``unread``."""

    def __init__(self, package: zipfile.ZipFile) -> None:
        self._package = package
        self.names = tuple(package.namelist())
        self.unread: list[str] = []

    def bytes(self, name: str) -> bytes:
        """Nothing where there is no such entry."""
        if name not in self.names:
            return b""
        with self._package.open(name) as entry:
            found = entry.read(_LARGEST + 1)
        if len(found) > _LARGEST:
            self.unread.append(name)
            return b""
        return found

    def tree(self, name: str) -> Element:
        """An empty element where there is nothing to read."""
        return parsed(self.bytes(name))

    def relations(self, name: str) -> Mapping[str, Relation]:
        """What an entry points to within the package, by id (ISO/IEC 29500-2, 9.3)."""
        folder, own = posixpath.split(name)
        found = {}
        for each in self.tree(f"{folder}/_rels/{own}.rels"):
            if attribute(each, "TargetMode") != "External":
                target = posixpath.normpath(posixpath.join("/", folder, attribute(each, "Target")))
                kind = attribute(each, "Type").rpartition("/")[2]
                found[attribute(each, "Id")] = Relation(kind, target.lstrip("/"))
        return found


def parsed(data: bytes) -> Element:
    """In the cage and within its limits; expat itself bounds what entities grow to, and nothing is fetched."""
    return ET.fromstring(data) if data else ET.Element("none")  # noqa: S314


def local(element: Element) -> str:
    """Comments and instructions have no name."""
    return element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""


def attribute(element: Element, name: str) -> str:
    """By its local name; empty where it has none of that name."""
    if name in element.attrib:
        return element.attrib[name]
    return next((value for key, value in element.attrib.items() if key.rpartition("}")[2] == name), "")


def named(element: Element, *names: str) -> Iterator[Element]:
    """Itself and all below it that have one of these names."""
    return (each for each in element.iter() if local(each) in names)
