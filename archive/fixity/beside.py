"""What lies beside vault and catalogue and opens them, or is kept there: whether it is still what it was.

A server that runs for months holds its keys in memory. The next start is a bad moment to learn that the file they came
from has decayed.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from archive.casefile.quarantining import FOLDER, Quarantine
from archive.description import NAME, place_of_archive, read_description
from archive.errors import Exit, MunimentError
from archive.fixity.report import Fault, Finding, Scope
from archive.journalling import Journalling
from archive.keys.keyring import Keyring


@dataclass(frozen=True, slots=True)
class Beside:
    home: Path
    keyring: Keyring
    journalling: Journalling
    quarantine: Quarantine

    def findings(self, scope: Scope) -> Iterator[Finding]:
        """The quarantine, which is read to its end, in a check of all."""
        if not self._opens_as_before():
            yield _damaged(Path(self.keyring.source).name)
        if not self._is_described():
            yield _damaged(NAME)
        journal = self.journalling.journal
        if journal.archive() is None or journal.read().torn or self.journalling.mended():
            yield _damaged(journal.path.name)
        if scope is Scope.ALL:
            yield from (
                _damaged(f"{FOLDER}/{number}") for number, path in self.quarantine.kept() if path is None
            )

    def _opens_as_before(self) -> bool:
        """True where a service that guards the key file does not answer: that is no damage."""
        if self.keyring.renew is None:
            return True
        try:
            return self.keyring.renew()[self.keyring.current] == self.keyring.keys[self.keyring.current]
        except KeyError:
            return False
        except MunimentError as error:
            return error.meaning.exit is not Exit.KEY

    def _is_described(self) -> bool:
        try:
            description = read_description(self.home)
            self.keyring.unwrap(description.wrapped, place_of_archive(description.archive))
        except MunimentError:
            return False
        return True


def _damaged(name: str) -> Finding:
    return Finding(Fault.BESIDE_DAMAGED, "", name)
