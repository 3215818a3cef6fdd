"""A frame of silence, to put where a publisher's sound is missing.

A player that has both tracks shows nothing of a time for which one of them is not there: when
the sound stops, the picture stops with it. So while it is gone its track goes on with frames that
hold nothing. For AAC-LC that is a frame without a single scale factor band (``max_sfb`` is 0), in
each of the elements that the channel configuration has; HE-AAC decoders take it for one without
SBR. What other codecs call silence depends on their encoder's settings, and none is made up here.
"""

from origin.media.aac import AacConfiguration
from origin.media.configuration import Configuration

# id_syn_ele (ISO/IEC 14496-3, table 4.85)
_SINGLE, _PAIR, _LOW_FREQUENCY, _END = 0, 1, 3, 7

_ELEMENTS = {
    1: (_SINGLE,),
    2: (_PAIR,),
    3: (_SINGLE, _PAIR),
    4: (_SINGLE, _PAIR, _SINGLE),
    5: (_SINGLE, _PAIR, _PAIR),
    6: (_SINGLE, _PAIR, _PAIR, _LOW_FREQUENCY),
}
"""By the number of channels, where the channel configuration alone says the layout (table 1.19)."""

_ICS_INFO = "0" + "00" + "0" + "000000" + "0"
"""Reserved; one long window; its shape; max_sfb; no prediction (4.4.2.1, table 4.6)."""
_GAIN = "00000000"
_NO_TOOLS = "000"
"""No pulses, no noise shaping, no gain control (table 4.50)."""


def silent_frame(configuration: Configuration) -> bytes | None:
    """Return a frame without sound, or None where none is known.

    A layout that is written out has other elements (``adts_index`` is None); so may a rate that
    is written out, but that is rare enough to be treated alike.
    """
    if not isinstance(configuration, AacConfiguration) or configuration.adts_index is None:
        return None
    elements = _ELEMENTS.get(configuration.channels)
    if elements is None:
        return None
    bits, seen = "", dict.fromkeys(elements, 0)
    for element in elements:
        bits += f"{element:03b}{seen[element]:04b}"
        seen[element] += 1
        if element == _PAIR:
            bits += "1" + _ICS_INFO + "00" + 2 * (_GAIN + _NO_TOOLS)
        else:
            bits += _GAIN + _ICS_INFO + _NO_TOOLS
    bits += f"{_END:03b}"
    bits += "0" * (-len(bits) % 8)
    return int(bits, 2).to_bytes(len(bits) // 8, "big")
