"""Checkpoints and signed notes: published examples, the round trip, and every way a note may be wrong."""

import base64
import hashlib

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from archive.ledger.merkle import EMPTY_ROOT, Hash, leaf_hash
from archive.ledger.notes import Checkpoint, NoteError, Verifier, open_note, sign

# The key pair and note in the documentation and tests of Go's package sumdb/note.
PUBLISHED_KEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
PUBLISHED_SEED = "AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz"  # the type, then the private key
PUBLISHED_TEXT = (
    "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
)
PUBLISHED_SIGNATURE = (
    "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM="
)
# The example of C2SP tlog-checkpoint.
PUBLISHED_CHECKPOINT = "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"

NAME = "archive.example/ledger"
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
OTHER_KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(1, 33)))
VERIFIER = Verifier.of(NAME, KEY)
CHECKPOINT = Checkpoint(NAME, 7, leaf_hash(b"seven"))
NOTE = sign(CHECKPOINT, NAME, KEY)
TEXT, _, SIGNATURE_LINE = NOTE.rpartition("\n\n")


def line_for(text: str, name: str, key: Ed25519PrivateKey) -> str:
    signature = Verifier.of(name, key).key_id + key.sign(text.encode())
    return f"— {name} {base64.b64encode(signature).decode()}\n"


def note_of(text: str) -> str:
    """A note rightly signed over any text, so that only the text can be what is refused."""
    return f"{text}\n{line_for(text, NAME, KEY)}"


names = st.text(st.characters(min_codepoint=33, exclude_categories=["Cs", "Z"], exclude_characters="+\x85"))
hashes = st.binary(min_size=32, max_size=32).map(Hash)
origins = st.text(st.characters(min_codepoint=32, exclude_categories=["Cs"]), min_size=1, max_size=40)
checkpoints = st.builds(Checkpoint, origins, st.integers(0, 2**63 - 1), hashes)
keys = st.binary(min_size=32, max_size=32).map(Ed25519PrivateKey.from_private_bytes)


def test_a_published_verifier_key_is_read_and_written_alike():
    verifier = Verifier.from_text(PUBLISHED_KEY)
    assert verifier.name == "PeterNeumann"
    assert verifier.key_id.hex() == "c74f20a3"
    assert verifier.to_text() == PUBLISHED_KEY


def test_a_published_signature_is_accepted_and_made_again():
    key = Ed25519PrivateKey.from_private_bytes(base64.b64decode(PUBLISHED_SEED)[1:])
    assert Verifier.of("PeterNeumann", key).to_text() == PUBLISHED_KEY
    signature = base64.b64decode(PUBLISHED_SIGNATURE)
    assert Verifier.from_text(PUBLISHED_KEY).accepts(signature[4:], PUBLISHED_TEXT)
    assert line_for(PUBLISHED_TEXT, "PeterNeumann", key) == f"— PeterNeumann {PUBLISHED_SIGNATURE}\n"


def test_a_published_note_that_is_no_checkpoint_passes_its_signature_and_fails_its_text():
    note = f"{PUBLISHED_TEXT}\n— PeterNeumann {PUBLISHED_SIGNATURE}\n"
    with pytest.raises(NoteError, match="a checkpoint is three lines"):
        open_note(note, [Verifier.from_text(PUBLISHED_KEY)])


def test_the_published_checkpoint_is_read_and_written_alike():
    checkpoint = Checkpoint.from_text(PUBLISHED_CHECKPOINT)
    assert checkpoint.origin == "example.com/behind-the-sofa"
    assert checkpoint.size == 20852163
    assert checkpoint.root.hex() == "0ac5186a91863e8e1d90c808014aa89bf5da8e3ee1d9f07630f0378f68f1ab62"
    assert checkpoint.to_text() == PUBLISHED_CHECKPOINT


def test_a_signed_note_has_the_published_layout():
    lines = NOTE.split("\n")
    assert lines[:4] == [NAME, "7", base64.b64encode(CHECKPOINT.root).decode(), ""]
    dash, name, signature = lines[4].split(" ")
    assert (dash, name) == ("\u2014", NAME)
    assert base64.b64decode(signature)[:4] == VERIFIER.key_id
    assert lines[5:] == [""]


@given(checkpoints)
def test_a_checkpoint_is_read_back_as_it_was_written(checkpoint: Checkpoint):
    assert Checkpoint.from_text(checkpoint.to_text()) == checkpoint


@given(checkpoints, names.filter(bool), keys)
def test_a_note_opens_to_the_checkpoint_that_was_signed(
    checkpoint: Checkpoint, name: str, key: Ed25519PrivateKey
):
    assert open_note(sign(checkpoint, name, key), [Verifier.of(name, key)]) == checkpoint


@given(names.filter(bool), keys)
def test_a_verifier_key_is_read_back_as_it_was_written(name: str, key: Ed25519PrivateKey):
    verifier = Verifier.of(name, key)
    assert Verifier.from_text(verifier.to_text()) == verifier


def test_signing_is_deterministic():
    assert sign(CHECKPOINT, NAME, KEY) == NOTE


def test_an_empty_ledger_has_a_checkpoint_too():
    checkpoint = Checkpoint(NAME, 0, EMPTY_ROOT)
    assert open_note(sign(checkpoint, NAME, KEY), [VERIFIER]) == checkpoint


def test_a_note_of_an_unknown_key_is_refused():
    with pytest.raises(NoteError, match="no trusted key"):
        open_note(NOTE, [Verifier.of(NAME, OTHER_KEY)])


def test_a_note_under_an_unknown_name_is_refused():
    with pytest.raises(NoteError, match="no trusted key"):
        open_note(NOTE, [Verifier.of("elsewhere.example", KEY)])


def test_a_note_is_refused_when_nobody_is_trusted():
    with pytest.raises(NoteError, match="no trusted key"):
        open_note(NOTE, [])


def test_the_key_id_of_a_trusted_key_on_a_strangers_signature_is_refused():
    forged = VERIFIER.key_id + OTHER_KEY.sign(TEXT.encode() + b"\n")
    note = f"{TEXT}\n\n— {NAME} {base64.b64encode(forged).decode()}\n"
    with pytest.raises(NoteError, match="is false"):
        open_note(note, [VERIFIER])


def test_a_signature_cut_short_is_refused():
    short = base64.b64decode(SIGNATURE_LINE.split(" ")[2])[:-1]
    with pytest.raises(NoteError, match="is false"):
        open_note(f"{TEXT}\n\n— {NAME} {base64.b64encode(short).decode()}\n", [VERIFIER])


@pytest.mark.parametrize(
    ("before", "after"),
    [("\n7\n", "\n8\n"), (NAME, "archive.example/Ledger"), ("\n7\n", "\n7\n7\n")],
)
def test_an_altered_text_is_refused(before: str, after: str):
    altered = TEXT.replace(before, after, 1)
    assert altered != TEXT
    with pytest.raises(NoteError, match="is false"):
        open_note(f"{altered}\n\n{SIGNATURE_LINE}", [VERIFIER])


@given(st.integers(0, len(NOTE) - 1), st.characters(exclude_categories=["Cs"]))
def test_a_note_with_any_one_character_changed_is_refused(at: int, character: str):
    altered = NOTE[:at] + character + NOTE[at + 1 :]
    if altered == NOTE:
        assert open_note(altered, [VERIFIER]) == CHECKPOINT
        return
    with pytest.raises(NoteError):
        open_note(altered, [VERIFIER])


@given(st.integers(0, len(NOTE) - 1))
def test_a_note_cut_off_anywhere_is_refused(end: int):
    with pytest.raises(NoteError):
        open_note(NOTE[:end], [VERIFIER])


@given(st.text(max_size=200))
def test_any_text_at_all_is_refused_with_a_reason(text: str):
    with pytest.raises(NoteError, match=r"\w"):
        open_note(text, [VERIFIER])
    with pytest.raises(NoteError, match=r"\w"):
        Checkpoint.from_text(text)
    with pytest.raises(NoteError, match=r"\w"):
        Verifier.from_text(text)


def test_the_signature_of_a_witness_we_do_not_know_is_ignored_on_either_side():
    witness = line_for(TEXT + "\n", "witness.example", OTHER_KEY)
    assert open_note(NOTE + witness, [VERIFIER]) == CHECKPOINT
    assert open_note(f"{TEXT}\n\n{witness}{SIGNATURE_LINE}", [VERIFIER]) == CHECKPOINT


def test_a_witness_alone_may_be_trusted():
    witness = Verifier.of("witness.example", OTHER_KEY)
    note = NOTE + line_for(TEXT + "\n", "witness.example", OTHER_KEY)
    assert open_note(note, [witness]) == CHECKPOINT


def test_one_false_signature_of_a_known_key_refuses_the_whole_note():
    witness = Verifier.of("witness.example", OTHER_KEY)
    note = NOTE + line_for("another text\n", "witness.example", OTHER_KEY)
    with pytest.raises(NoteError, match=r"witness\.example is false"):
        open_note(note, [VERIFIER, witness])


def test_sixteen_signatures_are_read_and_a_flood_is_refused():
    witness = line_for(TEXT + "\n", "witness.example", OTHER_KEY)
    assert open_note(NOTE + witness * 15, [VERIFIER]) == CHECKPOINT
    with pytest.raises(NoteError, match="more than 100 signatures"):
        open_note(NOTE + witness * 100, [VERIFIER])


def test_a_note_too_long_to_be_one_is_refused():
    with pytest.raises(NoteError, match="too long"):
        open_note("x" * 1_000_001, [VERIFIER])


@pytest.mark.parametrize(
    "note",
    [
        NOTE + "\n",
        NOTE + "trailing\n",
        NOTE + "\ntrailing\n",
        NOTE + " ",
        NOTE[:-1],
        "\ufeff" + NOTE,
        NOTE.replace("\n", "\r\n"),
        NOTE.replace("—", "--"),
        NOTE.replace("— ", "—"),
        NOTE.replace("— ", "—  "),
        NOTE.replace("— ", " — "),
        NOTE[:-1] + " \n",
        f"{TEXT}\n\n{SIGNATURE_LINE.removeprefix('— ')}",
        f"\ud800{TEXT[1:]}\n\n{SIGNATURE_LINE}",
        NOTE + "— \n",
        NOTE + f"— {NAME}\n",
        NOTE + f"— {NAME} \n",
        NOTE + "— plus+name AAAAAAA=\n",
        NOTE + "— witness.example AAAA\n",
        NOTE + "— witness.example AAAAAA==\n",
        NOTE + "— witness.example not base64\n",
        NOTE + "\x00",
        NOTE.replace(NAME, "archive\tledger"),
        NOTE.replace(NAME, "\ud800"),
        TEXT + "\n",
        "\n\n" + SIGNATURE_LINE,
        SIGNATURE_LINE,
        "",
    ],
)
def test_a_malformed_note_is_refused(note: str):
    with pytest.raises(NoteError):
        open_note(note, [VERIFIER])


ROOT = base64.b64encode(CHECKPOINT.root).decode()


@pytest.mark.parametrize(
    "text",
    [
        f"{NAME}\n07\n{ROOT}\n",
        f"{NAME}\n+7\n{ROOT}\n",
        f"{NAME}\n-7\n{ROOT}\n",
        f"{NAME}\n 7\n{ROOT}\n",
        f"{NAME}\n7 \n{ROOT}\n",
        f"{NAME}\n00\n{ROOT}\n",
        f"{NAME}\n7_0\n{ROOT}\n",
        f"{NAME}\n0x7\n{ROOT}\n",
        f"{NAME}\n７\n{ROOT}\n",
        f"{NAME}\n\n{ROOT}\n",
        f"{NAME}\n9223372036854775808\n{ROOT}\n",
        f"{NAME}\n{'9' * 5000}\n{ROOT}\n",
        f"\n7\n{ROOT}\n",
        f"{NAME}\n7\n\n",
        f"{NAME}\n7\n{ROOT[:-1]}\n",
        f"{NAME}\n7\n{ROOT} \n",
        f"{NAME}\n7\n{ROOT}=\n",
        f"{NAME}\n7\n{ROOT[:4]}\n",
        f"{NAME}\n7\n{base64.b64encode(CHECKPOINT.root + b'x').decode()}\n",
        f"{NAME}\n7\n{ROOT}",
        f"{NAME}\n7\n{ROOT}\nextension\n",
        f"{NAME}\n7\n{ROOT}\n\n",
        f"{NAME}\n7\n",
    ],
)
def test_a_malformed_checkpoint_is_refused_even_when_rightly_signed(text: str):
    with pytest.raises(NoteError):
        Checkpoint.from_text(text)
    with pytest.raises(NoteError):
        open_note(note_of(text), [VERIFIER])


def test_the_last_empty_line_divides_the_text_from_the_signatures():
    with pytest.raises(NoteError, match="a checkpoint is three lines"):
        open_note(note_of(TEXT + "\n\nafter an empty line\n"), [VERIFIER])


def test_base64_with_stray_bits_is_refused():
    # 32 bytes end in a character of which two bits count for nothing: only the one with zeros is canonical.
    stray = base64.b64encode(bytes(32)).decode()[:-2] + "B="
    assert base64.b64decode(stray) == bytes(32)
    with pytest.raises(NoteError, match="canonical base64"):
        Checkpoint.from_text(f"{NAME}\n7\n{stray}\n")


def test_base64_of_the_url_alphabet_is_refused():
    root = base64.urlsafe_b64encode(b"\xff" * 32).decode()
    assert "_" in root
    with pytest.raises(NoteError, match="canonical base64"):
        Checkpoint.from_text(f"{NAME}\n7\n{root}\n")


@pytest.mark.parametrize("origin", ["", "two\nlines", "bell\x07", "\ud800"])
def test_a_checkpoint_with_an_impossible_origin_is_refused(origin: str):
    with pytest.raises(NoteError, match="origin"):
        Checkpoint(origin, 1, CHECKPOINT.root)


@pytest.mark.parametrize("size", [-1, 2**63])
def test_a_checkpoint_with_an_impossible_size_is_refused(size: int):
    with pytest.raises(NoteError, match="size"):
        Checkpoint(NAME, size, CHECKPOINT.root)


def test_a_checkpoint_with_a_cut_off_root_is_refused():
    with pytest.raises(NoteError, match="root"):
        Checkpoint(NAME, 1, Hash(CHECKPOINT.root[:31]))


@pytest.mark.parametrize("name", ["", "two words", "a+b", "a\u3000b", "a\u2028b", "a\nb", "a\x1fb", "\ud800"])
def test_an_impossible_key_name_is_refused(name: str):
    with pytest.raises(NoteError, match="key name"):
        sign(CHECKPOINT, name, KEY)


VKEY = VERIFIER.to_text()
ENCODED = VKEY.split("+", 2)[2]


def verifier_key_of(key: bytes) -> str:
    """A verifier key with any key inside, and the key id that fits it where it is of the type Ed25519."""
    key_id = hashlib.sha256(NAME.encode() + b"\n" + key).digest()[:4]
    return f"{NAME}+{key_id.hex()}+{base64.b64encode(key).decode()}"


def test_a_verifier_key_of_another_signature_type_is_refused():
    with pytest.raises(NoteError, match="not of the type Ed25519"):
        Verifier.from_text(verifier_key_of(b"\x04" + VERIFIER.public_key))


def test_the_verifier_keys_made_for_these_tests_are_otherwise_right():
    assert verifier_key_of(b"\x01" + VERIFIER.public_key) == VKEY


@pytest.mark.parametrize(
    "text",
    [
        "",
        NAME,
        f"{NAME}+{VERIFIER.key_id.hex()}",
        f"{NAME}+{VERIFIER.key_id.hex()}+",
        f"+{VERIFIER.key_id.hex()}+{ENCODED}",
        f"{NAME}+00000000+{ENCODED}",
        f"{NAME}+{VERIFIER.key_id.hex().upper()}+{ENCODED}",
        f"{NAME}+{VERIFIER.key_id.hex()} +{ENCODED}",
        f"{NAME}+{VERIFIER.key_id.hex()[:6]}+{ENCODED}",
        f"elsewhere.example+{VERIFIER.key_id.hex()}+{ENCODED}",
        f"{VKEY}\n",
        f"{VKEY}+",
        f" {VKEY}",
        verifier_key_of(VERIFIER.public_key),
        verifier_key_of(b"\x01" + VERIFIER.public_key[:-1]),
        verifier_key_of(b"\x01" + VERIFIER.public_key + b"x"),
    ],
)
def test_a_malformed_verifier_key_is_refused(text: str):
    with pytest.raises(NoteError):
        Verifier.from_text(text)
