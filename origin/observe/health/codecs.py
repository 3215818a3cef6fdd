"""Who can play the codecs, and what their configuration says in the words of an encoder's settings.

Browsers are named as of early 2026, for fragmented MP4 in Media Source Extensions.
"""

from origin.media.coded import Codec
from origin.media.configuration import AudioConfiguration, VideoConfiguration
from origin.observe.health.codes import Code, Level
from origin.observe.health.second import Second

NAMES = {
    Codec.AVC: "H.264", Codec.HEVC: "HEVC", Codec.AV1: "AV1", Codec.VP9: "VP9", Codec.AAC: "AAC",
    Codec.MP3: "MP3", Codec.OPUS: "Opus", Codec.FLAC: "FLAC", Codec.AC3: "AC-3",
    Codec.EAC3: "E-AC-3",
}  # fmt: skip

NOT_EVERYWHERE = {
    Codec.HEVC: "HEVC plays in Safari, and in Chrome, Edge and Firefox where the machine has a "
    "decoder for it",
    Codec.AV1: "AV1 plays in Chrome, Edge and Firefox, and in Safari only on devices with a "
    "decoder for it (iPhone 15 Pro, M3 and later)",
    Codec.AC3: "AC-3 plays in Safari and Edge, not in Chrome or Firefox",
    Codec.EAC3: "E-AC-3 plays in Safari and Edge, not in Chrome or Firefox",
}
REMEDY = {
    Codec.HEVC: "set Settings > Output > Video Encoder to H.264, or add an H.264 track",
    Codec.AV1: "set Settings > Output > Video Encoder to H.264, or add an H.264 track",
    Codec.AC3: "set the encoder's audio to AAC",
    Codec.EAC3: "set the encoder's audio to AAC",
}


class Codecs:
    """The codecs of all tracks of a publish."""

    codes = (Code.CODEC_NOT_EVERYWHERE,)

    def __init__(self) -> None:
        self.video: VideoConfiguration | None = None
        self.audio: AudioConfiguration | None = None
        self._others: set[Codec] = set()

    def take(self, second: Second) -> None:
        """Codecs change with headers, not with seconds."""

    def meet(self, codec: Codec) -> None:
        """There is a track of this codec beside the leading ones."""
        self._others.add(codec)

    def look(self) -> tuple[Level]:
        return (Level.WARNING if self._doubtful() is not None else Level.FINE,)

    def _doubtful(self) -> Codec | None:
        video = self.video.codec if self.video is not None else None
        if video in NOT_EVERYWHERE and Codec.AVC not in self._others:
            return video
        audio = self.audio.codec if self.audio is not None else None
        return audio if audio in NOT_EVERYWHERE and Codec.AAC not in self._others else None

    def say(self, code: Code) -> str:
        """The finding in words."""
        codec = self._doubtful()
        return f"{NOT_EVERYWHERE[codec]}: {REMEDY[codec]}." if codec is not None else ""


AVC_PROFILES = {
    66: "Baseline", 77: "Main", 88: "Extended", 100: "High", 110: "High 10", 122: "High 4:2:2",
    244: "High 4:4:4 Predictive",
}  # fmt: skip
CONSTRAINED = 0x40
"""constraint_set1_flag: Baseline without what nobody decodes (ITU-T H.264, A.2.1.1)."""
HEVC_PROFILES = {"1": "Main", "2": "Main 10", "3": "Main Still Picture", "4": "Range Extensions"}
AV1_PROFILES = {"0": "Main", "1": "High", "2": "Professional"}


def profile_and_level(codecs: str) -> tuple[str | None, str | None]:
    """Read both out of an RFC 6381 string that one of our configurations has made."""
    name, _, rest = codecs.partition(".")
    fields = rest.split(".")
    try:
        match name:
            case "avc1" | "avc3":
                return _of_avc(bytes.fromhex(rest))
            case "hvc1" | "hev1":
                level = int(fields[2][1:]) / 30
                return HEVC_PROFILES.get(fields[0]), f"{level:.1f}"
            case "av01":
                index = int(fields[1][:-1])
                return AV1_PROFILES.get(fields[0]), f"{2 + index // 4}.{index % 4}"
            case "vp09":
                return f"Profile {int(fields[0])}", f"{int(fields[1]) / 10:.1f}"
            case _:
                pass
    except (ValueError, IndexError):
        pass
    return None, None


def _of_avc(indication: bytes) -> tuple[str | None, str | None]:
    profile, constraints, level = indication
    name = AVC_PROFILES.get(profile)
    if name == "Baseline" and constraints & CONSTRAINED:
        name = "Constrained Baseline"
    return name, f"{level / 10:.1f}"
