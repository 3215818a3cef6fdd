"""The FLV files of tests/corpus/flv: real records and frames, as they come over RTMP."""

from dataclasses import dataclass
from pathlib import Path

from origin.media.coded import Coded, CodedFrame, MediaKind, SequenceEnd, TrackId
from origin.media.configuration import Configuration
from origin.media.description import Description
from origin.rtmp.flv import read_audio, read_video

CORPUS = Path(__file__).parent.parent / "corpus" / "flv"
FILE_HEADER, TAG_HEADER, TAG_SIZE = 13, 11, 4
AUDIO, VIDEO = 8, 9


@dataclass(frozen=True)
class FlvFile:
    """One row of the table in the corpus's README."""

    name: str
    pictures: int
    sounds: int
    samples: int
    """Of sound."""

    @property
    def path(self) -> Path:
        return CORPUS / f"{self.name}.flv"

    def tags(self) -> list[tuple[int, int, bytes]]:
        """What a publisher would send: times in milliseconds, AUDIO or VIDEO, and bodies."""
        data, at = self.path.read_bytes(), FILE_HEADER
        found: list[tuple[int, int, bytes]] = []
        while at < len(data):
            size = int.from_bytes(data[at + 1 : at + 4], "big")
            time = int.from_bytes(data[at + 4 : at + 7], "big") | data[at + 7] << 24
            body = data[at + TAG_HEADER : at + TAG_HEADER + size]
            if data[at] in (AUDIO, VIDEO):
                found.append((time, data[at], body))
            at += TAG_HEADER + size + TAG_SIZE
        return found

    def units(self) -> list[tuple[int, Coded]]:
        """What these messages hold, with their times."""
        return [
            (at, unit)
            for at, kind, body in self.tags()
            for unit in (read_video if kind == VIDEO else read_audio)(body)
        ]

    def frames(self, kind: MediaKind) -> list[CodedFrame]:
        units = [unit for _, unit in self.units() if isinstance(unit, CodedFrame)]
        return [unit for unit in units if unit.track.kind is kind]

    def configuration(self, kind: MediaKind) -> Configuration:
        """What comes of all that is said of the only track of a kind."""
        description = Description()
        for _, unit in self.units():
            if unit.track != TrackId(kind, 0) or isinstance(unit, SequenceEnd):
                continue
            if isinstance(unit, CodedFrame):
                description.learn(unit)
            else:
                description.take(unit)
        assert description.configuration is not None
        return description.configuration


def flv_files() -> list[FlvFile]:
    """All of them, as the README's table says."""
    lines = (CORPUS / "README.md").read_text().splitlines()
    rows = [line.strip("|").split("|") for line in lines if line.startswith("| `")]
    return [FlvFile(row[0].strip(" `"), *map(int, row[1:])) for row in rows]


def flv_file(name: str) -> FlvFile:
    return next(file for file in flv_files() if file.name == name)
