"""The rules by their names, and the judgement of a session by all of them.

The names are those of the project's checklist; what each asks for is said where it is written.
"""

from collections.abc import Mapping

from tests.validator import (
    clock_rules,
    fmp4_rules,
    http_rules,
    low_latency_rules,
    multivariant_rules,
    playlist_rules,
    reload_rules,
    rendition_rules,
    sequence_rules,
    time_rules,
    ts_rules,
    viewer_rules,
)
from tests.validator.reading import read
from tests.validator.session import Session
from tests.validator.violation import Rule, Violation

RULES: Mapping[str, Rule] = {
    "P1": playlist_rules.head_tags,
    "P2": playlist_rules.protocol_version,
    "P3": playlist_rules.target_duration,
    "P4": sequence_rules.media_sequence,
    "P5": sequence_rules.discontinuity_sequence,
    "P6": sequence_rules.discontinuity_tags,
    "P7": time_rules.program_date_time,
    "P8": playlist_rules.independent_segments,
    "P9": time_rules.durations,
    "P10": playlist_rules.media_initialization,
    "P11": low_latency_rules.server_control,
    "P12": low_latency_rules.part_lengths,
    "P13": low_latency_rules.independent_parts,
    "P14": low_latency_rules.listed_parts,
    "P15": reload_rules.hints,
    "P16": reload_rules.blocking_reloads,
    "P17": reload_rules.delta_updates,
    "P18": reload_rules.rendition_reports,
    "P19": low_latency_rules.gaps,
    "P20": sequence_rules.end,
    "P23": playlist_rules.plain_text,
    "V1": multivariant_rules.multivariant,
    "V2": rendition_rules.agreement,
    "F1": fmp4_rules.initialization,
    "F2": fmp4_rules.fragments,
    "F3": fmp4_rules.decode_times,
    "F4": fmp4_rules.composition,
    "F5": fmp4_rules.flags,
    "F6": clock_rules.producer_times,
    "T1": ts_rules.transport,
    "H1": http_rules.cache_control,
    "H2": http_rules.validators,
    "H3": http_rules.age,
    "H4": http_rules.cross_origin,
    "H5": http_rules.content_types,
    "H6": http_rules.compression,
    "H7": http_rules.ranges,
    "H8": http_rules.head,
    "W1": viewer_rules.kept,
    "W2": viewer_rules.continuity,
    "W3": viewer_rules.freshness,
    "W4": viewer_rules.presence,
}


def validate(session: Session) -> list[Violation]:
    """Everything that is wrong with the session; an empty list is what tests ask for."""
    recording = read(session)
    return [
        Violation(name, finding.where, finding.message)
        for name, rule in RULES.items()
        for finding in rule(recording)
    ]
