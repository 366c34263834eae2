"""From an error to a page: code and sentence in the visitor's language; never a trace, never data."""

import logging
from contextlib import suppress
from urllib.parse import urlencode, urlsplit

from flask import (
    Flask,
    Response,
    current_app,
    g,
    jsonify,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException, InternalServerError, RequestEntityTooLarge
from werkzeug.wrappers import Response as AnyResponse

from access.permissions import Permission
from archive.errors import Code, MunimentError, refusal_of
from web.securing import Cookie
from web.tracing import incident
from web.visit import begin_visit, house, visit

_LOG = logging.getLogger("muniment.web")


def refuse_with_pages(app: Flask) -> None:
    """Registers the handlers."""
    app.register_error_handler(MunimentError, _refusal)
    app.register_error_handler(CSRFError, _expired)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(Exception, _defect)


def wants_json() -> bool:
    """Our own scripts ask for JSON where they show the outcome themselves."""
    return request.accept_mimetypes.best_match(["text/html", "application/json"]) == "application/json"


def is_fragment() -> bool:
    """A request of htmx for a part of a page."""
    return request.headers.get("HX-Request") == "true"


def _refusal(error: MunimentError) -> AnyResponse:
    if "visit" not in g:
        begin_visit(None)
    if error.code is Code.SIGN_IN_REQUIRED:
        return _to_sign_in(error)
    if error.meaning.http >= 500:
        _LOG.error("%s at %s", error.code.value, request.endpoint)
    return _answer(error)


def _expired(_: CSRFError) -> AnyResponse:
    return _refusal(MunimentError(Code.FORM_EXPIRED))


def _http(error: HTTPException) -> AnyResponse:
    if isinstance(error, RequestEntityTooLarge):
        return _refusal(too_large())
    if isinstance(error, InternalServerError):  # saying another error failed
        return _defect(error.original_exception or error)
    if error.code is not None and 300 <= error.code < 400:
        return error.get_response()
    code = Code.FORM_EXPIRED if error.code == 400 else Code.PAGE_NOT_FOUND
    return _refusal(MunimentError(code))


def too_large() -> MunimentError:
    """Of all that was sent, or of what was written into the fields."""
    if (request.content_length or 0) > int(current_app.config["MAX_CONTENT_LENGTH"]):
        return MunimentError(Code.UPLOAD_TOO_LARGE, limit=house().settings.upload_limit_mb)
    return MunimentError(Code.FORM_TOO_LARGE)


def _defect(error: BaseException) -> AnyResponse:
    return _refusal(refusal_of(error) or incident(error, _LOG, str(request.endpoint)))


def _to_sign_in(error: MunimentError) -> AnyResponse:
    if wants_json():
        return _answer(error)
    asked = {} if (wanted := _wanted()) == "/" else {"next": wanted}
    cookie: Cookie = current_app.extensions["muniment-cookie"]
    if cookie.read():  # somebody was signed in, and may have lost what they were writing
        asked["ended"] = "1" if request.method == "GET" else "2"
    place = url_for("entrance.sign_in") + ("?" + urlencode(asked) if asked else "")
    if is_fragment():
        response = Response(status=204)
        response.headers["HX-Redirect"] = place
        return response
    return redirect(place, code=303)


def _wanted() -> str:
    """Where to go on once signed in again: the page that was asked for, or the one whose form was sent."""
    if is_fragment():
        parts = urlsplit(request.headers.get("HX-Current-URL", "/"))
        return parts.path + (f"?{parts.query}" if parts.query else "")
    if request.method == "GET":
        return request.full_path.rstrip("?")
    places, path = current_app.url_map.bind(""), request.path
    while path:
        with suppress(HTTPException):
            places.match(path, method="GET")
            return path
        path = path.rpartition("/")[0]
    return "/"


def _answer(error: MunimentError) -> AnyResponse:
    status = error.meaning.http
    sentence = error.say(visit().language)
    if wants_json():
        return make_response(jsonify(code=error.code.value, message=sentence), status)
    if (
        request.accept_mimetypes
        and request.accept_mimetypes.best_match(["image/jpeg", "text/html"]) == "image/jpeg"
    ):
        return Response(sentence, status, content_type="text/plain; charset=utf-8")
    page = "fragments/refusal.html" if is_fragment() else "refusal.html"
    shown = render_template(page, code=error.code, sentence=sentence, status=status, to_ask=_to_ask(error))
    return make_response(shown, status)


def _to_ask(error: MunimentError) -> str | None:
    """The case file whose content was refused to somebody who can ask for it."""
    named = (request.view_args or {}).get("reference")
    refused = error.code is Code.ACCESS_DENIED and visit().may(Permission.REQUEST)
    return str(named) if refused and named and request.method == "GET" else None
