"""A PKCS#11 token (an HSM, a smart card) as the guard of a key file: an AES key that never leaves it.

The token is named by an RFC 7512 URI, ``pkcs11:token=muniment;object=master?module-path=/usr/lib/…&pin-source=/etc/…``.
The file holds labels, nonce and ciphertext (CKM_AES_GCM); module and PIN come from the settings alone, so that a key
file brought from elsewhere cannot make us load a library. A PIN is read from its file, never from the URI itself.
"""

from base64 import b64decode, b64encode
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from archive.causes import Cause, Unfit
from archive.errors import Code, MunimentError
from archive.keys.sealing import KEY_BYTES, Randomness

KIND = "pkcs11"
SCHEME = "pkcs11:"
_CONTEXT = b"muniment keyring"
_NONCE = 12


@dataclass(frozen=True, slots=True)
class Pkcs11:
    token: str  # its label
    label: str  # of the AES key on it, which is there: we never make one
    module: Path
    pin_source: Path

    @classmethod
    def parse(cls, address: str) -> "Pkcs11":
        """Raises Unfit."""
        path, _, query = address.removeprefix(SCHEME).partition("?")
        given = dict(_attribute(each) for each in (*path.split(";"), *query.split("&")) if each)
        if "pin-value" in given:
            raise Unfit(
                "PIN 不可写入设置，请用 pin-source 指明存放它的文件",
                "a PIN does not belong into the settings: name its file with pin-source",
            )
        unknown = given.keys() ^ {"token", "object", "module-path", "pin-source"}
        if unknown:
            wrong = ", ".join(sorted(unknown))
            raise Unfit(
                f"须有且仅有 token、object、module-path、pin-source（{wrong}）",
                f"it needs token, object, module-path and pin-source ({wrong})",
            )
        pin = given["pin-source"].removeprefix("file:")
        return cls(given["token"], given["object"], Path(given["module-path"]), Path(pin))

    @property
    def kind(self) -> str:
        return KIND

    def lock(self, randomness: Randomness) -> tuple[bytes, dict[str, Any]]:
        key, nonce = randomness(KEY_BYTES), randomness(_NONCE)
        with self._key(self.token, self.label) as (master, how):
            ciphertext = master.encrypt(key, **how(nonce))
        return key, {
            "token": self.token,
            "object": self.label,
            "nonce": b64encode(nonce).decode(),
            "ciphertext": b64encode(ciphertext).decode(),
        }

    def unlock(self, figures: Mapping[str, Any]) -> bytes:
        nonce, ciphertext = b64decode(figures["nonce"]), b64decode(figures["ciphertext"])
        with self._key(str(figures["token"]), str(figures["object"])) as (master, how):
            return bytes(master.decrypt(ciphertext, **how(nonce)))

    @contextmanager
    def _key(self, token: str, label: str) -> Iterator[tuple[Any, Any]]:
        """The AES key in an open session, and what its mechanism is called with. Raises KEY_REFUSED."""
        try:
            import pkcs11  # noqa: PLC0415 - an optional part
        except ImportError:
            raise self._refused(Cause("请安装 muniment[hsm]", "install muniment[hsm]")) from None

        def how(nonce: bytes) -> dict[str, Any]:
            return {
                "mechanism": pkcs11.Mechanism.AES_GCM,
                "mechanism_param": pkcs11.GCMParams(nonce, aad=_CONTEXT),
            }

        try:
            found = pkcs11.lib(str(self.module)).get_token(token_label=token)
            with found.open(user_pin=self._pin()) as session:
                key = session.get_key(object_class=pkcs11.ObjectClass.SECRET_KEY, label=label)
                yield key, how
        except (pkcs11.PKCS11Error, RuntimeError) as error:  # RuntimeError: the module does not load
            raise self._refused(type(error).__name__) from None

    def _pin(self) -> str:
        try:
            return self.pin_source.read_text("utf-8").rstrip("\r\n")
        except OSError:
            raise MunimentError(Code.PATH_NOT_FOUND, path=str(self.pin_source)) from None

    def _refused(self, problem: str | Cause) -> MunimentError:
        return MunimentError(
            Code.KEY_REFUSED, service="PKCS#11", key=f"{self.token}/{self.label}", problem=problem
        )


def _attribute(text: str) -> tuple[str, str]:
    name, separator, value = text.partition("=")
    if not separator:
        raise Unfit(f"“{text}”不是 名称=值 的形式", f"{text!r} is not name=value")
    return unquote(name), unquote(value)
