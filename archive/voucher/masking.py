"""A voucher as readers see it: what must not be read is hidden (P14.4, P16). Pure."""

from collections.abc import Mapping
from typing import Any

from archive.evidence.masking import mask_text


def masked(voucher: Mapping[str, Any]) -> dict[str, Any]:
    """Every text masked; how to reach the complainant is masked whatever it looks like (P8)."""
    shown: dict[str, Any] = _masked(voucher)
    complainant = shown.get("complainant")
    if isinstance(complainant, dict):
        for field in ("contact", "other_contact"):
            text = complainant.get(field)
            if isinstance(text, str) and text == voucher["complainant"][field]:
                complainant[field] = _hidden(text)
    return shown


def _masked(value: Any) -> Any:
    if isinstance(value, str):
        return mask_text(value)
    if isinstance(value, dict):
        return {key: _masked(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_masked(each) for each in value]
    return value


def _hidden(text: str) -> str:
    """A third of it stays readable, three characters at most: enough to recognise, too little to use."""
    shown = min(3, len(text) // 3)
    return text[:shown] + "*" * (len(text) - shown)
