"""The pages as a Flask application, built over a house."""

from functools import cache, partial
from hashlib import sha256
from pathlib import Path

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from flask import Flask, current_app, request, url_for
from flask_wtf import CSRFProtect
from werkzeug.routing import IntegerConverter

from archive.errors import Code, MunimentError, say_kept
from archive.fixity.report import Fault
from web.admitting import admission_of, takes_files
from web.answering import LongAnswers
from web.asking import Asking
from web.auditing import FixityCheck, Mending, Verification
from web.kinds import kind_said
from web.navigation import navigation
from web.pages import BLUEPRINTS
from web.pages.casefiles import Handover
from web.refusing import refuse_with_pages
from web.securing import Cookie, FormCookie, secure_response
from web.uploading import FORM, SealedRequest
from web.visit import begin_visit, visit
from web.wiring import House

_HALF_DAY = 12 * 3600
_MOST_PARTS = 250  # fields and files of a form; each file holds a descriptor, of which a process has 1024


class Number(IntegerConverter):
    """No number in an address is longer than the database and the ledger can say (RFC 8785, 3.2.2.3)."""

    regex = r"\d{1,15}"


class MunimentFlask(Flask):
    """Flask with uploads that never touch the disk in plain and a form cookie of the strictest kind."""

    request_class = SealedRequest
    session_interface = FormCookie()


def create_app(house: House) -> Flask:
    """The application over ``house``; several threads may serve it."""
    app = MunimentFlask("web", static_folder="static", template_folder="templates")
    app.url_map.converters["int"] = Number
    app.extensions["muniment"] = house
    app.secret_key = _form_secret(house)
    app.config.update(
        MAX_CONTENT_LENGTH=house.settings.upload_limit_mb * 1024 * 1024,
        MAX_FORM_PARTS=_MOST_PARTS,
        SESSION_COOKIE_SECURE=house.settings.secure_cookies,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Strict",
        WTF_CSRF_TIME_LIMIT=_HALF_DAY,
        # The referrer is never sent (Referrer-Policy), so it cannot be asked for.
        WTF_CSRF_SSL_STRICT=False,
    )
    CSRFProtect(app)
    cookie = Cookie(house)
    app.extensions["muniment-cookie"] = cookie
    app.extensions["muniment-asking"] = Asking(house.founded.index_key)
    app.extensions["muniment-handover"] = Handover()
    app.extensions["muniment-long-answers"] = LongAnswers(house.settings.threads)
    app.extensions["muniment-verification"] = Verification(house)
    app.extensions["muniment-fixity"] = FixityCheck(house)
    app.extensions["muniment-mending"] = Mending(house)

    # Before the forms' own check, so that its refusal can be said in the visitor's language.
    app.before_request_funcs.setdefault(None, [])[:0] = [_begin, _limit]
    app.before_request(_admit)
    app.after_request(secure_response)
    refuse_with_pages(app)
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)
    app.context_processor(_context)
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    return app


def _form_secret(house: House) -> bytes:
    """The same after a restart and on every node, so that an open form stays good."""
    keyring = house.founded.keyring
    derive = HKDF(SHA256(), 32, salt=None, info=b"muniment web forms")
    return derive.derive(keyring.keys[keyring.current])


def _begin() -> None:
    # Our own files are for everybody: no session is looked up for them.
    cookie: Cookie = current_app.extensions["muniment-cookie"]
    begin_visit(None if request.endpoint == "static" else cookie.read())


def _limit() -> None:
    """Before the body is read: an urlencoded one is read whole into memory, and fills it forty times its size."""
    view = current_app.view_functions.get(request.endpoint or "")
    if view is None or not takes_files(view) or request.mimetype != "multipart/form-data":
        request.max_content_length = min(FORM, int(current_app.config["MAX_CONTENT_LENGTH"]))
    else:
        _admit()


def _admit() -> None:
    if request.endpoint is None or request.endpoint == "static":
        return
    admission = admission_of(current_app.view_functions[request.endpoint])
    if admission is None:
        raise MunimentError(Code.ACCESS_DENIED)
    admission.check(visit().visitor)


def _context() -> dict[str, object]:
    here = visit()
    return {
        "here": here,
        "t": here.words,
        "word": here.words.of,
        "fmt": here.formats,
        "kind": partial(kind_said, here.words),
        "asset": asset,
        "kept": partial(_kept, language=here.language),
        "navigation": navigation(here) if here.visitor else (),
    }


def _kept(value: str, language: str) -> str:
    """What was found damaged or refused, of which the ledger keeps the bare word."""
    return Fault(value).say(language) if value in set(Fault) else say_kept(value, language)


def asset(name: str) -> str:
    """The address of one of our files, which changes with its content so that it may be cached for ever."""
    return url_for("static", filename=name, v=_digest(str(Path(str(current_app.static_folder)) / name)))


@cache
def _digest(path: str) -> str:
    return sha256(Path(path).read_bytes()).hexdigest()[:12]
