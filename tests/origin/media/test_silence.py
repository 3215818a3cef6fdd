"""A silent frame is silence to a decoder, however many channels it has."""

import av
import pytest
from av.packet import Packet

from origin.media.aac import AacConfiguration
from origin.media.configuration import Configuration
from origin.media.mp3 import Mp3Configuration
from origin.media.silence import silent_frame
from tests.support.frames import UNFIT_AUDIO, VIDEO

RECORDS = {
    "mono": ("1188", 1),
    "stereo": ("1190", 2),
    "3.0": ("1198", 3),
    "4.0": ("11a0", 4),
    "5.0": ("11a8", 5),
    "5.1": ("11b0", 6),
    "stereo at 44.1 kHz": ("1210", 2),
    "HE-AAC": ("2b118800", 2),
}


@pytest.mark.parametrize(("record", "channels"), RECORDS.values(), ids=RECORDS.keys())
def test_a_decoder_hears_nothing(record: str, channels: int) -> None:
    configuration = AacConfiguration.parse(bytes.fromhex(record))
    frame = silent_frame(configuration)
    assert frame is not None
    decoder = av.CodecContext.create("aac", "r")
    assert isinstance(decoder, av.AudioCodecContext)
    decoder.extradata = bytes.fromhex(record)
    heard = [sound for _ in range(4) for sound in decoder.decode(Packet(frame))]
    assert len(heard) == 4
    for sound in heard:
        assert sound.layout.nb_channels == channels
        assert sound.samples in (1024, 2048)
        assert not any(any(bytes(plane)) for plane in sound.planes)


@pytest.mark.parametrize(
    "configuration",
    [
        pytest.param(UNFIT_AUDIO.configuration, id="a rate that is written out"),
        pytest.param(AacConfiguration.parse(bytes.fromhex("11b8")), id="7.1"),
        pytest.param(Mp3Configuration.parse(bytes.fromhex("fffb9064")), id="MP3"),
        pytest.param(VIDEO.configuration, id="a picture"),
    ],
)
def test_of_others_no_silence_is_known(configuration: Configuration) -> None:
    assert silent_frame(configuration) is None
