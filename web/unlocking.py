"""The master key, as the settings say where it is kept and what guards it."""

from archive.causes import Cause
from archive.errors import Code, MunimentError
from archive.keys.aws_kms import AwsKms
from archive.keys.keyfile import Guard, KeyFile
from archive.keys.passphrase import Passphrase
from web.settings import Settings


def key_file(settings: Settings, passphrase: str | None = None) -> KeyFile:
    """Where the master keys are kept. It opens with the guard that it names and is written with the one that the
    settings name; a passphrase is kept as the guard of a file that no service or token guards.
    """
    asked = settings.guard
    secret = passphrase or _passphrase(settings)
    spoken = None if secret is None else Passphrase(secret)
    # KMS needs nothing of the settings to open, so that it can be left for another guard.
    openers: list[Guard] = [AwsKms(), *(each for each in (asked, spoken) if each is not None)]
    return KeyFile(settings.key_path, openers, asked or spoken)


def _passphrase(settings: Settings) -> str | None:
    """From the file that the settings name: never from the environment or the command line."""
    path = settings.passphrase_file
    if path is None:
        return None
    try:
        secret = path.read_text("utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError):
        raise MunimentError(Code.PATH_NOT_FOUND, path=str(path)) from None
    if not secret:
        problem = Cause(f"{path} 中没有口令", f"there is no passphrase in {path}")
        raise MunimentError(Code.SETTING_INVALID, key="passphrase_file", problem=problem)
    return secret
