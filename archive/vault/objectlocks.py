"""The locks of objects in a bucket (S3 Object Lock): looked at, made longer, and never shorter."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from archive.errors import Code, MunimentError
from archive.vault.connection import Connection, status
from archive.vault.protection import Locking, LockMode, Protection


class ObjectLocks:
    """Where the service's settings want none, nothing here is asked but whether they are ``on``."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    @property
    def on(self) -> bool:
        return self._connection.service.locking is not None

    def check(self) -> None:
        """Raises VAULT_UNLOCKED where objects are to be locked and the bucket was not made for that."""
        from botocore.exceptions import ClientError  # noqa: PLC0415

        if not self.on:
            return
        with self._connection.told():
            try:
                found = self._connection.client.get_object_lock_configuration(Bucket=self._connection.name)
            except ClientError as error:
                if error.response["Error"]["Code"] != "ObjectLockConfigurationNotFoundError":
                    raise
                found = {}
        if found.get("ObjectLockConfiguration", {}).get("ObjectLockEnabled") != "Enabled":
            raise MunimentError(Code.VAULT_UNLOCKED, place=self._connection.place)

    def protection(self, key: str) -> Protection | None:
        """How the object is locked; none where there is none."""
        head = self._head(key)
        return None if head is None else self._protection(head)

    def _head(self, key: str) -> Mapping[str, Any] | None:
        try:
            with self._connection.told(key):
                head: Mapping[str, Any] = self._connection.client.head_object(**self._connection.at(key))
        except MunimentError as error:
            if error.code is Code.DOCUMENT_MISSING:
                return None
            raise
        return head

    def _protection(self, head: Mapping[str, Any], *, weakly: bool = False) -> Protection:
        """A lock of the weaker mode is none, unless ``weakly``: it is set anew in the mode that is wanted now."""
        strong = weakly or head.get("ObjectLockMode") in (self._mode, LockMode.COMPLIANCE.name)
        held = head.get("ObjectLockLegalHoldStatus") == "ON"
        return Protection(head.get("ObjectLockRetainUntilDate") if strong else None, held)

    def protect(self, key: str, wanted: Protection) -> None:
        """Locks what is there longer where that is wanted, never shorter; the hold is as it is wanted."""
        head = self._head(key)
        if head is None:
            return
        there = self._protection(head)
        where = self._connection.at(key)
        with self._connection.told():
            if self._falls_short(there, wanted):
                self._lock_longer(where, head, wanted.until)
            if there.held != wanted.held:
                hold = {"Status": "ON" if wanted.held else "OFF"}
                self._connection.client.put_object_legal_hold(**where, LegalHold=hold)

    def _lock_longer(self, where: Mapping[str, str], head: Mapping[str, Any], until: datetime | None) -> None:
        """In the mode that is wanted. The stronger one stays where it is; where the weaker one may not become it, that
        is made longer: ``protects`` goes on to say no, but no hold is refused for it.

        Services let a weaker lock become a stronger one before it is over only to those who may take it away, and who
        say that they mean to; with that right it could be shortened as well.
        """
        from botocore.exceptions import ClientError  # noqa: PLC0415

        def lock(mode: str, until: datetime | None, **more: bool) -> bool:
            try:
                wanted = {"Mode": mode, "RetainUntilDate": until}
                self._connection.client.put_object_retention(**where, Retention=wanted, **more)
            except ClientError as error:
                if (
                    mode == there or there != LockMode.GOVERNANCE.name or status(error) >= 500
                ):  # no mere refusal
                    raise
                return False
            return True

        there, ends = head.get("ObjectLockMode"), head.get("ObjectLockRetainUntilDate")
        if there != LockMode.GOVERNANCE.name or there == self._mode:
            lock(LockMode.COMPLIANCE.name if there == LockMode.COMPLIANCE.name else self._mode, until)
            return
        longest = max((each for each in (until, ends) if each is not None), default=None)
        done = lock(self._mode, longest) or lock(self._mode, longest, BypassGovernanceRetention=True)
        if not done and (ends is None or (longest is not None and ends < longest)):
            lock(there, longest)

    def protects(self, key: str, wanted: Protection, *, weakly: bool = False) -> bool:
        head = self._head(key)
        if head is None:
            return False
        there = self._protection(head, weakly=weakly)
        return there.held == wanted.held and not self._falls_short(there, wanted)

    def _falls_short(self, there: Protection, wanted: Protection) -> bool:
        """What is over needs no lock any more. Services keep whole seconds."""
        if wanted.until is None or wanted.until <= self._locking.clock():
            return False
        return there.until is None or there.until < wanted.until.replace(microsecond=0)

    @property
    def _locking(self) -> Locking:
        if self._connection.service.locking is None:
            raise ValueError("nothing is locked here")
        return self._connection.service.locking

    @property
    def _mode(self) -> str:
        return self._locking.mode.name

    def of_put(self, like: Protection | None) -> dict[str, object]:
        """How an object is locked as it is put: as ``like``, else for the short time."""
        if not self.on:
            return {}
        until = self._locking.first
        if like is not None and like.until is not None:
            until = max(until, like.until)
        held = {"ObjectLockLegalHoldStatus": "ON"} if like is not None and like.held else {}
        return {"ObjectLockMode": self._mode, "ObjectLockRetainUntilDate": until, **held}
