"""Appending to the ledger, inside the transaction of the act, and reading it back.

One batch of entries ends with one checkpoint: a signed note over size and root (C2SP tlog-checkpoint). Whoever keeps
a checkpoint can prove later that nothing before it was altered.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from archive.keys.filekey import CaseFileId, FileKey
from archive.keys.sealing import BoxError, Randomness, seal, unseal
from archive.ledger import tables
from archive.ledger.acts import Act
from archive.ledger.entries import Actor, Detail, Record, detail_bytes, leaf, read_detail, salted_hash
from archive.ledger.merkle import Frontier, Hash, leaf_hash
from archive.ledger.notes import Checkpoint, Verifier, sign

DetailKey = Callable[[CaseFileId], FileKey | None]  # none: the key was shredded


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry as it is read back; ``detail`` is none when there was none or it was shredded or is not asked for."""

    position: int
    at: datetime
    actor: Actor
    act: Act
    subject: str
    detail: Detail | None


@dataclass(frozen=True, slots=True, repr=False)
class Ledger:
    """The log of one archive. ``origin`` names it in checkpoints: ``muniment/<archive id>``."""

    origin: str
    signing_key: Ed25519PrivateKey
    detail_key: bytes  # seals the details that belong to no case file
    randomness: Randomness

    @property
    def verifier(self) -> Verifier:
        return Verifier.of(self.origin, self.signing_key)

    def append(self, connection: sa.Connection, records: Sequence[Record], actor: Actor, at: datetime) -> int:
        """Adds the records and one checkpoint; how many entries there are now. The caller's transaction holds the
        write lock and commits.
        """
        frontier = read_frontier(connection)
        entries, details, nodes = [], [], []
        for record in records:
            opened = None
            if record.detail is not None:
                opened = detail_bytes(record.detail, self.randomness(32))
                details.append(self._sealed(frontier.size, record, opened))
            text = leaf(frontier.size, at, actor, record, None if opened is None else salted_hash(opened))
            entries.append({"position": frontier.size, "leaf": text.decode()})
            frontier, complete = frontier.append(leaf_hash(text))
            nodes += [{"level": n.level, "position": n.index, "hash": n.hash} for n in complete]
        connection.execute(tables.entry.insert(), entries)
        if details:
            connection.execute(tables.detail.insert(), details)
        connection.execute(tables.node.insert(), nodes)
        note = sign(Checkpoint(self.origin, frontier.size, frontier.root()), self.origin, self.signing_key)
        connection.execute(tables.checkpoint.insert().values(size=frontier.size, note=note))
        return frontier.size

    def _sealed(self, position: int, record: Record, opened: bytes) -> dict[str, object]:
        if record.key is None:
            box, owner = seal(self.detail_key, opened, f"ledger:{position}"), None
        else:
            box, owner = record.key.seal(opened, f"ledger:{position}"), record.key.case_file
        return {"position": position, "case_file": owner, "box": box}

    def open_detail(
        self, position: int, case_file: str | None, box: bytes, file_key: DetailKey
    ) -> bytes | None:
        """Salt and canonical detail; none when its key was shredded. Raises BoxError."""
        if case_file is None:
            return unseal(self.detail_key, box, f"ledger:{position}")
        key = file_key(CaseFileId(case_file))
        return None if key is None else key.unseal(box, f"ledger:{position}")


def size(connection: sa.Connection) -> int:
    highest = connection.execute(sa.select(sa.func.max(tables.entry.c.position))).scalar()
    return 0 if highest is None else int(highest) + 1


def read_node(connection: sa.Connection) -> Callable[[int, int], Hash]:
    def node(level: int, index: int) -> Hash:
        query = sa.select(tables.node.c.hash).where(
            tables.node.c.level == level, tables.node.c.position == index
        )
        return Hash(connection.execute(query).scalar_one())

    return node


def read_frontier(connection: sa.Connection) -> Frontier:
    return Frontier.read(size(connection), read_node(connection))


def latest_checkpoint(connection: sa.Connection) -> str | None:
    """The newest signed note."""
    query = sa.select(tables.checkpoint.c.note).order_by(tables.checkpoint.c.size.desc()).limit(1)
    return connection.execute(query).scalar()


def follow(connection: sa.Connection, after: int, limit: int = 1000) -> list[Entry]:
    """The entries from position ``after`` on, without details: what the index and reports follow."""
    query = (
        sa.select(tables.entry)
        .where(tables.entry.c.position >= after)
        .order_by(tables.entry.c.position)
        .limit(limit)
    )
    return [_entry(row, None) for row in connection.execute(query)]


def entries(
    connection: sa.Connection, ledger: Ledger, where: sa.Select[tuple[int]], file_key: DetailKey
) -> Iterator[Entry]:
    """The entries whose positions ``where`` selects, in its order, with their details opened."""
    for (position,) in connection.execute(where).all():
        row = connection.execute(
            sa.select(tables.entry, tables.detail.c.case_file, tables.detail.c.box)
            .outerjoin(tables.detail, tables.detail.c.position == tables.entry.c.position)
            .where(tables.entry.c.position == position)
        ).one()
        opened = None
        if row.box is not None:
            try:
                opened = ledger.open_detail(row.position, row.case_file, row.box, file_key)
            except BoxError:
                opened = None  # verification names it; a register must still be readable
        yield _entry(row, None if opened is None else read_detail(opened))


def _entry(row: sa.Row[tuple[object, ...]], detail: dict[str, object] | None) -> Entry:
    return Entry(row.position, row.at, Actor(row.actor), Act(row.act), row.subject, detail)  # type: ignore[arg-type]
