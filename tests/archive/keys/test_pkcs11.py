"""A PKCS#11 token as a guard, on a real SoftHSM2 whose token lives and dies with the test."""

import json
import subprocess
import sys
from pathlib import Path
from secrets import token_bytes
from shutil import which

import pytest

from archive.errors import Code, Exit, MunimentError
from archive.keys.keyfile import KeyFile
from archive.keys.pkcs11 import Pkcs11

PLACES = (Path("/usr/lib/softhsm/libsofthsm2.so"), Path("/usr/lib64/softhsm/libsofthsm2.so"))
MODULE = next((path for path in PLACES if path.exists()), None)

needs_softhsm = pytest.mark.skipif(
    MODULE is None or which("softhsm2-util") is None,
    reason="SoftHSM2 is not installed: apt-get install softhsm2",
)

# A process of its own: a PKCS#11 module reads its configuration once a process.
_RUN = """
import json, sys
from pathlib import Path
from secrets import token_bytes
from archive.errors import MunimentError
from archive.keys.keyfile import KeyFile
from archive.keys.pkcs11 import Pkcs11
what, path, address = sys.argv[1:]
guard = Pkcs11.parse(address)
kept = KeyFile(Path(path), (guard,), guard)
try:
    if what == "generate":
        import pkcs11
        with pkcs11.lib(str(guard.module)).get_token(token_label=guard.token).open(rw=True, user_pin=guard._pin()) as s:
            s.generate_key(pkcs11.KeyType.AES, 256, label=guard.label, store=True)
        print(json.dumps({}))
    else:
        ring = kept.create(token_bytes) if what == "create" else kept.open()
        print(json.dumps({"keys": {str(v): k.hex() for v, k in ring.keys.items()}, "kind": kept.kind()}))
except MunimentError as error:
    print(json.dumps({"error": error.code, "problem": error.facts.get("problem"), "exit": error.meaning.exit}))
"""


@pytest.fixture
def token(tmp_path, monkeypatch):
    """Runs one thing with the guard ``address``, in a process of its own."""
    (tmp_path / "tokens").mkdir()
    (tmp_path / "softhsm2.conf").write_text(
        f"directories.tokendir = {tmp_path / 'tokens'}\nobjectstore.backend = file\n"
    )
    monkeypatch.setenv("SOFTHSM2_CONF", str(tmp_path / "softhsm2.conf"))
    (tmp_path / "pin").write_text("123456\n")
    subprocess.run(
        [
            "softhsm2-util",
            "--init-token",
            "--free",
            "--label",
            "muniment",
            "--so-pin",
            "654321",
            "--pin",
            "123456",
        ],
        check=True,
        capture_output=True,
    )

    def run(what: str, address: str | None = None, path: Path = tmp_path / "var.key"):
        wanted = (
            address
            or f"pkcs11:token=muniment;object=master?module-path={MODULE}&pin-source={tmp_path / 'pin'}"
        )
        done = subprocess.run(
            [sys.executable, "-c", _RUN, what, str(path), wanted], check=True, capture_output=True, text=True
        )
        assert "123456" not in done.stdout + done.stderr
        return json.loads(done.stdout)

    run.folder = tmp_path
    return run


@needs_softhsm
def test_a_key_file_guarded_by_a_token_opens_with_that_token(token) -> None:
    token("generate")
    made = token("create")
    assert made["kind"] == "pkcs11"
    assert token("open") == made
    kept = (token.folder / "var.key").read_text()
    assert made["keys"]["1"] not in kept
    assert "123456" not in kept
    assert "softhsm" not in kept, "the module comes from the settings alone"


@needs_softhsm
def test_a_token_without_the_key_is_a_clear_stop_and_gets_none(token) -> None:
    for _ in range(2):
        answer = token("create")
        assert (answer["error"], answer["exit"]) == (Code.KEY_REFUSED, Exit.KEY)
    assert not (token.folder / "var.key").exists()


@needs_softhsm
def test_a_wrong_pin_another_token_or_another_key_is_a_clear_stop(token) -> None:
    token("generate")
    token("create")
    (token.folder / "pin").write_text("000000")
    assert token("open")["error"] == Code.KEY_REFUSED
    (token.folder / "pin").write_text("123456")
    document = json.loads((token.folder / "var.key").read_text())
    document.pop("sha256")  # as of a file that was written so
    for change in ({"token": "elsewhere"}, {"object": "another"}, {"nonce": "AAAAAAAAAAAAAAAA"}):
        (token.folder / "var.key").write_text(
            json.dumps({**document, "pkcs11": {**document["pkcs11"], **change}})
        )
        answer = token("open")
        assert (answer["error"], answer["exit"]) == (Code.KEY_REFUSED, Exit.KEY)


@needs_softhsm
def test_a_module_that_is_none_is_a_clear_stop(token) -> None:
    address = (
        f"pkcs11:token=muniment;object=master?module-path=/etc/hostname&pin-source={token.folder / 'pin'}"
    )
    assert token("create", address)["error"] == Code.KEY_REFUSED


def test_an_address_is_read_as_rfc_7512_says() -> None:
    found = Pkcs11.parse("pkcs11:token=My%20HSM;object=master?module-path=/lib/x.so&pin-source=file:/etc/pin")
    assert found == Pkcs11("My HSM", "master", Path("/lib/x.so"), Path("/etc/pin"))


@pytest.mark.parametrize(
    ("address", "problem"),
    [
        ("pkcs11:token=a;object=b?module-path=/x&pin-value=1234", "does not belong"),
        ("pkcs11:token=a;object=b?module-path=/x", "pin-source"),
        ("pkcs11:", "it needs"),
        ("pkcs11:token", "name=value"),
        ("pkcs11:token=a;object=b;serial=1?module-path=/x&pin-source=/y", "serial"),
    ],
)
def test_an_address_that_says_too_little_or_too_much_is_refused(address, problem) -> None:
    with pytest.raises(ValueError, match=problem):
        Pkcs11.parse(address)


def test_a_pin_file_that_is_missing_is_named(tmp_path) -> None:
    if MODULE is None:
        pytest.skip("SoftHSM2 is not installed")
    guard = Pkcs11("a", "b", MODULE, tmp_path / "pin")
    with pytest.raises(MunimentError):
        KeyFile(tmp_path / "k", (guard,), guard).create(token_bytes)
