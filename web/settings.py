"""All settings: one frozen, typed object, built once from the environment and ``settings.toml`` in the home folder.

The environment wins: ``MUNIMENT_PORT=9000`` sets ``port``. An unknown key stops the start and names the nearest one.
"""

import difflib
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, get_type_hints
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from archive.backup.places import check_apart, named_place
from archive.causes import Cause, Unfit, no_toml
from archive.errors import Code, MunimentError
from archive.keys import aws_kms, pkcs11
from archive.keys.aws_kms import AwsKms
from archive.keys.keyfile import PLAIN, Guard
from archive.keys.pkcs11 import Pkcs11
from archive.vault.connection import SCHEME, Service
from archive.vault.placing import Places
from archive.vault.protection import Locking, LockMode

PREFIX = "MUNIMENT_"
_HOME = Path("var")
# Read by the tests and by tools that start Muniment, not by Muniment itself.
_FOREIGN = frozenset({"MUNIMENT_CORPUS", "MUNIMENT_AXE"})


@dataclass(frozen=True, slots=True)
class Settings:
    """Documented one by one in docs/operations.md."""

    home: Path = _HOME
    key_file: Path | None = None  # default: <home>.key, beside the home folder
    key_journal: Path | None = None  # default: <home>.keys, beside the key file
    passphrase_file: Path | None = None  # holds the key file's passphrase, if it has one
    master_key: str = (
        "file"  # what guards the key file: file (or a passphrase), aws-kms://KEY, pkcs11:token=…
    )
    scheme: Path | None = None  # a scheme.toml of one's own
    vault: str | None = None  # s3://bucket/prefix or a folder; default: <home>/vault
    s3_endpoint: str | None = None  # of an S3 that is not Amazon's: https://s3.example.org
    s3_region: str | None = None
    s3_credentials: Path | None = None  # an AWS credentials file; default: where AWS tools look
    s3_object_lock: str = "off"  # or governance, compliance: whether objects of the vault are locked
    s3_object_lock_days: int = 7  # for which each is locked when it is put
    host: str = "127.0.0.1"
    port: int = 8000
    timezone: str = "Asia/Shanghai"
    workers: int = 2  # conversion processes
    threads: int = 8  # of the web server
    evidence_limit_mb: int = 100  # a file
    media_limit_mb: int = 4096  # a sound or film
    upload_limit_mb: int = 4096  # a request
    pages_limit: int = 2000  # a document
    clamav: str = ""  # host:port or the path of clamd's socket; empty scans nothing
    keepers: str = "客服部"  # departments, comma-separated, that know every file's catalogue entry
    backup_to: str = ""  # a folder or s3://bucket/prefix; empty: none is taken by the server
    backup_keys_to: str = ""  # another for the wrapped keys; empty: within a folder, beside a bucket
    backup_s3_endpoint: str | None = (
        None  # where backups lie on another S3 than the vault, or under other credentials
    )
    backup_s3_region: str | None = None
    backup_s3_credentials: Path | None = None
    backup_hour: int = 2  # of the day, in the time zone
    fixity_hour: int = 3  # from which the day's sample and the quarter's check are due
    fixity_rate: int = 20  # MB/s that the server's own checks read
    mirror: str | None = None  # another copy of the vault, or a backup, to repair from
    backup_keep: int = 30  # snapshots
    secure_cookies: bool = False  # set it where the server is reached over https

    @property
    def key_path(self) -> Path:
        home = self.home.absolute()
        return self.key_file or home.with_name(home.name + ".key")

    @property
    def journal_path(self) -> Path:
        return self.key_journal or self.key_path.with_name(f"{self.home.absolute().name}.keys")

    @property
    def service(self) -> Service:
        mode = LockMode(self.s3_object_lock)
        locking = None if mode is LockMode.OFF else Locking(mode, self.s3_object_lock_days)
        return Service(self.s3_endpoint, self.s3_region, self.s3_credentials, locking=locking)

    @property
    def backup_service(self) -> Service:
        """Where backups lie; what is not said of it is as for the vault."""
        vault = self.service
        return Service(
            self.backup_s3_endpoint or vault.endpoint,
            self.backup_s3_region or vault.region,
            self.backup_s3_credentials or vault.credentials,
        )

    @property
    def guard(self) -> Guard | None:
        """What ``master_key`` names besides the plain file. Raises Unfit."""
        if self.master_key == PLAIN:
            return None
        for scheme, parse in ((aws_kms.SCHEME, AwsKms.parse), (pkcs11.SCHEME, Pkcs11.parse)):
            if self.master_key.startswith(scheme):
                return parse(self.master_key)
        raise Unfit(
            f"“{self.master_key}”不是 {PLAIN}、{aws_kms.SCHEME}… 或 {pkcs11.SCHEME}…",
            f"{self.master_key!r} is not {PLAIN}, {aws_kms.SCHEME}… or {pkcs11.SCHEME}…",
        )

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)


_TYPES: Mapping[str, Any] = get_type_hints(Settings)
KEYS = tuple(each.name for each in fields(Settings))


def load_settings(environment: Mapping[str, str], *, home: Path | None = None) -> Settings:
    """``home`` (the command line's --home) wins over MUNIMENT_HOME. Raises SETTING_UNKNOWN, SETTING_INVALID."""
    given: dict[str, object] = {}
    for name, value in environment.items():
        if name.startswith(PREFIX) and name not in _FOREIGN:
            given[_known(name.removeprefix(PREFIX).lower(), name)] = value
    if home is not None:
        given["home"] = home
    folder = Path(str(_typed("home", given.get("home", _HOME)) or ""))
    merged = {**_from_file(folder / "settings.toml"), **given}
    values: dict[str, Any] = {key: _typed(key, value) for key, value in merged.items()}
    if values.get("home", _HOME) is None:
        raise _invalid("home", "没有指明目录", "it names no folder")
    settings = Settings(**values)
    check(settings)
    return settings


def _invalid(key: str, zh: str, en: str) -> MunimentError:
    return MunimentError(Code.SETTING_INVALID, key=key, problem=Cause(zh, en))


def _from_file(path: Path) -> dict[str, object]:
    try:
        document = tomllib.loads(path.read_text("utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise MunimentError(Code.SETTING_INVALID, key=path.name, problem=no_toml(error)) from None
    if "home" in document:
        raise _invalid("home", "不能写在档案库目录自己的设置里", "it cannot be set inside the home folder")
    return {_known(key, key): value for key, value in document.items()}


def _known(key: str, shown: str) -> str:
    if key in KEYS:
        return key
    nearest = difflib.get_close_matches(key, KEYS, n=1, cutoff=0)[0]
    if shown.startswith(PREFIX):
        nearest = PREFIX + nearest.upper()
    raise MunimentError(Code.SETTING_UNKNOWN, key=shown, nearest=nearest)


def _typed(key: str, value: object) -> object:
    wanted = _TYPES[key]
    if "\0" in str(value):  # no path may hold it
        raise _invalid(key, "含有零字节", "it holds a zero byte")
    try:
        if wanted is bool:
            return {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}[
                str(value).lower()
            ]
        if wanted is int:
            return int(str(value))
        if wanted is str:
            return str(value)
        if wanted == (str | None):
            return str(value) or None
        return Path(str(value)) if str(value) else None
    except (KeyError, ValueError):
        if wanted is bool:
            error = _invalid(key, f"“{value}”不是 true 或 false", f"{value!r} is neither true nor false")
        else:
            error = _invalid(key, f"“{value}”不是整数", f"{value!r} is no whole number")
        raise error from None


def check(settings: Settings) -> None:
    """Raises MunimentError(SETTING_INVALID)."""
    for key, lowest, highest in (
        ("port", 0, 65535),
        ("workers", 1, 64),
        ("threads", 1, 256),
        ("evidence_limit_mb", 1, 2000),
        ("media_limit_mb", 1, 1_000_000),
        ("upload_limit_mb", 1, 20000),
        ("pages_limit", 1, 100_000),
        ("backup_hour", 0, 23),
        ("fixity_hour", 0, 23),
        ("fixity_rate", 1, 100_000),
        ("backup_keep", 1, 10_000),
        ("s3_object_lock_days", 2, 365),  # the watch, which extends locks, comes once a day
    ):
        value = getattr(settings, key)
        if not lowest <= value <= highest:
            raise _invalid(
                key,
                f"{value} 不在 {lowest} 至 {highest} 之间",
                f"{value} is not between {lowest} and {highest}",
            )
    _check_key(settings)
    check_vault(settings)
    _check_backup(settings)
    if settings.clamav and not re.fullmatch(r"/.+|.+:\d{1,5}", settings.clamav):
        raise _invalid(
            "clamav",
            f"“{settings.clamav}”既不是 主机:端口，也不是套接字的路径",
            f"{settings.clamav!r} is neither host:port nor the path of a socket",
        )
    try:
        ZoneInfo(settings.timezone)
    except (ZoneInfoNotFoundError, ValueError):
        raise _invalid(
            "timezone", f"没有时区“{settings.timezone}”", f"{settings.timezone!r} is no time zone"
        ) from None


def _check_key(settings: Settings) -> None:
    """The key never lies with what it opens: whoever takes the one must not have the other."""
    for key, path in (
        ("key_file", settings.key_path),
        ("passphrase_file", settings.passphrase_file),
        ("key_journal", settings.journal_path),
    ):
        if path is not None and path.resolve().is_relative_to(settings.home.resolve()):
            where = settings.home.absolute()
            raise _invalid(
                key,
                f"必须放在 {where} 之外，否则二者会一并失窃",
                f"it must lie outside of {where}: whoever takes that would have both",
            )
    try:
        _ = settings.guard
    except Unfit as error:
        raise MunimentError(Code.SETTING_INVALID, key="master_key", problem=error.cause) from None


def check_vault(settings: Settings) -> None:
    """Raises SETTING_INVALID where ``vault`` is no place for one."""
    try:
        place = Places(settings.home.absolute()).named(settings.vault or "")
    except Unfit as error:
        raise MunimentError(Code.SETTING_INVALID, key="vault", problem=error.cause) from None
    if place and not place.startswith(SCHEME):
        for key, path in (("key_file", settings.key_path), ("key_journal", settings.journal_path)):
            if path.resolve().is_relative_to(Path(place).resolve()):
                raise _invalid(
                    key,
                    f"{path} 在库内，与它所打开的内容在一起",
                    f"{path} lies inside the vault, with what it opens",
                )
    if settings.s3_object_lock not in list(LockMode):
        known = ", ".join(LockMode)
        raise _invalid(
            "s3_object_lock",
            f"“{settings.s3_object_lock}”不是 {known} 之一",
            f"{settings.s3_object_lock!r} is not one of {known}",
        )
    check_apart(settings.backup_to, settings.backup_keys_to, [settings.vault or ""])
    for key in ("s3_endpoint", "backup_s3_endpoint"):
        endpoint = getattr(settings, key)
        if endpoint is not None and not endpoint.startswith(("https://", "http://")):
            raise _invalid(
                key, f"“{endpoint}”不以 https:// 开头", f"{endpoint!r} does not begin with https://"
            )


def _check_backup(settings: Settings) -> None:
    """Raises SETTING_INVALID, BACKUP_KEYS_TOGETHER."""
    home, key = settings.home.absolute(), "backup_to"
    try:
        if settings.backup_to:
            named_place(settings.backup_to, settings.backup_keys_to, settings.backup_service, home)
        key = "mirror"
        if settings.mirror is not None:
            named_place(settings.mirror, str(home), settings.backup_service, home)
    except Unfit as error:
        raise MunimentError(Code.SETTING_INVALID, key=key, problem=error.cause) from None
