"""What a check found: the report of the four traits 四性 (DA/T 70-2018). Values only."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType

from archive.casefile.sources import printable


class Trait(StrEnum):
    """DA/T 70-2018, 5.1."""

    AUTHENTICITY = "authenticity"
    INTEGRITY = "integrity"
    USABILITY = "usability"
    SECURITY = "security"

    def say(self, language: str) -> str:
        return _TRAITS[self][0 if language == "zh" else 1]


class Fault(StrEnum):
    """What can be wrong with what is kept."""

    ALTERED = "altered"  # by SHA-512
    BESIDE_DAMAGED = "beside-damaged"  # archive.json, key file, key journal, quarantine
    CATALOGUE_DAMAGED = "catalogue-damaged"
    FOREIGN = "foreign"  # in the vault, known to no row
    INVENTORY_ALTERED = "inventory-altered"
    INVENTORY_MISSING = "inventory-missing"
    KEY_MISSING = "key-missing"
    KEY_UNJOURNALLED = "key-unjournalled"
    LEDGER_DAMAGED = "ledger-damaged"
    MISSING = "missing"
    NUMBER_MISSING = "number-missing"
    PAGES_DIFFER = "pages-differ"
    RECORD_STALE = "record-stale"
    UNAUTHENTIC = "unauthentic"  # the row's SHA-512 is not the one that its HMAC was made for
    UNENCRYPTED = "unencrypted"
    UNREADABLE = "unreadable"  # by the disk, or its password does not open it

    def say(self, language: str) -> str:
        return _FAULTS[self][1 if language == "zh" else 2]

    @property
    def trait(self) -> Trait:
        return _FAULTS[self][0]


_TRAITS: Mapping[Trait, tuple[str, str]] = MappingProxyType(
    {
        Trait.AUTHENTICITY: ("真实性", "Authenticity"),
        Trait.INTEGRITY: ("完整性", "Integrity"),
        Trait.USABILITY: ("可用性", "Usability"),
        Trait.SECURITY: ("安全性", "Security"),
    }
)
_FAULTS: Mapping[Fault, tuple[Trait, str, str]] = MappingProxyType(
    {
        Fault.ALTERED: (Trait.AUTHENTICITY, "内容与入库时不同", "bytes differ from what was filed"),
        Fault.BESIDE_DAMAGED: (
            Trait.USABILITY,
            "缺失或损坏（如何恢复见 docs/operations.md）",
            "it is missing or damaged (docs/operations.md says what brings it back)",
        ),
        Fault.CATALOGUE_DAMAGED: (
            Trait.AUTHENTICITY,
            "目录损坏（从备份恢复；没有备份时 muniment rebuild）",
            "the catalogue is damaged (restore a backup; without one, muniment rebuild)",
        ),
        Fault.FOREIGN: (Trait.SECURITY, "库中的外来文件", "a file that does not belong in the vault"),
        Fault.INVENTORY_ALTERED: (Trait.AUTHENTICITY, "清单被改动", "the inventory was altered"),
        Fault.INVENTORY_MISSING: (Trait.INTEGRITY, "清单缺失", "the inventory is missing"),
        Fault.KEY_MISSING: (Trait.USABILITY, "密钥缺失或损坏", "its key is missing or damaged"),
        Fault.KEY_UNJOURNALLED: (
            Trait.USABILITY,
            "密钥日志中没有它的密钥（muniment safeguard 可补全）",
            "the key journal lacks its key (muniment safeguard adds it)",
        ),
        Fault.LEDGER_DAMAGED: (Trait.AUTHENTICITY, "台账被改动", "the ledger was altered"),
        Fault.MISSING: (Trait.INTEGRITY, "文件缺失", "the document is missing"),
        Fault.NUMBER_MISSING: (Trait.INTEGRITY, "缺号", "the number is missing"),
        Fault.PAGES_DIFFER: (Trait.INTEGRITY, "页数与登记不符", "the page count differs from the catalogue"),
        Fault.RECORD_STALE: (
            Trait.INTEGRITY,
            "封存记录与目录不符（muniment safeguard 可重写）",
            "the sealed record is not what the catalogue says (muniment safeguard writes it anew)",
        ),
        Fault.UNAUTHENTIC: (Trait.AUTHENTICITY, "校验码不符", "the authentication code does not fit"),
        Fault.UNENCRYPTED: (Trait.SECURITY, "未加密", "it is not encrypted"),
        Fault.UNREADABLE: (Trait.USABILITY, "无法打开", "it cannot be opened"),
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
        return self.fault.trait

    @classmethod
    def foreign(cls, reference: str, path: str) -> "Finding":
        """A file that should not be there; its name is somebody else's and may hold anything."""
        return cls(Fault.FOREIGN, reference, printable(path))


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
