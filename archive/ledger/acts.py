"""Every kind of act that the ledger records."""

from enum import StrEnum


class Act(StrEnum):
    ARCHIVE_CREATED = "archive-created"
    COMPLETED = "completed"
    DAMAGE_FOUND = "damage-found"
    FILED = "filed"
    HELD = "held"
    HOLD_LIFTED = "hold-lifted"
    INDEX_REBUILT = "index-rebuilt"
    LEDGER_VERIFIED = "ledger-verified"
    PASSWORD_CHANGED = "password-changed"  # noqa: S105 - the name of an act
    PERSON_ADDED = "person-added"
    PERSON_DISABLED = "person-disabled"
    RELEASED = "released"
    REQUEST_APPROVED = "request-approved"
    REQUEST_CLOSED = "request-closed"
    REQUEST_MADE = "request-made"
    REQUEST_PROVIDED = "request-provided"
    REQUEST_RECALLED = "request-recalled"
    REQUEST_REFUSED = "request-refused"
    REQUEST_SIGNED_OFF = "request-signed-off"
    REQUEST_WITHDRAWN = "request-withdrawn"
    SEARCHED = "searched"
    SIGNED_IN = "signed-in"
    SIGNED_OUT = "signed-out"
    SIGN_IN_REFUSED = "sign-in-refused"
    SWEPT = "swept"
    TEXT_READ = "text-read"  # in the pictures of a document
    VIEWED = "viewed"
    VIEW_REFUSED = "view-refused"
    VOIDED = "voided"
