"""Sessions: who is signed in. A session ends after 30 minutes without a request, and after 12 hours in any
case.

Only the SHA-256 of a token is kept: a stolen catalogue opens no session, and a look-up by hash tells nothing
by its time. Sessions are no acts; signing in and out are.
"""

from base64 import urlsafe_b64encode
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Final

import sqlalchemy as sa

from access import tables
from access.person import COLUMNS, Person, person_of
from archive.database.catalogue import Catalogue
from archive.errors import MunimentError
from archive.keys.sealing import Randomness
from archive.ledger.acts import Act

IDLE: Final = timedelta(minutes=30)
LONGEST: Final = timedelta(hours=12)
_TOUCH: Final = timedelta(minutes=1)
_TOKEN_BYTES: Final = 32


@dataclass(frozen=True, slots=True)
class Sessions:
    catalogue: Catalogue
    randomness: Randomness

    def open(self, person: Person) -> str:
        """The token, 43 characters of base64url, for a person who has just been authenticated."""
        token = urlsafe_b64encode(self.randomness(_TOKEN_BYTES)).rstrip(b"=").decode()
        now = self.catalogue.clock()
        kept = tables.session.c
        with self.catalogue.housekeeping() as connection:
            connection.execute(
                tables.session.delete().where(
                    sa.or_(kept.seen_at < now - IDLE, kept.opened_at < now - LONGEST)
                )
            )
            connection.execute(
                tables.session.insert().values(
                    token=_digest(token), person=person.number, opened_at=now, seen_at=now
                )
            )
        return token

    def resume(self, token: str) -> Person | None:
        """Who is signed in with this token, as they are now; none when it ran out or they were disabled."""
        query = sa.select(*COLUMNS, tables.session.c.opened_at, tables.session.c.seen_at).join_from(
            tables.session, tables.person
        )
        with self.catalogue.reading() as connection:
            row = connection.execute(query.where(tables.session.c.token == _digest(token))).one_or_none()
        if row is None or row.disabled_at is not None:
            return None
        now = self.catalogue.clock()
        if now - row.seen_at >= IDLE or now - row.opened_at >= LONGEST:
            return None
        if now - row.seen_at >= _TOUCH:
            self._touch(token, now)
        return person_of(row)

    def close(self, token: str) -> None:
        """Signs out. A token that opens nothing is none of our business."""
        person = self.resume(token)
        if person is None:
            return
        with self.catalogue.unit(person.actor) as unit:
            unit.connection.execute(tables.session.delete().where(tables.session.c.token == _digest(token)))
            unit.record(Act.SIGNED_OUT, person.number)

    def _touch(self, token: str, now: datetime) -> None:
        update = tables.session.update().where(tables.session.c.token == _digest(token)).values(seen_at=now)
        # A full disk or a long transaction of somebody else must not sign anybody out.
        with suppress(MunimentError), self.catalogue.housekeeping() as connection:
            connection.execute(update)


def _digest(token: str) -> str:
    return sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
