"""T1: transport stream segments (ISO/IEC 13818-1; RFC 8216, 3.2)."""

from collections.abc import Iterator
from itertools import pairwise

from tests.validator.media import Container, Kind
from tests.validator.reading import Recording, Rendition, Segment
from tests.validator.ts import (
    CLOCK,
    PID_NULL,
    PID_PAT,
    SERVICE_PIDS,
    WRAP,
    Packet,
    Transport,
    describe_access_unit,
)
from tests.validator.violation import Finding

PCR_STEP = CLOCK // 10
"""100 ms (2.7.2)."""
BUFFERED = CLOCK * 11 // 10
"""What is decoded stays at most a second in the buffer (2.4.2.6); and a little for rounding."""


def transport(recording: Recording) -> Iterator[Finding]:
    """T1."""
    for rendition in recording.renditions:
        if rendition.container is not Container.TS:
            continue
        for segment in rendition.segments:
            if segment.problem:
                yield Finding(segment.name, segment.problem)
            if segment.transport:
                for message in _segment_faults(segment, segment.transport):
                    yield Finding(segment.name, message)
        yield from _border_faults(rendition)


def _segment_faults(segment: Segment, transport: Transport) -> Iterator[str]:
    yield from _table_faults(transport)
    yield from _start_faults(segment, transport)
    yield from _clock_faults(transport)
    yield from _counter_faults(transport.packets)
    videos = transport.program.pids(Kind.VIDEO)
    for pes in transport.pes:
        fault = describe_access_unit(pes) if pes.pid in videos else None
        if fault:
            yield f"{fault} at {pes.dts}"
        if not pes.is_whole:
            yield f"PES packet on PID {pes.pid} at {pes.dts} is not whole"


def _table_faults(transport: Transport) -> Iterator[str]:
    """PAT and PMT come first; DVB's own tables and stuffing may stand before and between."""
    order = []
    for packet in transport.packets:
        if packet.pid not in order and packet.pid not in SERVICE_PIDS and packet.pid != PID_NULL:
            order.append(packet.pid)
    if order[:2] != [PID_PAT, transport.program.pid]:
        yield f"PIDs begin in the order {order}"
    elementary = [pid for pid in order if pid in transport.program.streams]
    strangers = set(order) - {PID_PAT, transport.program.pid, *elementary}
    if strangers:
        yield f"PIDs {sorted(strangers)} are in no table"


def _start_faults(segment: Segment, transport: Transport) -> Iterator[str]:
    program = transport.program
    videos, audios = program.pids(Kind.VIDEO), program.pids(Kind.AUDIO)
    if program.pcr_pid not in (videos or audios):
        yield f"PCR on PID {program.pcr_pid}, video {videos}, audio {audios}"
        return
    first = next((each for each in transport.packets if each.pid == program.pcr_pid), None)
    if first is None or first.pcr is None or not first.starts:
        yield "the first packet of the leading track has no PCR"
        return
    lead = next(run for run in segment.runs if run.track == program.pcr_pid)
    if first.random_access != lead.frames[0].is_sync:
        yield f"random_access_indicator is {first.random_access}"


def _clock_faults(transport: Transport) -> Iterator[str]:
    """PCRs come often, step forward, and stand shortly before what they are the clock of."""
    clocks = [packet for packet in transport.packets if packet.pcr is not None]
    if any(packet.pid != transport.program.pcr_pid for packet in clocks):
        yield "PCR on more than one PID"
    for before, after in pairwise(_pcrs(transport)):
        if not 0 < after - before <= PCR_STEP:
            yield f"PCR steps by {(after - before) * 1000 / CLOCK:.1f} ms"
    first_of = {pes.first: pes for pes in transport.pes}
    pcr: int | None = None
    for index, packet in enumerate(transport.packets):
        pcr = packet.pcr if packet.pcr is not None else pcr
        pes = first_of.get(index)
        if pes and pcr is not None:
            ahead = (pes.dts - pcr + WRAP // 2) % WRAP - WRAP // 2
            if not 0 <= ahead <= BUFFERED:
                yield f"PID {pes.pid} at {pes.dts} is {ahead} ticks ahead of the PCR"


def _pcrs(transport: Transport) -> list[int]:
    """Continued over the wrap."""
    found: list[int] = []
    for packet in transport.packets:
        if packet.pcr is not None:
            last = found[-1] if found else packet.pcr
            found.append(last + (packet.pcr - last + WRAP // 2) % WRAP - WRAP // 2)
    return found


def _counter_faults(packets: tuple[Packet, ...]) -> Iterator[str]:
    """Within the segment (2.4.3.3): one more for each packet with a payload, else the same."""
    last: dict[int, int] = {}
    for packet in packets:
        if packet.pid in last and not packet.discontinuity and packet.pid != PID_NULL:
            expected = (last[packet.pid] + packet.has_payload) % 16
            if packet.counter != expected:
                yield f"PID {packet.pid}: counter {packet.counter}, not {expected}"
        last[packet.pid] = packet.counter


def _border_faults(rendition: Rendition) -> Iterator[Finding]:
    """What goes on from segment to segment: the counters of every PID, and the PCR."""
    counters: dict[int, int] = {}
    clock: int | None = None
    previous: Segment | None = None
    for segment in rendition.segments:
        is_next = previous is not None and segment.msn == previous.msn + 1
        if segment.begins_domain or not is_next or segment.transport is None:
            counters.clear()
            clock = None
        previous = segment
        if segment.transport is None:
            continue
        for pid, first in _first_packets(segment.transport).items():
            expected = (counters.get(pid, first.counter - 1) + first.has_payload) % 16
            if pid in counters and first.counter != expected and not first.discontinuity:
                yield Finding(segment.name, f"PID {pid}: counter {first.counter}, not {expected}")
        pcrs = [packet.pcr for packet in segment.transport.packets if packet.pcr is not None]
        if clock is not None and pcrs and not 0 < (pcrs[0] - clock) % WRAP <= PCR_STEP:
            yield Finding(segment.name, f"PCR goes from {clock} to {pcrs[0]} between segments")
        counters.update({packet.pid: packet.counter for packet in segment.transport.packets})
        clock = pcrs[-1] if pcrs else None


def _first_packets(transport: Transport) -> dict[int, Packet]:
    return {packet.pid: packet for packet in reversed(transport.packets) if packet.pid != PID_NULL}
