import pytest
from hypothesis import given
from hypothesis import strategies as st

from origin.errors import MediaError
from origin.media.aac import AacConfiguration


def written(*fields: tuple[int, int]) -> bytes:
    """Pack (value, bits) into bytes, filled up with zeros."""
    text = "".join(f"{value:0{bits}b}" for value, bits in fields)
    return int(text.ljust(-(-len(text) // 8) * 8, "0"), 2).to_bytes(-(-len(text) // 8), "big")


LC, SBR, PS = 2, 5, 29
NO_FLAGS = (0, 3)  # frameLengthFlag, dependsOnCoreCoder, extensionFlag
SYNC_SBR = (0x2B7, 11)
# A program_config_element: front pair, one side, back pair, low frequency effects: 5.1 and one.
LAYOUT = (
    (0, 4), (1, 2), (3, 4), (1, 4), (1, 4), (1, 4), (1, 2), (0, 3), (0, 4), (0, 3),
    (1, 1), (0, 4), (0, 1), (0, 4), (1, 1), (1, 4), (0, 4), (0, 16),
)  # fmt: skip


@pytest.mark.parametrize(
    ("record", "codecs", "sample_rate", "channels"),
    [
        pytest.param("1190", "mp4a.40.2", 48_000, 2, id="LC"),
        pytest.param("1210", "mp4a.40.2", 44_100, 2, id="LC as OBS sends it"),
        pytest.param("1208", "mp4a.40.2", 44_100, 1, id="mono"),
        pytest.param("11b0", "mp4a.40.2", 48_000, 6, id="5.1"),
        pytest.param("11b8", "mp4a.40.2", 48_000, 8, id="7.1"),
        pytest.param("119056e500", "mp4a.40.2", 48_000, 2, id="FFmpeg: SBR is not there"),
        pytest.param("2b920800", "mp4a.40.5", 22_050, 2, id="HE-AAC, hierarchical"),
        pytest.param("eb8a0800", "mp4a.40.29", 22_050, 1, id="HE-AAC v2, hierarchical"),
        pytest.param("139056e5a0", "mp4a.40.5", 22_050, 2, id="HE-AAC, compatible"),
        pytest.param("138856e5a54880", "mp4a.40.29", 22_050, 1, id="HE-AAC v2, compatible"),
    ],
)
def test_records_of_encoders_are_read(
    record: str, codecs: str, sample_rate: int, channels: int
) -> None:
    configuration = AacConfiguration.parse(bytes.fromhex(record))
    assert configuration.record.hex() == record
    assert configuration.codecs == codecs
    assert configuration.sample_rate == sample_rate
    assert configuration.channels == channels
    assert configuration.samples_per_frame == 1024
    assert configuration.adts_index is not None


def test_a_rate_may_be_written_out_but_not_in_adts() -> None:
    record = written((LC, 5), (15, 4), (37_800, 24), (2, 4), NO_FLAGS)
    configuration = AacConfiguration.parse(record)
    assert configuration.sample_rate == 37_800
    assert configuration.adts_index is None


def test_a_channel_layout_may_be_written_out_but_not_in_adts() -> None:
    configuration = AacConfiguration.parse(written((LC, 5), (3, 4), (0, 4), NO_FLAGS, *LAYOUT))
    assert configuration.channels == 6
    assert configuration.adts_index is None


def test_short_frames_are_960_samples_and_not_for_adts() -> None:
    configuration = AacConfiguration.parse(written((LC, 5), (3, 4), (2, 4), (0b100, 3)))
    assert configuration.samples_per_frame == 960
    assert configuration.adts_index is None


def test_a_core_coder_delay_is_passed_over() -> None:
    fields = ((LC, 5), (6, 4), (2, 4), (0b01, 2), (0x1234, 14), (0, 1), SYNC_SBR, (SBR, 5), (1, 1))
    assert AacConfiguration.parse(written(*fields, (3, 4))).codecs == "mp4a.40.5"


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        pytest.param(b"", "ends after 0 bytes", id="empty"),
        pytest.param(b"\x11", "ends after 1 bytes", id="one byte"),
        pytest.param(written((1, 5), (3, 4), (2, 4), NO_FLAGS), "AAC-LC", id="Main"),
        pytest.param(written((31, 5), (10, 6), (3, 4), (2, 4)), "object type 42", id="xHE-AAC"),
        pytest.param(written((LC, 5), (13, 4), (2, 4), NO_FLAGS), "reserved", id="rate index 13"),
        pytest.param(written((LC, 5), (3, 4), (9, 4), NO_FLAGS), "reserved", id="9 channels"),
        pytest.param(written((LC, 5), (15, 4), (0, 24), (2, 4)), "at 0 samples", id="rate 0"),
        pytest.param(written((LC, 5), (3, 4), (0, 4), NO_FLAGS, (0, 80)), "without", id="silent"),
        pytest.param(b"\x11\x90" + bytes(63), "of 65 bytes", id="too long"),
    ],
)
def test_what_cannot_be_played_is_refused_with_a_reason(record: bytes, reason: str) -> None:
    with pytest.raises(MediaError, match=reason):
        AacConfiguration.parse(record)


@given(st.binary(max_size=70))
def test_garbage_raises_nothing_but_media_errors(data: bytes) -> None:
    try:
        configuration = AacConfiguration.parse(data)
    except MediaError:
        return
    assert configuration.channels > 0
    assert 7_350 <= configuration.sample_rate <= 96_000
