"""Small recordings, made by ffmpeg when a test needs one."""

import shutil
import subprocess
from pathlib import Path

import pytest

needs_ffmpeg = pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="ffmpeg is not installed here")
TONE = ("-f", "lavfi", "-i", "sine=d=6")
PICTURE = ("-f", "lavfi", "-i", "testsrc2=s=320x240:d=6:r=10")


def record(path: Path, *arguments: str) -> bytes:
    """What ffmpeg makes of the arguments; its index is at the end of an MP4, as cameras write it."""
    subprocess.run(["ffmpeg", "-v", "error", "-y", *arguments, str(path)], check=True)
    return path.read_bytes()


def film(folder: Path) -> bytes:
    """Six seconds of MP4 that browsers play."""
    h264 = ("-c:v", "libx264", "-pix_fmt", "yuv420p", "-g", "10", "-c:a", "aac", "-shortest")
    return record(folder / "film.mp4", *PICTURE, *TONE, *h264)


def sound(folder: Path) -> bytes:
    """Six seconds of MP3."""
    return record(folder / "sound.mp3", *TONE)
