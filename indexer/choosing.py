"""Which engine is asked, kept in the catalogue: a change takes effect in every process at once."""

from collections.abc import Mapping
from enum import StrEnum

import sqlalchemy as sa

from archive.database.catalogue import Catalogue
from indexer.engine import SearchEngine
from indexer.tables import index_engine


class EngineName(StrEnum):
    FTS5 = "fts5"
    WHOOSH = "whoosh"


class Role(StrEnum):
    CHOSEN = "chosen"
    COMING = "coming"  # built beside the chosen one, to be chosen when it is level with it
    RESTING = "resting"


class Engines:
    """All there are; the first is the one that is asked until another is chosen."""

    def __init__(self, catalogue: Catalogue, engines: Mapping[EngineName, SearchEngine]) -> None:
        self._catalogue = catalogue
        self._engines = engines

    def __getitem__(self, name: EngineName) -> SearchEngine:
        return self._engines[name]

    def chosen(self) -> EngineName:
        return self._in(Role.CHOSEN) or next(iter(self._engines))

    def coming(self) -> EngineName | None:
        return self._in(Role.COMING)

    def wanted(self, name: EngineName) -> bool:
        """Another process may have chosen another since."""
        return name in (self.chosen(), self.coming())

    def resting(self) -> list[EngineName]:
        busy = (self.chosen(), self.coming())
        return [each for each in self._engines if each not in busy]

    def announce(self, coming: EngineName) -> None:
        """From now on it is being built; whoever is interrupted goes on with it."""
        chosen = self.chosen()
        with self._catalogue.housekeeping() as connection:
            for name in self._engines:
                role = {chosen: Role.CHOSEN, coming: Role.COMING}.get(name, Role.RESTING)
                self._put(connection, name, role=role)

    def choose(self, connection: sa.Connection, name: EngineName) -> None:
        for each in self._engines:
            self._put(connection, each, role=Role.CHOSEN if each is name else Role.RESTING)

    def seen(self, name: EngineName) -> int:
        """The highest generation of the engine that was noted."""
        query = sa.select(index_engine.c.generation).where(index_engine.c.name == name)
        with self._catalogue.reading() as connection:
            return int(connection.execute(query).scalar() or 0)

    def note(self, name: EngineName, generation: int) -> None:
        """The highest stays: an index that was begun anew must not make room for a copy of what was before."""
        if generation > self.seen(name):
            with self._catalogue.housekeeping() as connection:
                self._put(connection, name, generation=generation, fault=None)

    def fault(self, name: EngineName) -> int | None:
        """The errno of what keeps the engine from being written."""
        query = sa.select(index_engine.c.fault).where(index_engine.c.name == name)
        with self._catalogue.reading() as connection:
            return connection.execute(query).scalar()

    def fail(self, name: EngineName, fault: int) -> None:
        if fault != self.fault(name):
            with self._catalogue.housekeeping() as connection:
                self._put(connection, name, fault=fault)

    def _in(self, role: Role) -> EngineName | None:
        query = sa.select(index_engine.c.name).where(index_engine.c.role == role)
        with self._catalogue.reading() as connection:
            name = connection.execute(query).scalar()
        return None if name is None else EngineName(name)

    def _put(self, connection: sa.Connection, name: EngineName, **values: object) -> None:
        if connection.execute(
            index_engine.update().where(index_engine.c.name == name).values(**values)
        ).rowcount:
            return
        first = Role.CHOSEN if name is next(iter(self._engines)) else Role.RESTING
        connection.execute(
            index_engine.insert().values(**{"name": name, "role": first, "generation": 0, **values})
        )
