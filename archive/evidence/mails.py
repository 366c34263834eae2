"""E-mail (RFC 5322, MIME) taken apart: who, when, what was said, and what was attached. Nothing is fetched."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from email import policy
from email.errors import MessageError
from email.headerregistry import HeaderRegistry, UnstructuredHeader
from email.message import EmailMessage, Message
from email.parser import BytesParser

from archive.errors import Code
from archive.evidence.attachments import MOST_LISTED, Attachment
from archive.evidence.decoding import decode
from archive.evidence.refusing import Refused

_FIELD = re.compile(rb"([A-Za-z][A-Za-z0-9-]{1,60}):[ \t]")
_TELLING = frozenset(
    b"from to cc subject date message-id received return-path mime-version delivered-to reply-to sender"
    b" content-type x-mailer dkim-signature x-originating-ip".split()
)
_LEAST_FIELDS = 3
_DEEPEST = 30  # parts within parts

# Addresses as written: the parser's own reading of broken ones raises, or loses what it does not understand.
_HEADERS = HeaderRegistry(default_class=UnstructuredHeader, use_default_map=False)
_POLICY = policy.EmailPolicy(header_factory=_HEADERS, max_line_length=None)


@dataclass(frozen=True, slots=True)
class Mail:
    """``html`` says whether ``body`` is markup; ``other`` is markup that came with a body that is none."""

    headers: tuple[tuple[str, str], ...]  # label in Chinese, value
    body: str
    html: bool
    attachments: tuple[Attachment, ...]  # no more than can be listed
    more: int = 0  # that are not among them
    other: str = ""


_SHOWN = (
    ("发件人", "from"),
    ("收件人", "to"),
    ("抄送", "cc"),
    ("密送", "bcc"),
    ("回复至", "reply-to"),
    ("日期", "date"),
    ("主题", "subject"),
)


def is_mail(head: bytes) -> bool:
    """Whether a file begins with the header of a mail: three telling fields before the first empty line."""
    lines = head.lstrip(b"\xef\xbb\xbf\r\n").replace(b"\r\n", b"\n").split(b"\n\n", 1)[0].split(b"\n")
    if lines and lines[0].startswith(b"From "):  # as mailbox files begin
        lines = lines[1:]
    names: set[bytes] = set()
    for number, line in enumerate(lines):
        if line[:1] in (b" ", b"\t") and number:
            continue
        field = _FIELD.match(line + b" ")
        if field is None:
            return False if number < len(lines) - 1 else len(names & _TELLING) >= _LEAST_FIELDS
        names.add(field[1].lower())
    return len(names & _TELLING) >= _LEAST_FIELDS


def parse(data: bytes) -> Mail:
    """:raises Refused: EVIDENCE_UNREADABLE, CONVERSION_TOO_LARGE (parts within parts without end)."""
    try:
        message: Message = BytesParser(_class=EmailMessage, policy=_POLICY).parsebytes(
            # What calls itself GB 2312 is read as its superset: mails from China mean that.
            re.sub(rb"(?i)=\?(?:gb2312|gbk)\?", b"=?gb18030?", data.lstrip(b"\xef\xbb\xbf\r\n"))
        )
        parts = list(_leaves(message, 0))
    except (MessageError, RecursionError, ValueError, LookupError, TypeError, IndexError) as fault:
        raise Refused(Code.EVIDENCE_UNREADABLE) from fault
    bodies = {kind: part for part in reversed(parts) if (kind := _as_body(part))}
    shown = bodies.get("text/plain")
    body = _text(shown) if shown is not None else ""
    other = _text(bodies["text/html"]) if "text/html" in bodies else ""
    html = not body.strip() and bool(other)
    if html:
        body, other = other, ""
    alternatives = set(map(id, bodies.values()))
    attached = [part for part in parts if id(part) not in alternatives]
    listed = tuple(_attachment(part) for part in attached[:MOST_LISTED])
    return Mail(
        tuple((label, said) for label, name in _SHOWN if (said := _said(message, name))),
        body,
        html,
        listed,
        len(attached) - len(listed),
        other,
    )


def _leaves(message: Message, depth: int) -> Iterator[Message]:
    """The parts that hold something; a mail attached to a mail is one part."""
    waiting = [(message, depth)]
    while waiting:
        part, level = waiting.pop()
        if level > _DEEPEST:
            raise Refused(Code.CONVERSION_TOO_LARGE)
        held = part.get_payload()
        if isinstance(held, list) and part.get_content_maintype() == "multipart":
            waiting += [(each, level + 1) for each in reversed(held) if isinstance(each, Message)]
        else:
            yield part


def _as_body(part: Message) -> str | None:
    kind = part.get_content_type()
    named = part.get_content_disposition() == "attachment" or part.get_filename()
    return None if named or kind not in ("text/plain", "text/html") else kind


def _payload(part: Message) -> bytes:
    held = part.get_payload()
    if isinstance(held, list):  # message/rfc822: the mail within
        return b"\n".join(each.as_bytes(policy=policy.compat32) for each in held if isinstance(each, Message))
    found = part.get_payload(decode=True)
    return found if isinstance(found, bytes) else str(held).encode("utf-8", "replace")


def _text(part: Message) -> str:
    """By the declared character set where it fits, else by what the bytes look like."""
    data = _payload(part)
    declared = str(part.get_content_charset() or "").lower()
    declared = "gb18030" if declared in ("gb2312", "gbk", "x-gbk") else declared
    try:
        return data.decode(declared or "utf-8").replace("\r\n", "\n")
    except (UnicodeDecodeError, LookupError, ValueError):
        found = decode(data)
        return found.content if found else data.decode("utf-8", "replace")


def _attachment(part: Message) -> Attachment:
    kind = part.get_content_type()
    name = _readable(str(part.get_filename() or ""))
    if not name:
        name = "转发的邮件" if kind == "message/rfc822" else "未命名"
    inline = part.get_content_disposition() != "attachment" and bool(part.get("content-id"))
    return Attachment(name[:200], _payload(part), inline)


def _said(message: Message, name: str) -> str:
    raw = [str(value) for each, value in message.raw_items() if each.lower() == name]
    return ", ".join(_readable(value) for value in raw)[:2000]


def _readable(value: str) -> str:
    """Bytes beyond ASCII stand as surrogates; in China they are mostly GBK, whatever the standard says."""
    if any("\udc80" <= letter <= "\udcff" for letter in value):
        found = decode(value.encode("utf-8", "surrogateescape"))
        value = found.content if found else value.encode("utf-8", "replace").decode()
    unfolded = re.sub(r"\r?\n(?=[ \t])", "", value)
    said = str(_HEADERS("subject", unfolded)) if "=?" in unfolded else unfolded
    return " ".join(said.encode("utf-8", "replace").decode().split())
