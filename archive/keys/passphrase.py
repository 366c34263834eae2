"""A passphrase as the guard of a key file: Argon2id (RFC 9106), memory-hard so that guessing costs."""

from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from argon2.exceptions import HashingError
from argon2.low_level import Type, hash_secret_raw

from archive.keys.sealing import KEY_BYTES, Randomness

KIND = "argon2id"
_TIME_COST, _MEMORY_KIB, _PARALLELISM = 3, 65536, 1
_SALT = 16
_MOST_MEMORY_KIB = 4 << 20  # 4 GiB: a damaged or hostile file must not take all of the machine
_MOST_TIME_COST = 100


@dataclass(frozen=True, slots=True, repr=False)
class Passphrase:
    passphrase: str

    @property
    def kind(self) -> str:
        return KIND

    def lock(self, randomness: Randomness) -> tuple[bytes, dict[str, Any]]:
        figures = {
            "time_cost": _TIME_COST,
            "memory_kib": _MEMORY_KIB,
            "parallelism": _PARALLELISM,
            "salt": b64encode(randomness(_SALT)).decode(),
        }
        return self.unlock(figures), figures

    def unlock(self, figures: Mapping[str, Any]) -> bytes:
        time_cost, memory = int(figures["time_cost"]), int(figures["memory_kib"])
        if time_cost > _MOST_TIME_COST or memory > _MOST_MEMORY_KIB:
            raise ValueError("figures beyond reason")
        try:
            return hash_secret_raw(
                self.passphrase.encode(),
                b64decode(figures["salt"]),
                time_cost=time_cost,
                memory_cost=memory,
                parallelism=int(figures["parallelism"]),
                hash_len=KEY_BYTES,
                type=Type.ID,
            )
        except HashingError as error:
            raise ValueError("figures that Argon2 refuses") from error
