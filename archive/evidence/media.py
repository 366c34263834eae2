"""What sound and film are: their length, their form and one picture, as ffprobe and ffmpeg find them in a cage.

The demuxer is named, never guessed, and only the file itself may be opened: some formats are lists of addresses
that ffmpeg would go and fetch.
"""

import json
import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from archive.errors import Code, MunimentError
from archive.evidence.kinds import EvidenceKind
from archive.evidence.programs import Errand, Running

_DEMUXERS = {
    EvidenceKind.MP3: "mp3",
    EvidenceKind.WAV: "wav",
    EvidenceKind.M4A: "mov",
    EvidenceKind.AAC: "aac",
    EvidenceKind.AMR: "amr",
    EvidenceKind.OGG: "ogg",
    EvidenceKind.FLAC: "flac",
    EvidenceKind.MP4: "mov",
    EvidenceKind.MOV: "mov",
    EvidenceKind.AVI: "avi",
    EvidenceKind.MKV: "matroska",
    EvidenceKind.FLV: "flv",
    EvidenceKind.WMV: "asf",
    EvidenceKind.MPEG: "mpeg",
    EvidenceKind.TS: "mpegts",
}
_ASKED = "format=duration:stream=codec_type,codec_name,width,height,avg_frame_rate,sample_rate,channels"
_POSTER_PIXELS = 1280  # a side, at most
_LATEST = 5.0  # seconds into a film where the picture is taken; earlier in short ones
_ANSWER = 1 << 20  # bytes that ffprobe may say


def find() -> tuple[Path, Path] | None:
    """Ffprobe and ffmpeg."""
    probe, ffmpeg = shutil.which("ffprobe"), shutil.which("ffmpeg")
    return (Path(probe).resolve(), Path(ffmpeg).resolve()) if probe and ffmpeg else None


def describe(
    programs: Running, tools: tuple[Path, Path], source: int, poster: int, kind: EvidenceKind, name: str
) -> dict[str, Any]:
    """``duration`` in seconds or none, and ``streams``; a JPEG is written to ``poster`` where there is a picture.

    :raises MunimentError: EVIDENCE_UNREADABLE, CONVERSION_TIMEOUT, SANDBOX_UNAVAILABLE.
    :raises Uncaged: they cannot be caged here.
    """
    demuxer = _DEMUXERS.get(kind)
    if demuxer is None:  # Tencent's SILK, which ffmpeg does not know
        return {"duration": None, "streams": []}
    probe, ffmpeg = tools
    given = f"/proc/self/fd/{source}"
    found = _probed(programs, probe, source, ("-f", demuxer, "-i", given), name)
    if any(each.get("codec_type") == "video" for each in found["streams"]):
        at = min(_LATEST, (found["duration"] or 0.0) / 10)
        for seconds in (at, 0.0) if at else (0.0,):  # an excerpt may hold the very beginning only
            asked = ("-ss", f"{seconds:.2f}", "-f", demuxer, "-i", given)
            if _draw(programs, ffmpeg, source, poster, asked, name):
                break
    return found


def _probed(programs: Running, probe: Path, source: int, given: Sequence[str], name: str) -> dict[str, Any]:
    said = os.memfd_create("said", os.MFD_CLOEXEC)
    try:
        arguments = ["-v", "quiet", *_CLOSED, "-of", "json", "-show_entries", _ASKED, *given]
        code = programs.run(_errand(probe, arguments, source, said), name)
        answer = json.loads(os.pread(said, _ANSWER, 0)) if code == 0 else {}
    except (ValueError, RecursionError):
        answer = {}
    finally:
        os.close(said)
    streams = [_plain(each) for each in answer.get("streams", []) if isinstance(each, dict)]
    if not any(each.get("codec_type") in ("audio", "video") for each in streams):
        raise MunimentError(Code.EVIDENCE_UNREADABLE, name=name)
    return {"duration": _seconds(answer.get("format", {}).get("duration")), "streams": streams[:8]}


def _draw(programs: Running, ffmpeg: Path, source: int, poster: int, given: Sequence[str], name: str) -> bool:
    """One picture, upright; nothing, and False, where none can be decoded."""
    scale = (
        f"scale='min({_POSTER_PIXELS},iw)':'min({_POSTER_PIXELS},ih)':force_original_aspect_ratio=decrease"
    )
    arguments = [
        *("-v", "quiet", "-nostdin", "-threads", "1", *_CLOSED, *given),
        *("-frames:v", "1", "-an", "-sn", "-dn", "-map_metadata", "-1", "-vf", scale),
        *(
            "-threads",
            "1",
            "-pix_fmt",
            "yuvj420p",
            "-c:v",
            "mjpeg",
            "-q:v",
            "4",
            "-f",
            "image2pipe",
            "pipe:1",
        ),
    ]
    os.lseek(poster, 0, os.SEEK_SET)
    if programs.run(_errand(ffmpeg, arguments, source, poster), name):
        os.ftruncate(poster, 0)
    return os.fstat(poster).st_size > 0


def _errand(program: Path, arguments: Sequence[str], source: int, output: int) -> Errand:
    return Errand(
        program, arguments, _ENVIRONMENT, readable=(program.parent,), passed=(source,), output=output
    )


def _plain(stream: Mapping[str, object]) -> dict[str, str]:
    return {key: str(value)[:40] for key, value in stream.items() if isinstance(value, str | int)}


def _seconds(value: object) -> float | None:
    try:
        seconds = float(str(value))
    except ValueError:
        return None
    return seconds if 0 <= seconds < 1e7 else None


_CLOSED = ("-protocol_whitelist", "file,pipe")
_ENVIRONMENT = {"PATH": os.defpath, "LANG": "C.UTF-8", "MALLOC_ARENA_MAX": "1"}
