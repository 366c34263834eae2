"""The one place that builds everything: settings in, a house out."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from secrets import token_bytes

from access.lookups import Lookups
from access.passwords import Passwords
from access.people import People
from access.requests import Requests
from access.sessions import Sessions
from access.viewing import Viewing
from archive.casefile.completing import Completing
from archive.casefile.filing import Filing
from archive.casefile.moving import Moving
from archive.casefile.reading import CaseFiles
from archive.casefile.recovering import recover
from archive.casefile.releasing import Releasing
from archive.casefile.voiding import Voiding
from archive.database.catalogue import Catalogue, Clock
from archive.errors import Code, MunimentError
from archive.evidence.sandbox import Limits, Sandbox
from archive.founding import Founded, found, is_founded, open_archive
from archive.keys.aws_kms import AwsKms
from archive.keys.keyfile import Guard, KeyFile
from archive.keys.keyring import Keyring
from archive.keys.passphrase import Passphrase
from archive.rotating import Rotating
from archive.scheme.scheme import Scheme, load_scheme
from archive.vault.placing import PlacedVault, Places
from indexer.following import Indexer
from indexer.whoosh_engine import WhooshEngine
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
    moving: Moving
    rotating: Rotating
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
        kept = key_file(settings, passphrase)
        if kept.path.exists():
            return kept.open()
        kept.path.parent.mkdir(parents=True, exist_ok=True)
        return kept.create(token_bytes)

    home = settings.home.absolute()
    place = Places(home).named(settings.vault or "")
    founded = found(home, keyring, now, token_bytes, place, settings.service)
    founded.catalogue.database.close()


@contextmanager
def opened(
    settings: Settings,
    passphrase: str | None = None,
    *,
    clock: Clock = now,
    passwords: Passwords | None = None,
) -> Iterator[House]:
    """The house, ready to use, closed at the end of the block; what a crash left behind is cleared first.

    Raises ARCHIVE_MISSING, ARCHIVE_DAMAGED, KEY_MISSING, KEY_PERMISSIONS, KEY_WRONG, KEY_GUARDED,
    KEY_REFUSED, KEY_UNREACHABLE, PASSPHRASE_WRONG, SCHEME_INVALID.
    """
    home = settings.home.absolute()
    if not is_founded(home):  # said before anything about its key
        raise MunimentError(Code.ARCHIVE_MISSING, home=str(home))
    scheme = load_scheme(settings.scheme)
    kept = key_file(settings, passphrase)
    keyring = kept.open()
    founded = open_archive(home, keyring, clock, token_bytes, settings.service)
    try:
        _check_place(settings, founded.vault)
        _recover(founded)
        with Sandbox(settings.workers, _limits(settings)) as sandbox:
            rotating = Rotating(home, founded.catalogue, keyring, kept, token_bytes)
            house = _build(settings, founded, scheme, sandbox, clock, passwords or Passwords(), rotating)
            try:
                yield house
            finally:
                house.index.stop()
    finally:
        founded.catalogue.database.close()


def _build(
    settings: Settings,
    founded: Founded,
    scheme: Scheme,
    sandbox: Sandbox,
    clock: Clock,
    passwords: Passwords,
    rotating: Rotating,
) -> House:
    catalogue, vault, zone = founded.catalogue, founded.vault, settings.zone
    case_files = CaseFiles(catalogue, founded.keyring, vault)
    filing = Filing(
        catalogue,
        founded.keyring,
        vault,
        sandbox,
        scheme,
        case_files,
        due_date=due_date,
        zone=zone,
        randomness=token_bytes,
    )
    holds = Holds(catalogue, case_files)
    requests = Requests(catalogue, case_files, scheme, zone)
    keepers = frozenset(each.strip() for each in settings.keepers.split(",") if each.strip())
    engine = WhooshEngine(settings.home.absolute() / "index", founded.index_key)
    return House(
        settings=settings,
        founded=founded,
        scheme=scheme,
        case_files=case_files,
        sandbox=sandbox,
        filing=filing,
        voiding=Voiding(catalogue, vault, sandbox, case_files, filing),
        completing=Completing(catalogue, case_files, zone),
        releasing=Releasing(catalogue, case_files, sandbox, zone, token_bytes),
        moving=Moving(catalogue, vault),
        rotating=rotating,
        index=Indexer(catalogue, case_files, engine),
        people=People(catalogue, passwords),
        sessions=Sessions(catalogue, token_bytes),
        requests=requests,
        viewing=Viewing(catalogue, case_files, sandbox, zone, keepers),
        lookups=Lookups(catalogue, case_files, zone),
        holds=holds,
        sweeps=Sweeps(catalogue, holds, scheme, zone=zone, in_use=requests.in_use),
        clock=clock,
    )


def _recover(founded: Founded) -> None:
    """What a crash left is in nobody's way, so a vault that does not answer stops no start: there is much to do
    without it, and each filing cleans up where it files.
    """
    try:
        recover(founded.catalogue, founded.vault)
    except MunimentError as error:
        if error.code not in (Code.VAULT_UNREACHABLE, Code.VAULT_REFUSED):
            raise
        logging.getLogger("muniment").warning("recovery waits for the vault: %s", error.code)


def _check_place(settings: Settings, vault: PlacedVault) -> None:
    """The catalogue says where the vault lies; a setting that says otherwise is out of date, or for another archive."""
    where, places = vault.where(), vault.places
    if settings.vault is not None and places.named(settings.vault) != where.place:
        problem = f"the vault lies in {places.shown(where.place)}; muniment vault move moves it"
        raise MunimentError(Code.SETTING_INVALID, key="vault", problem=problem)


def _limits(settings: Settings) -> Limits:
    return Limits(source_bytes=settings.evidence_limit_mb * 1_000_000, pages=settings.pages_limit)


def key_file(settings: Settings, passphrase: str | None = None) -> KeyFile:
    """Where the master keys are kept. It opens with the guard that it names and is written with the one that the
    settings name; a passphrase is kept as the guard of a file that no service or token guards.
    """
    asked = settings.guard
    secret = passphrase or _passphrase(settings)
    spoken = None if secret is None else Passphrase(secret)
    # KMS needs nothing of the settings to open, so that it can be left for another guard.
    openers: list[Guard] = [AwsKms(), *(each for each in (asked, spoken) if each is not None)]
    return KeyFile(settings.key_path, openers, asked or spoken)


def _passphrase(settings: Settings) -> str | None:
    """From the file that the settings name: never from the environment or the command line."""
    path = settings.passphrase_file
    if path is None:
        return None
    try:
        return path.read_text("utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError):
        raise MunimentError(Code.PATH_NOT_FOUND, path=str(path)) from None
