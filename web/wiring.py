"""The one place that builds everything: settings in, a house out."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from secrets import token_bytes

from access.lookups import Lookups
from access.passwords import Passwords
from access.people import People
from access.requests import Requests
from access.sessions import Sessions
from access.viewing import Viewing
from archive.casefile.completing import Completing
from archive.casefile.filing import Filing
from archive.casefile.reading import CaseFiles
from archive.casefile.recovering import recover
from archive.casefile.releasing import Releasing
from archive.casefile.voiding import Voiding
from archive.database.catalogue import Catalogue, Clock
from archive.errors import Code, MunimentError
from archive.evidence.sandbox import Limits, Sandbox
from archive.founding import Founded, found, open_archive
from archive.keys.keyring import Keyring, create_key_file, open_key_file
from archive.scheme.scheme import Scheme, load_scheme
from indexer.following import Indexer
from retention.holds import Holds
from retention.schedule import due_date
from retention.sweeping import Sweeps
from web.settings import Settings


@dataclass(frozen=True, slots=True)
class House:
    """Everything a page or a command needs, ready to use."""

    settings: Settings
    founded: Founded
    scheme: Scheme
    case_files: CaseFiles
    sandbox: Sandbox
    filing: Filing
    voiding: Voiding
    completing: Completing
    releasing: Releasing
    index: Indexer
    people: People
    sessions: Sessions
    requests: Requests
    viewing: Viewing
    lookups: Lookups
    holds: Holds
    sweeps: Sweeps
    clock: Clock

    @property
    def catalogue(self) -> Catalogue:
        return self.founded.catalogue


def now() -> datetime:
    return datetime.now(UTC)


def init(settings: Settings, passphrase: str | None = None) -> None:
    """Makes the archive, and its key file when there is none yet. Raises ARCHIVE_EXISTS."""

    def keyring() -> Keyring:
        path = settings.key_path
        if path.exists():
            return open_key_file(path, passphrase or _passphrase(settings))
        path.parent.mkdir(parents=True, exist_ok=True)
        return create_key_file(path, token_bytes, passphrase)

    founded = found(settings.home.absolute(), keyring, now, token_bytes)
    founded.catalogue.database.close()
