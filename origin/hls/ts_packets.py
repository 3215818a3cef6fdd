"""From what a TS muxer writes to what an HLS segment must be (ISO/IEC 13818-1, 2.4.3).

Each segment is muxed on its own, when someone asks for it, in whatever order they are asked
for; yet their continuity counters must go on from one to the next as if they were one stream.
No state can carry them over, so the numbers are made to come out even:

* Each segment has one PAT and one PMT, numbered by its media sequence number.
* On every other PID, each segment has a multiple of sixteen packets with payload. So each one
  begins at 0 and ends at 15. The packets that are wanting are gained by splitting one packet's
  payload over several, filled up with adaptation field stuffing: at most 15 packets per PID.

Further: the tables come first and once; the first packet after them is of the PID that
carries the clock, with random_access_indicator and PCR; and where frames are far apart,
packets without payload keep PCRs less than 100 ms apart (2.7.2), up to the segment's end.

All of this looks at the packets that begin a frame, not at every packet.
"""

from itertools import pairwise

from origin.errors import MediaError

PACKET_BYTES = 188
PAYLOAD_BYTES = 184
SYNC_BYTE = 0x47
PID_PAT = 0x0000
PID_SDT = 0x0011
PID_PMT = 0x0020
PID_FIRST_MEDIA = 0x0101
"""Media PIDs count up from here; the first one carries the PCR. Their high bytes are alike, and
their low bytes unlike any other PID's, so that they can be found with ``bytes.find``."""

COUNTER_CYCLE = 16
UNIT_START = 0x40  # payload_unit_start_indicator, in the second byte
HAS_ADAPTATION = 0x20
HAS_PAYLOAD = 0x10
HAS_PCR = 0x10  # in the adaptation field's flags
STUFFING = b"\xff"
PES_HEADER_ROOM = 32  # a PES header with PTS and DTS, and what follows, stays in one packet

MEDIA_UNIT_START = UNIT_START | PID_FIRST_MEDIA >> 8
PCR_WRAP = 2**33
PCR_BYTES = 6
CLOCK_LEAD = 63_000  # 700 ms in ticks of 90 kHz; at most a second may be buffered (2.4.2.6)
LONGEST_PCR_GAP = 90 * 90  # in ticks of 90 kHz; 100 ms are allowed (2.7.2)


def settle(muxed: bytes, *, sequence: int, media_pids: int, begins_at: int, ends_at: int) -> bytes:
    """Turn a muxer's output into a segment.

    ``sequence`` is its media sequence number. It lasts from ``begins_at`` to ``ends_at``, in ticks
    of 90 kHz.
    """
    pat, pmt = _first(muxed, PID_PAT), _first(muxed, PID_PMT)
    media = _begin_with_clock(_without_tables(muxed))
    for pid in range(PID_FIRST_MEDIA, PID_FIRST_MEDIA + media_pids):
        media = _fill_up(media, pid)
    media = _keep_clock(media, begins_at, ends_at)
    return _numbered(pat, sequence) + _numbered(pmt, sequence) + media


def _first(packets: bytes, pid: int) -> bytes:
    for at in range(0, len(packets), PACKET_BYTES):
        if (packets[at + 1] & 0x1F) << 8 | packets[at + 2] == pid:
            return packets[at : at + PACKET_BYTES]
    raise MediaError(f"a transport stream without PID {pid}")


def _without_tables(packets: bytes) -> bytes:
    """Drop PAT, PMT and SDT; they lie between frames, so most packets stay in long runs."""
    low_bytes = packets[2::PACKET_BYTES]
    tables = sorted(
        index for pid in (PID_PAT, PID_PMT, PID_SDT) for index in _indexes(low_bytes, pid & 0xFF)
    )
    kept: list[bytes] = []
    begin = 0
    for index in [*tables, len(low_bytes)]:
        kept.append(packets[begin * PACKET_BYTES : index * PACKET_BYTES])
        begin = index + 1
    return b"".join(kept)


def _begin_with_clock(packets: bytes) -> bytes:
    """Move what precedes the first frame of the PCR's PID behind that frame."""
    low_bytes = packets[2::PACKET_BYTES]
    first = low_bytes.find(PID_FIRST_MEDIA & 0xFF)
    if first <= 0:
        return packets
    end = first
    while end < len(low_bytes) and low_bytes[end] == PID_FIRST_MEDIA & 0xFF:
        end += 1
        if end < len(low_bytes) and packets[end * PACKET_BYTES + 1] & UNIT_START:
            break
    lead, frame = first * PACKET_BYTES, end * PACKET_BYTES
    return packets[lead:frame] + packets[:lead] + packets[frame:]


def _fill_up(packets: bytes, pid: int) -> bytes:
    """Make the number of packets on a PID a multiple of sixteen, and number them."""
    low_bytes = packets[2::PACKET_BYTES]
    wanting = -low_bytes.count(pid & 0xFF) % COUNTER_CYCLE
    if wanting == 0:
        return packets
    index = _splittable(packets, low_bytes, pid, wanting + 1)
    begin = index * PACKET_BYTES
    number = packets[begin + 3] & 0x0F
    pieces = [
        _numbered(piece, number + offset)
        for offset, piece in enumerate(_split(packets[begin : begin + PACKET_BYTES], wanting + 1))
    ]
    rest = bytearray(packets[begin + PACKET_BYTES :])
    following = number + len(pieces)
    for offset in _indexes(low_bytes[index + 1 :], pid & 0xFF):
        counter = offset * PACKET_BYTES + 3
        rest[counter] = rest[counter] & 0xF0 | following % COUNTER_CYCLE
        following += 1
    return packets[:begin] + b"".join(pieces) + bytes(rest)


def _splittable(packets: bytes, low_bytes: bytes, pid: int, parts: int) -> int:
    """Find the last packet of a PID with payload for ``parts``, rather not a frame's first."""
    fallback = None
    index = len(low_bytes)
    while (index := low_bytes.rfind(pid & 0xFF, 0, index)) >= 0:
        packet = packets[index * PACKET_BYTES : (index + 1) * PACKET_BYTES]
        if len(_payload(packet)) < parts:
            continue
        if not packet[1] & UNIT_START:
            return index
        if fallback is None:
            fallback = index
    if fallback is None:
        raise MediaError(f"no packet of PID {pid} has {parts} bytes of payload")
    return fallback


def _split(packet: bytes, parts: int) -> list[bytes]:
    """Spread a packet's payload over several packets."""
    payload = _payload(packet)
    share = len(payload) // parts
    head = max(share, min(len(payload) - parts + 1, PES_HEADER_ROOM))
    cuts = [head]
    for left in range(parts - 1, 0, -1):
        cuts.append(cuts[-1] + (len(payload) - cuts[-1]) // left)
    fields = packet[5 : PACKET_BYTES - len(payload)] if packet[3] & HAS_ADAPTATION else b""
    later = bytes([packet[1] & ~UNIT_START])
    first = _stuffed(packet[1:2], packet[2], fields, payload[:head])
    return [first] + [
        _stuffed(later, packet[2], b"", payload[begin:end]) for begin, end in pairwise(cuts)
    ]


def _stuffed(second: bytes, third: int, fields: bytes, payload: bytes) -> bytes:
    """Write a packet whose adaptation field takes all the room that the payload leaves."""
    room = PAYLOAD_BYTES - 1 - len(payload)
    adaptation = ((fields or b"\x00") + STUFFING * room)[:room]
    head = bytes([SYNC_BYTE, *second, third, HAS_ADAPTATION | HAS_PAYLOAD, room])
    return head + adaptation + payload


def _payload(packet: bytes) -> bytes:
    return packet[5 + packet[4] :] if packet[3] & HAS_ADAPTATION else packet[4:]


def _keep_clock(packets: bytes, begins_at: int, ends_at: int) -> bytes:
    """Insert packets that carry a PCR and nothing else wherever two PCRs are too far apart.

    And let frames arrive in time: the muxer's clock says when they are decoded.
    """
    clocks = _clocks(packets)
    if not clocks:  # the track that carries the clock is silent
        packets = _clock_packet(begins_at, COUNTER_CYCLE - 1) + packets
        clocks = [(0, begins_at)]
    count = len(packets) // PACKET_BYTES
    low_bytes = packets[2::PACKET_BYTES]
    timed = bytearray(packets)
    kept: list[bytes | bytearray] = []
    copied = 0
    ends = [*clocks[1:], (count, ends_at)]
    for (index, at), (next_index, next_at) in zip(clocks, ends, strict=True):
        pcr_begins = index * PACKET_BYTES + 6
        timed[pcr_begins : pcr_begins + PCR_BYTES] = _pcr(at)
        gap = (next_at - at) % PCR_WRAP
        extra = -(-gap // LONGEST_PCR_GAP) - 1 if gap < PCR_WRAP // 2 else 0
        for step in range(1, extra + 1):
            place = max(index + 1, index + (next_index - index) * step // (extra + 1))
            kept.append(timed[copied * PACKET_BYTES : place * PACKET_BYTES])
            last = low_bytes.rfind(PID_FIRST_MEDIA & 0xFF, 0, place)
            counter = packets[last * PACKET_BYTES + 3]
            kept.append(_clock_packet(at + gap * step // (extra + 1), counter))
            copied = place
    kept.append(timed[copied * PACKET_BYTES :])
    return b"".join(kept)


def _clocks(packets: bytes) -> list[tuple[int, int]]:
    """List the packets with a PCR, and its value: the muxer puts it where a frame begins."""
    low_bytes = packets[2::PACKET_BYTES]
    clocks: list[tuple[int, int]] = []
    for index in _indexes(packets[1::PACKET_BYTES], MEDIA_UNIT_START):
        begin = index * PACKET_BYTES
        has_fields = packets[begin + 3] & HAS_ADAPTATION and packets[begin + 4]
        is_clock = low_bytes[index] == PID_FIRST_MEDIA & 0xFF and has_fields
        if is_clock and packets[begin + 5] & HAS_PCR:
            clocks.append((index, int.from_bytes(packets[begin + 6 : begin + 11], "big") >> 7))
    return clocks


def _clock_packet(at: int, counter: int) -> bytes:
    """Write a packet without payload: its counter is that of the one before (2.4.3.3)."""
    pid = PID_FIRST_MEDIA.to_bytes(2, "big")
    head = bytes([SYNC_BYTE, *pid, HAS_ADAPTATION | counter & 0x0F, PAYLOAD_BYTES - 1, HAS_PCR])
    return (head + _pcr(at)).ljust(PACKET_BYTES, STUFFING)


def _pcr(at: int) -> bytes:
    """Write a PCR: 33 bits of it, six reserved ones, and an extension of 0 (2.4.3.5)."""
    return ((at - CLOCK_LEAD) % PCR_WRAP << 15 | 0x3F << 9).to_bytes(PCR_BYTES, "big")


def _numbered(packet: bytes, counter: int) -> bytes:
    return packet[:3] + bytes([packet[3] & 0xF0 | counter % COUNTER_CYCLE]) + packet[4:]


def _indexes(column: bytes, value: int) -> list[int]:
    """List where a byte occurs."""
    indexes: list[int] = []
    index = column.find(value)
    while index >= 0:
        indexes.append(index)
        index = column.find(value, index + 1)
    return indexes
