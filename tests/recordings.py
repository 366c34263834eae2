"""Small recordings, made by ffmpeg when a test first needs one."""

import shutil
import subprocess
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

needs_ffmpeg = pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="ffmpeg is not installed here")
TONE = ("-f", "lavfi", "-i", "sine=d=6")
PICTURE = ("-f", "lavfi", "-i", "testsrc2=s=320x240:d=6:r=10")
H264 = ("-c:v", "libx264", "-pix_fmt", "yuv420p", "-g", "10", "-c:a", "aac", "-shortest")


@cache
def record(extension: str, *arguments: str) -> bytes:
    """What ffmpeg makes of the arguments."""
    with TemporaryDirectory() as folder:
        path = Path(folder, f"x.{extension}")
        subprocess.run(["ffmpeg", "-v", "error", "-y", *arguments, str(path)], check=True)
        return path.read_bytes()


def film() -> bytes:
    """Six seconds of MP4 that browsers play; the index is at its end, as cameras write it."""
    return record("mp4", *PICTURE, *TONE, *H264)


def sound() -> bytes:
    """Six seconds of MP3."""
    return record("mp3", *TONE)
