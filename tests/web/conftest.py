"""Visitors of the pages: one browser a person, over the house of ``tests/conftest.py``."""

import io
import re
from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient
from PIL import Image
from werkzeug.test import TestResponse

from access.person import Role
from archive.ledger.entries import CONSOLE
from tests.vouchers import voucher
from web.app import create_app
from web.wiring import House

PASSWORD = "correct-horse-battery"
Visitor = Callable[..., "Browser"]


class Browser:
    """A test client that keeps the form token as a page would."""

    def __init__(self, client: FlaskClient) -> None:
        self.client = client

    def get(self, address: str, **headers: str) -> TestResponse:
        return self.client.get(address, headers={"Accept-Language": "zh-CN", **headers})

    def post(self, address: str, page: str | None = None, **given: object) -> TestResponse:
        """Takes the form token from ``page`` (default: the account page, or sign-in)."""
        headers = {"Accept-Language": "zh-CN", **dict(given.pop("headers", {}))}
        data = dict(given.pop("data", {}))
        data["csrf_token"] = self.token(page)
        return self.client.post(address, data=data, headers=headers, **given)

    def find(self, words: str = "", *, fragment: bool = False, **chosen: str) -> TestResponse:
        """Asks as the page's form does, and follows to the answer."""
        headers = {"HX-Request": "true"} if fragment else {}
        answer = self.post("/find", "/find", data={"q": words, **chosen}, headers=headers)
        return answer if fragment else self.get(answer.location)

    def token(self, page: str | None = None) -> str:
        shown = self.client.get(page or "/account")
        if shown.status_code == 303:
            shown = self.client.get("/sign-in")
        found = re.search(r'name="csrf_token" value="([^"]+)"', shown.text)
        assert found is not None
        return found[1]


@pytest.fixture
def app(house: House) -> Flask:
    return create_app(house)


@pytest.fixture
def stranger(app: Flask) -> Browser:
    return Browser(app.test_client())


@pytest.fixture
def visitor(app: Flask, house: House) -> Visitor:
    """A signed-in person of this role; the same person each time for the same role and department."""

    def enter(role: Role, department: str = "春熙路店", name: str | None = None) -> Browser:
        called = name or f"{role.say('zh')}·{department}"
        if house.people.by_name(called) is None:
            house.people.add(CONSOLE, called, role, department, PASSWORD)
        browser = Browser(app.test_client())
        answer = browser.post("/sign-in", "/sign-in", data={"name": called, "password": PASSWORD})
        assert answer.status_code == 303
        return browser

    return enter


class Forms:
    """What people hand in."""

    @staticmethod
    def photo(colour: str = "navy") -> bytes:
        written = io.BytesIO()
        Image.new("RGB", (320, 240), colour).save(written, "JPEG")
        return written.getvalue()

    @staticmethod
    def fields(**changed: object) -> dict[str, object]:
        """The page's form, filled in as it should be."""
        given: dict[str, object] = {
            "level": "一级",
            "category": "剧本相关",
            "complainant.name": "王小明",
            "complainant.contact": "13800138000",
            "complainant.headcount": "1",
            "received_at": "2026-02-27T20:15",
            "channel": "门店现场",
            "store": "春熙路店",
            "script": "长安十二时",
            "details": "第三幕道具缺失，剧情无法继续，玩家等待四十分钟。",
            "demands": ["退费", "道歉"],
            "evidence.kind": ["照片", ""],
            "evidence.count": ["2", ""],
            "receiver.name": "李莉",
            "receiver.department": "春熙路店",
            "receiver.contact": "028-88886666",
        }
        return {**given, **changed}

    @staticmethod
    def voucher(**changed: object) -> bytes:
        return voucher(**changed)


@pytest.fixture
def forms() -> Forms:
    return Forms()
