"""The voucher that tests file."""

import json
from typing import Final

VOUCHER: Final = {
    "complainant": {"name": "王小明", "contact": "13800138000"},
    "received_at": "2026-02-27T20:15+08:00",
    "channel": "门店现场",
    "store": "春熙路店",
    "script": "长安十二时",
    "details": "第三幕道具缺失，剧情无法继续，玩家等待四十分钟。",
    "demands": ["退费"],
    "evidence": [],
    "receiver": {"name": "李莉", "department": "春熙路店", "contact": "028-88886666"},
}


def voucher(**changed: object) -> bytes:
    """The file voucher.json with these fields of it changed."""
    return json.dumps({**VOUCHER, **changed}, ensure_ascii=False).encode()
