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
    """Pictures that FFmpeg decodes from it."""
    outcome: str
    """"played", or a word of the reason for which it is refused."""

    @property
    def is_played(self) -> bool:
        return self.outcome == "played"

    def read(self) -> bytes:
        return (CORPUS / f"{self.name}.bin").read_bytes()


def captures() -> list[Capture]:
    """All of them, as the README's table says."""
    lines = (CORPUS / "README.md").read_text().splitlines()
    rows = [line.strip("|").split("|") for line in lines if line.startswith("| `")]
    return [_capture(*(cell.strip() for cell in row)) for row in rows]


def _capture(
    name: str, audio: str, last_audio: str, video: str, last_video: str, frames: str, outcome: str
) -> Capture:
    return Capture(
        name=name.strip("`"),
        audio_messages=int(audio),
        last_audio_ms=int(last_audio),
        video_messages=int(video),
        last_video_ms=int(last_video),
        frames=int(frames),
        outcome=outcome,
    )
