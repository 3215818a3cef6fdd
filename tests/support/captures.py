"""The recorded RTMP sessions of tests/corpus/rtmp, with what is known about each."""

from dataclasses import dataclass
from pathlib import Path

CORPUS = Path(__file__).parent.parent / "corpus" / "rtmp"
HELLO_SIZE = 1537


@dataclass(frozen=True)
class Capture:
    """One row of the table in the corpus's README."""

    name: str
    audio_messages: int
    last_audio_ms: int
    video_messages: int
    last_video_ms: int
    frames: int
    """Pictures that FFmpeg decodes of the first video track."""
    sounds: int
    """Frames of the first audio track."""
    tracks: int
    """Of each kind."""

    def read(self) -> bytes:
        return (CORPUS / f"{self.name}.bin").read_bytes()


def captures() -> list[Capture]:
    """All of them, as the README's table says."""
    lines = (CORPUS / "README.md").read_text().splitlines()
    rows = [line.strip("|").split("|") for line in lines if line.startswith("| `")]
    return [_capture(*(cell.strip() for cell in row)) for row in rows]


def _capture(name: str, *numbers: str) -> Capture:
    return Capture(name.strip("`"), *map(int, numbers))
