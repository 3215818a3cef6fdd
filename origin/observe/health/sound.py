"""The sound: there, silent, and for how many loudspeakers.

Silence is told from the sizes of packets. An encoder that is given digital silence (a muted
microphone, no device) and may use fewer bits than it has needs next to none: FFmpeg's AAC encoder,
which OBS uses on Linux, sends six bytes for a stereo frame, libopus three for one of 20 ms. What
is not found out: silence from an encoder that fills its frames up (Apple's AAC, MP3), and silence
that is not digital, such as the hiss of an open microphone.
"""

from origin.media.coded import Codec
from origin.media.configuration import AudioConfiguration
from origin.observe.health.codes import Code, Level
from origin.observe.health.second import Declared, Second

MISSING_S = 5
"""Seconds of pictures without a sound. Encoders send both within one."""

SILENT_S = 6
"""Between two songs, or before the first word, there is less."""

SILENT_BYTES = {Codec.AAC: 10, Codec.OPUS: 5}
"""The largest frame of silence, per channel. A voice at the lowest rates takes 30 and more."""

MOST_CHANNELS = 2
"""What every browser, every platform and every telephone plays."""

_FINE = Level.FINE


class Sound:
    """The leading sound."""

    codes = (Code.AUDIO_MISSING, Code.AUDIO_SILENT, Code.AUDIO_CHANNELS)

    def __init__(self) -> None:
        self.declared = Declared()
        self.configuration: AudioConfiguration | None = None
        self._missing = 0
        self._silent = 0
        self._was_heard = False

    def take(self, second: Second) -> None:
        if second.sounds:
            self._missing = 0
            self._was_heard = True
            self._silent = self._silent + 1 if self._is_silent(second) else 0
        else:
            self._silent = 0
            self._missing += second.pictures > 0

    def _is_silent(self, second: Second) -> bool:
        if self.configuration is None:
            return False
        most = SILENT_BYTES.get(self.configuration.codec, 0) * self.configuration.channels
        return second.largest_sound <= most

    def look(self) -> tuple[Level, Level, Level]:
        channels = self.configuration.channels if self.configuration is not None else 0
        return (
            self._missing_level() if self._missing >= MISSING_S else _FINE,
            Level.WARNING if self._silent >= SILENT_S else _FINE,
            Level.WARNING if channels > MOST_CHANNELS else _FINE,
        )

    def _missing_level(self) -> Level:
        is_wanted = self._was_heard or self.declared.has_audio or self.configuration is not None
        return Level.WARNING if is_wanted else Level.NOTE

    def say(self, code: Code) -> str:
        """The finding in words."""
        if code is Code.AUDIO_MISSING:
            return (
                f"There has been no sound for {self._missing} s: choose a device in Settings > "
                "Audio > Global Audio Devices, and an audio track in Settings > Output."
            )
        if code is Code.AUDIO_SILENT:
            return (
                f"The sound has been silence for {self._silent} s: see whether anything moves in "
                "the Audio Mixer, and whether the right device is chosen in Settings > Audio."
            )
        channels = self.configuration.channels if self.configuration is not None else 0
        return (
            f"The sound has {channels} channels, which many viewers cannot play: set Settings > "
            "Audio > Channels to Stereo."
        )
