"""What the browser is told to enforce: content security policy, other headers, the strictest cookies."""

from flask import Flask, Response, request
from flask.sessions import SecureCookieSessionInterface
from werkzeug.http import parse_cookie

from web.wiring import House

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; media-src 'self'; font-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), display-capture=(), payment=(), usb=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
_YEAR = 31536000


class FormCookie(SecureCookieSessionInterface):
    """Flask's own cookie; it holds the token of the forms and messages for the next page, no more."""

    def get_cookie_name(self, app: Flask) -> str:
        return "__Host-form" if self.get_cookie_secure(app) else "form"

    def get_cookie_secure(self, app: Flask) -> bool:
        return bool(app.config["SESSION_COOKIE_SECURE"])


class Cookie:
    """The session cookie: an opaque token that only the server understands."""

    def __init__(self, house: House) -> None:
        self._secure = house.settings.secure_cookies
        # __Host- binds it to this host, path / and https (RFC 6265bis 4.1.3.2).
        self._name = "__Host-session" if self._secure else "session"

    def read(self) -> str | None:
        return request.cookies.get(self._name)

    def within(self, header: str) -> str | None:
        """The token in the header Cookie of a request whose body nobody has read yet."""
        return parse_cookie(header).get(self._name)

    def give(self, response: Response, token: str) -> None:
        response.set_cookie(
            self._name, token, path="/", secure=self._secure, httponly=True, samesite="Strict"
        )

    def take(self, response: Response) -> None:
        response.delete_cookie(self._name, path="/", secure=self._secure, httponly=True, samesite="Strict")


def secure_response(response: Response) -> Response:
    """After each request. What a view shows may concern a customer: only our own files are ever stored."""
    for name, value in _HEADERS.items():
        response.headers.setdefault(name, value)
    if request.endpoint == "static" and "v" in request.args:
        response.headers["Cache-Control"] = f"public, max-age={_YEAR}, immutable"
    elif request.endpoint == "static":
        response.headers["Cache-Control"] = "no-cache"
    else:
        response.headers["Cache-Control"] = "no-store, private"
    if request.is_secure:
        response.headers["Strict-Transport-Security"] = f"max-age={_YEAR}"
    return response
