"""What a check found: the report of the four traits 四性 (DA/T 70-2018). Values only."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType


class Trait(StrEnum):
    """DA/T 70-2018, 5.1: 真实性, 完整性, 可用性, 安全性."""

    AUTHENTICITY = "authenticity"
    INTEGRITY = "integrity"
    USABILITY = "usability"
    SECURITY = "security"


class Fault(StrEnum):
    """What can be wrong with what is kept."""

    ALTERED = "altered"  # other bytes than were filed, by SHA-512
    FOREIGN = "foreign"  # in the vault, known to no row
    INVENTORY_ALTERED = "inventory-altered"
    INVENTORY_MISSING = "inventory-missing"
    KEY_MISSING = "key-missing"
    LEDGER_DAMAGED = "ledger-damaged"
    MISSING = "missing"
    NUMBER_MISSING = "number-missing"
    PAGES_DIFFER = "pages-differ"
    UNAUTHENTIC = "unauthentic"  # the row's SHA-512 is not the one that its HMAC was made for
    UNENCRYPTED = "unencrypted"
    UNREADABLE = "unreadable"  # by the disk, or its password does not open it


TRAIT_OF: Mapping[Fault, Trait] = MappingProxyType(
    {
        Fault.ALTERED: Trait.AUTHENTICITY,
        Fault.FOREIGN: Trait.SECURITY,
        Fault.INVENTORY_ALTERED: Trait.AUTHENTICITY,
        Fault.INVENTORY_MISSING: Trait.INTEGRITY,
        Fault.KEY_MISSING: Trait.USABILITY,
        Fault.LEDGER_DAMAGED: Trait.AUTHENTICITY,
        Fault.MISSING: Trait.INTEGRITY,
        Fault.NUMBER_MISSING: Trait.INTEGRITY,
        Fault.PAGES_DIFFER: Trait.INTEGRITY,
        Fault.UNAUTHENTIC: Trait.AUTHENTICITY,
        Fault.UNENCRYPTED: Trait.SECURITY,
        Fault.UNREADABLE: Trait.USABILITY,
    }
)


class Scope(StrEnum):
    ALL = "all"
    SAMPLE = "sample"  # the case files whose last check is longest ago


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """``reference`` is the case file's, or empty; ``name`` the document, or the path of another file."""

    fault: Fault
    reference: str
    name: str

    @property
    def trait(self) -> Trait:
        return TRAIT_OF[self.fault]

    @classmethod
    def foreign(cls, reference: str, path: str) -> "Finding":
        """A file that should not be there; its name is somebody else's and may hold anything."""
        shown = "".join(each if each.isprintable() else "\N{REPLACEMENT CHARACTER}" for each in path)
        return cls(Fault.FOREIGN, reference, shown)


@dataclass(frozen=True, slots=True)
class Report:
    """A finished check."""

    number: int
    scope: Scope
    actor: str
    started_at: datetime
    ended_at: datetime
    files: int
    documents: int
    size: int  # bytes read again
    findings: tuple[Finding, ...]

    @property
    def whole(self) -> bool:
        return not self.findings

    def of(self, trait: Trait) -> tuple[Finding, ...]:
        return tuple(each for each in self.findings if each.trait is trait)

    @property
    def damaged(self) -> tuple[str, ...]:
        """The references of the case files that something is wrong with."""
        return tuple(sorted({each.reference for each in self.findings if each.reference}))
