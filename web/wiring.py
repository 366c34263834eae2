"""The one place that builds everything: settings in, a house out."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from secrets import token_bytes

from access.lookups import Lookups
from access.passwords import Passwords
from access.people import People
from access.playing import Playing
from access.requests import Requests
from access.sessions import Sessions
from access.viewing import Viewing
from archive import founding
from archive.backup.places import Place
from archive.backup.rehearsing import Rehearsing
from archive.backup.restoring import Progress, Restored
from archive.backup.restoring import restore as restore_snapshot
from archive.backup.taking import Backups
from archive.casefile.amending import Amending
from archive.casefile.completing import Completing
from archive.casefile.converting import Converting
from archive.casefile.filing import Filing
from archive.casefile.moving import Moving
from archive.casefile.quarantining import FOLDER as QUARANTINE
from archive.casefile.quarantining import Quarantine
from archive.casefile.reading import CaseFiles
from archive.casefile.receiving import Receiving
from archive.casefile.recording import Recording
from archive.casefile.recovering import recover
from archive.casefile.releasing import Releasing
from archive.casefile.safeguarding import Safeguarding
from archive.casefile.voiding import Voiding
from archive.causes import Cause, Unfit
from archive.database.catalogue import Catalogue, Clock
from archive.description import described, read_description
from archive.errors import Code, MunimentError
from archive.evidence import transcribing
from archive.evidence.clamd import Clamd
from archive.evidence.limits import ATTACHED
from archive.evidence.sandbox import Limits, Sandbox
from archive.fixity.beside import Beside
from archive.fixity.checking import Fixity
from archive.fixity.repairing import Repairing
from archive.founding import Founded, found, is_founded, open_archive
from archive.journalling import Journalling
from archive.keys.journal import Kept, KeyJournal
from archive.keys.keyfile import KeyFile
from archive.keys.keyring import Keyring
from archive.ledger.entries import Actor
from archive.packages.exporting import Exporting
from archive.packages.importing import PackageImport
from archive.packages.tables import former_history
from archive.rebuild.rebuilding import Rebuilding, Rebuilt
from archive.rotating import Rotating
from archive.scheme.scheme import Scheme, load_scheme
from archive.vault.placing import PlacedVault, Places
from indexer.choosing import EngineName
from indexer.engine import SearchEngine
from indexer.fts5_engine import Fts5Engine
from indexer.index import Indexer
from indexer.query.conditions import Conditions
from indexer.recognising import Recognition
from indexer.saving import SavedSearches
from indexer.whoosh_engine import WhooshEngine
from retention.holds import Holds
from retention.packaging import exported, imported
from retention.protecting import Protecting
from retention.schedule import Schedule, due_date
from retention.selecting import Selecting
from retention.sweeping import Sweeps
from retention.tables import hold as hold_table
from web.backup_places import backup_place, copies
from web.settings import Settings
from web.unlocking import key_file

RECORDED = (former_history, hold_table)  # beside case files and documents, what a sealed record tells of


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
    quarantine: Quarantine
    converting: Converting
    completing: Completing
    releasing: Releasing
    recording: Recording
    amending: Amending
    journalling: Journalling
    safeguarding: Safeguarding
    moving: Moving
    rotating: Rotating
    fixity: Fixity
    repairing: Repairing | None  # none where no other copy is configured
    backups: Backups
    rehearsing: Rehearsing
    exporting: Exporting
    packages: PackageImport
    index: Indexer
    conditions: Conditions
    recognition: Recognition
    saved_searches: SavedSearches
    people: People
    sessions: Sessions
    requests: Requests
    viewing: Viewing
    playing: Playing
    lookups: Lookups
    holds: Holds
    sweeps: Sweeps
    protecting: Protecting
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

    home, journal = settings.home.absolute(), KeyJournal(settings.journal_path)
    if not is_founded(home) and journal.read() != Kept():
        raise MunimentError(Code.KEY_JOURNAL_OF_OTHER, path=str(journal.path))
    place = Places(home).named(settings.vault or "")
    founded = found(home, keyring, now, token_bytes, place, settings.service)
    try:
        Journalling(home, founded.catalogue, founded.keyring, journal).renew()
    finally:
        founded.catalogue.database.close()


@contextmanager
def opened(
    settings: Settings,
    passphrase: str | None = None,
    *,
    clock: Clock = now,
    passwords: Passwords | None = None,
    attached: int = ATTACHED,
) -> Iterator[House]:
    """The house, ready to use, closed at the end of the block; what a crash left behind is cleared first. A sound or
    film of more than ``attached`` bytes lies beside its PDF.

    Raises ARCHIVE_MISSING, ARCHIVE_DAMAGED, KEY_MISSING, KEY_PERMISSIONS, KEY_WRONG, KEY_GUARDED,
    KEY_REFUSED, KEY_UNREACHABLE, PASSPHRASE_WRONG, SCHEME_INVALID.
    """
    home = settings.home.absolute()
    read_description(home)  # what is wrong with it is said before anything about its key
    scheme = load_scheme(settings.scheme)
    kept = key_file(settings, passphrase)
    keyring = kept.open()
    founded = open_archive(home, keyring, clock, token_bytes, settings.service)
    try:
        journalling = Journalling(home, founded.catalogue, keyring, KeyJournal(settings.journal_path))
        journalling.begin()
        _check_place(settings, founded.vault)
        _settle(founded)
        with (
            Sandbox(settings.workers, _limits(settings, attached)) as sandbox,
            Sandbox(1, transcribing.LIMITS) as reading_room,
        ):
            house = _build(
                settings,
                founded,
                scheme,
                sandbox,
                reading_room,
                clock,
                passwords or Passwords(),
                kept,
                journalling,
            )
            try:
                yield house
            finally:
                house.recognition.stop(reading_room.close)
                house.index.stop()
    finally:
        founded.catalogue.database.close()


def restore(
    settings: Settings,
    source: Place,
    passphrase: str | None = None,
    *,
    snapshot: str | None = None,
    progress: Progress = lambda _done, _total: None,
) -> Restored:
    """An archive in the home folder from a backup. Raises as ``archive.backup.restoring.restore`` and the keyring."""
    home = settings.home.absolute()
    keyring = key_file(settings, passphrase).open()
    restored = restore_snapshot(source, keyring, home, token_bytes, snapshot=snapshot, progress=progress)
    founded = open_archive(home, keyring, now, token_bytes)
    try:  # on a new machine there is none, on the old one it may lack what was restored
        Journalling(home, founded.catalogue, keyring, KeyJournal(settings.journal_path)).renew()
    finally:
        founded.catalogue.database.close()
    return restored


def describe_again(settings: Settings, passphrase: str | None = None) -> bool:
    """Whether ``archive.json`` had to be made again, and was. Raises as ``opened``."""
    home, journal = settings.home.absolute(), KeyJournal(settings.journal_path)
    keyring = key_file(settings, passphrase).open()
    document = journal.read().archive
    kept = None if document is None else described(document)
    return founding.describe_again(home, keyring, kept, now, token_bytes, settings.service)


def rebuild(
    settings: Settings,
    passphrase: str | None = None,
    *,
    vault: str | None = None,
    progress: Callable[[int], None] = lambda _: None,
) -> Rebuilt:
    """The catalogue anew in the home folder. Raises as ``Rebuilding.rebuild`` and the keyring."""
    home = settings.home.absolute()
    try:
        place = Places(home, settings.service).named(vault or settings.vault or "")
    except Unfit as error:
        raise MunimentError(Code.SETTING_INVALID, key="vault", problem=error.cause) from None
    keyring = key_file(settings, passphrase).open()
    journal = KeyJournal(settings.journal_path)
    return Rebuilding(home, keyring, journal, now, token_bytes, RECORDED, place, settings.service).rebuild(
        progress
    )


def _build(
    settings: Settings,
    founded: Founded,
    scheme: Scheme,
    sandbox: Sandbox,
    reading_room: Sandbox,
    clock: Clock,
    passwords: Passwords,
    kept: KeyFile,
    journalling: Journalling,
) -> House:
    catalogue, vault, zone = founded.catalogue, founded.vault, settings.zone
    case_files = CaseFiles(catalogue, founded.keyring, vault)
    home = settings.home.absolute()
    quarantine = Quarantine(home / QUARANTINE, founded.quarantine_key, catalogue, token_bytes)
    recording = Recording(catalogue, RECORDED)
    schedule = Schedule(scheme, zone)
    protecting = Protecting(catalogue, case_files, vault, schedule)
    amending = Amending(catalogue, vault, case_files, recording, protecting.around)
    scanner = Clamd(settings.clamav) if settings.clamav else None
    filing = Filing(
        catalogue,
        founded.keyring,
        vault,
        Receiving(sandbox, quarantine, scanner),
        scheme,
        case_files,
        journalling,
        recording,
        due_date=due_date,
        zone=zone,
        randomness=token_bytes,
    )
    holds = Holds(amending)
    people = People(catalogue, passwords)
    requests = Requests(catalogue, case_files, scheme, zone)
    keepers = frozenset(each.strip() for each in settings.keepers.split(",") if each.strip())
    viewing = Viewing(catalogue, case_files, sandbox, zone, keepers)
    index = home / "index"
    backups = Backups(catalogue, vault, quarantine, founded.keyring, home, founded.catalogue_key, token_bytes)
    engines: dict[EngineName, SearchEngine] = {
        EngineName.WHOOSH: WhooshEngine(index / "whoosh", founded.index_key),
        EngineName.FTS5: Fts5Engine(catalogue, index / "fts5.lock"),
    }
    conditions = Conditions(scheme, zone, Selecting(schedule))
    return House(
        settings=settings,
        founded=founded,
        scheme=scheme,
        case_files=case_files,
        sandbox=sandbox,
        filing=filing,
        voiding=Voiding(amending, sandbox, filing),
        quarantine=quarantine,
        converting=Converting(amending, sandbox),
        completing=Completing(amending, zone),
        releasing=Releasing(catalogue, case_files, sandbox, zone, token_bytes),
        recording=recording,
        amending=amending,
        journalling=journalling,
        safeguarding=Safeguarding(amending, journalling),
        moving=Moving(catalogue, vault),
        rotating=Rotating(
            home,
            catalogue,
            founded.keyring,
            kept,
            token_bytes,
            journalling,
            _backing_up(settings, vault, backups),
        ),
        fixity=Fixity(
            catalogue,
            case_files,
            vault,
            sandbox,
            recording,
            settings.workers,
            Beside(home, founded.keyring, journalling, quarantine).findings,
            lambda: journalling.status().missing,
        ),
        repairing=_repairing(settings, founded, case_files, sandbox, recording),
        backups=backups,
        rehearsing=Rehearsing(
            catalogue,
            vault,
            founded.keyring,
            sandbox,
            recording,
            home.with_name(f".{home.name}.rehearsal"),
            token_bytes,
        ),
        exporting=Exporting(catalogue, case_files, vault, sandbox, exported(holds)),
        packages=PackageImport(
            catalogue,
            founded.keyring,
            vault,
            sandbox,
            scheme,
            journalling,
            recording,
            token_bytes,
            imported(holds),
            people.name,
        ),
        index=Indexer(catalogue, case_files, engines, conditions),
        conditions=conditions,
        recognition=Recognition(
            catalogue,
            case_files,
            reading_room,
            available=transcribing.is_available(),
            randomness=token_bytes,
        ),
        saved_searches=SavedSearches(catalogue, founded.index_key),
        people=people,
        sessions=Sessions(catalogue, token_bytes),
        requests=requests,
        viewing=viewing,
        playing=Playing(viewing, case_files, sandbox, clock),
        lookups=Lookups(catalogue, case_files, zone),
        holds=holds,
        sweeps=Sweeps(catalogue, holds, scheme, zone=zone, in_use=requests.in_use),
        protecting=protecting,
        clock=clock,
    )


def _settle(founded: Founded) -> None:
    """What a crash left is in nobody's way, so a vault that does not answer stops no start: there is much to do
    without it, and each filing cleans up where it files. One that cannot lock what it is to lock does. Raises
    VAULT_UNLOCKED.
    """
    try:
        founded.vault.check_protection()
        recover(founded.catalogue, founded.vault)
    except MunimentError as error:
        if error.code not in (Code.VAULT_UNREACHABLE, Code.VAULT_REFUSED):
            raise
        logging.getLogger("muniment").warning("recovery waits for the vault: %s", error.code)


def _check_place(settings: Settings, vault: PlacedVault) -> None:
    """The catalogue says where the vault lies; a setting that says otherwise is out of date, or for another archive."""
    where, places = vault.where(), vault.places
    if settings.vault is not None and places.named(settings.vault) != where.place:
        shown = places.shown(where.place)
        problem = Cause(
            f"库在 {shown}；迁移请用 muniment vault move",
            f"the vault lies in {shown}; muniment vault move moves it",
        )
        raise MunimentError(Code.SETTING_INVALID, key="vault", problem=problem)


def _repairing(
    settings: Settings, founded: Founded, case_files: CaseFiles, sandbox: Sandbox, recording: Recording
) -> Repairing | None:
    if settings.mirror is None:
        return None
    mirror = settings.mirror
    return Repairing(
        founded.catalogue,
        case_files,
        founded.vault,
        sandbox,
        recording,
        lambda: copies(mirror, settings, founded),
    )


def _backing_up(settings: Settings, vault: PlacedVault, backups: Backups) -> Callable[[Actor], None]:
    """Before an old master key is gone, the backup is one that the new key opens."""

    def back_up(actor: Actor) -> None:
        if settings.backup_to:
            backups.take(actor, backup_place(settings, vault, settings.backup_to, settings.backup_keys_to))

    return back_up


def _limits(settings: Settings, attached: int) -> Limits:
    return Limits(
        source_bytes=settings.evidence_limit_mb * 1_000_000,
        media_bytes=settings.media_limit_mb * 1_000_000,
        attached_bytes=attached,
        pages=settings.pages_limit,
    )
