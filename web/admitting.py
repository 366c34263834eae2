"""Admission to the views: each declares who may come in, here and nowhere else.

A view that declares nothing lets nobody in. This opens the door of a page; what may be done behind it (whose
file, which step of which request) is decided again by the use case itself.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from access.permissions import Permission, may
from access.person import Person
from archive.errors import Code, MunimentError

View = TypeVar("View", bound=Callable[..., Any])
_MARK = "muniment_admission"
_FILES = "muniment_receives_files"


@dataclass(frozen=True, slots=True)
class Admission:
    """``permissions``: any one is enough; none with ``signed_in`` means everybody with an account."""

    signed_in: bool
    permissions: tuple[Permission, ...] = ()

    def check(self, person: Person | None) -> None:
        """Raises SIGN_IN_REQUIRED, ACCESS_DENIED."""
        if not self.signed_in:
            return
        if person is None:
            raise MunimentError(Code.SIGN_IN_REQUIRED)
        if self.permissions and not any(may(person, each) for each in self.permissions):
            raise MunimentError(Code.ACCESS_DENIED)


def admits(*permissions: Permission) -> Callable[[View], View]:
    """For who holds any of these; without any, for everybody who is signed in."""
    return _declare(Admission(signed_in=True, permissions=permissions))


def public(view: View) -> View:
    """For everybody, signed in or not."""
    return _declare(Admission(signed_in=False))(view)


def receives_files(view: View) -> View:
    """For a view that takes files; to any other nobody sends more than a form holds."""
    setattr(view, _FILES, True)
    return view


def takes_files(view: Callable[..., Any]) -> bool:
    return bool(getattr(view, _FILES, False))


def admission_of(view: Callable[..., Any]) -> Admission | None:
    """What the view declared; none when it declared nothing."""
    return getattr(view, _MARK, None)


def _declare(admission: Admission) -> Callable[[View], View]:
    def mark(view: View) -> View:
        setattr(view, _MARK, admission)
        return view

    return mark
