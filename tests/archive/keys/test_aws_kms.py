"""AWS KMS as a guard. moto stands in for the service: it speaks the API and keeps the encryption context, but it checks
no rights and throws its own dice, so this shows that we call KMS rightly and read its answers, not that KMS is safe.
"""

import json
import socket
from secrets import token_bytes

import boto3
import pytest
from moto.server import ThreadedMotoServer

from archive.errors import Code, Exit, MunimentError
from archive.keys.aws_kms import AwsKms
from archive.keys.keyfile import KeyFile

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")


@pytest.fixture(scope="module")
def service():
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def kms(service, monkeypatch, tmp_path):
    monkeypatch.setenv("AWS_ENDPOINT_URL_KMS", service)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "cn-north-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    return boto3.client("kms")


@pytest.fixture
def key(kms) -> str:
    return kms.create_key()["KeyMetadata"]["Arn"]


def refusal(kept: KeyFile) -> MunimentError:
    with pytest.raises(MunimentError) as caught:
        kept.open()
    return caught.value


def test_a_key_file_guarded_by_kms_opens_without_knowing_which_key(kms, key, tmp_path) -> None:
    guard = AwsKms(key)
    made = KeyFile(tmp_path / "var.key", (guard,), guard).create(token_bytes)
    document = json.loads((tmp_path / "var.key").read_text())
    assert document.keys() == {"muniment-key", "aws-kms", "sealed", "sha256"}
    assert KeyFile(tmp_path / "var.key", (AwsKms(),)).open().keys == made.keys


def test_an_alias_is_kept_as_the_key_it_stood_for(kms, key, tmp_path) -> None:
    kms.create_alias(AliasName="alias/muniment", TargetKeyId=key)
    guard = AwsKms.parse("aws-kms://alias/muniment")
    made = KeyFile(tmp_path / "var.key", (guard,), guard).create(token_bytes)
    kms.update_alias(AliasName="alias/muniment", TargetKeyId=kms.create_key()["KeyMetadata"]["KeyId"])
    assert KeyFile(tmp_path / "var.key", (guard,)).open().keys == made.keys


def test_a_key_that_kms_does_not_have_is_a_clear_stop(kms, key, tmp_path) -> None:
    guard = AwsKms(key)
    kept = KeyFile(tmp_path / "var.key", (guard,), guard)
    kept.create(token_bytes)
    document = json.loads(kept.path.read_text())
    document["aws-kms"]["key"] = key[:-1] + ("0" if key[-1] != "0" else "1")
    document.pop("sha256")  # as of a file that was written so
    kept.path.write_text(json.dumps(document))
    error = refusal(kept)
    assert (error.code, error.meaning.exit) == (Code.KEY_REFUSED, Exit.KEY)
    assert error.facts["problem"] == "NotFoundException"
    nowhere = AwsKms("alias/nowhere")
    with pytest.raises(MunimentError) as caught:
        KeyFile(tmp_path / "other.key", (nowhere,), nowhere).create(token_bytes)
    assert caught.value.code is Code.KEY_REFUSED
    assert not (tmp_path / "other.key").exists()


def test_a_ciphertext_of_another_context_does_not_open(kms, key, tmp_path) -> None:
    guard = AwsKms(key)
    kept = KeyFile(tmp_path / "var.key", (guard,), guard)
    kept.create(token_bytes)
    document = json.loads(kept.path.read_text())
    other = kms.generate_data_key(KeyId=key, KeySpec="AES_256", EncryptionContext={"other": "use"})
    from base64 import b64encode

    document["aws-kms"]["ciphertext"] = b64encode(other["CiphertextBlob"]).decode()
    document.pop("sha256")
    kept.path.write_text(json.dumps(document))
    assert refusal(kept).meaning.exit is Exit.KEY


def test_without_an_answer_the_archive_says_to_try_again(kms, key, tmp_path, monkeypatch) -> None:
    guard = AwsKms(key)
    kept = KeyFile(tmp_path / "var.key", (guard,), guard)
    kept.create(token_bytes)
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        monkeypatch.setenv("AWS_ENDPOINT_URL_KMS", f"http://127.0.0.1:{closed.getsockname()[1]}")
        error = refusal(kept)
    assert (error.code, error.meaning.exit) == (Code.KEY_UNREACHABLE, Exit.UNAVAILABLE)


def test_without_credentials_it_is_a_clear_stop(kms, key, tmp_path, monkeypatch) -> None:
    guard = AwsKms(key)
    kept = KeyFile(tmp_path / "var.key", (guard,), guard)
    kept.create(token_bytes)
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    assert refusal(kept).code is Code.KEY_REFUSED


@pytest.mark.parametrize("address", ["aws-kms://", "aws-kms:alias/x", "kms://x"])
def test_an_address_that_names_no_key_is_refused(address) -> None:
    with pytest.raises(ValueError, match="does not name a key"):
        AwsKms.parse(address)
