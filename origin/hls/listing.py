"""Which variants the multivariant playlist has, which sounds to choose from, and their order.

* The first variant is what many players begin with, before they know their connection: it is the
  best one of at most ``FIRST_BANDWIDTH``. The others follow from the best one down.
* A variant's rates and codecs are those of all that a player loads for it: of the pictures, and of
  the largest sound of the group (RFC 8216, 4.3.4.2). Rates were measured so.
* Sounds are called what the publisher calls them; no two have the same name (4.3.4.1.1). The first
  one is the default.
* In TS each variant has the first sound in it, and there is nothing to choose.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from origin.hls.multivariant import Sound, Variant, multivariant_playlist
from origin.hls.playlist import Container
from origin.hls.rendition import Rendition
from origin.media.configuration import AudioConfiguration

FIRST_BANDWIDTH = 2_500_000
"""Bits per second: the default variant should be one of 2,000 kbit/s on average (HLS authoring
specification for Apple devices, 9.14), and BANDWIDTH is the peak."""

GROUP = "sound"
LONGEST_NAME = 64
UNDETERMINED = "und"  # ISO 639-2: as good as nothing
_LANGUAGE = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*")
_UNQUOTABLE = re.compile(r'["\x00-\x1f\x7f-\x9f]')


@dataclass(frozen=True, slots=True)
class SoundName:
    """What a publisher calls a sound."""

    title: str | None = None
    language: str | None = None


def listing(
    container: Container,
    renditions: Sequence[Rendition],
    names: Mapping[int, SoundName],
    *,
    independent_segments: bool,
) -> str | None:
    """Write the multivariant playlist of these renditions; None where there is none of them.

    Each must have been measured.
    """
    pictures = [rendition for rendition in renditions if not rendition.name.startswith("a")]
    sounds = [rendition for rendition in renditions if rendition.name.startswith("a")]
    if container is Container.TS:
        beside, group = [], None
    else:
        beside, group = sounds, GROUP if sounds else None
    variants = [_variant(container, rendition, beside, group) for rendition in pictures]
    if not pictures and sounds:
        variants = [_variant(container, sounds[0], beside[1:], group)]
    if not variants:
        return None
    return multivariant_playlist(
        container,
        in_order(variants),
        independent_segments=independent_segments,
        sounds=list(_sounds(beside, names)),
    )


def in_order(variants: Sequence[Variant]) -> list[Variant]:
    """Put the one to begin with first, and the others from the best one down."""
    down = sorted(variants, key=lambda variant: -variant.bandwidth)
    first = next((each for each in down if each.bandwidth <= FIRST_BANDWIDTH), down[-1])
    return [first, *(variant for variant in down if variant is not first)]


def _variant(
    container: Container, rendition: Rendition, beside: Sequence[Rendition], group: str | None
) -> Variant:
    said = rendition.announced[container]
    others = [sound.announced[container] for sound in beside]
    codecs = [each.codecs for each in (said, *others) if each.codecs is not None]
    return Variant(
        uri=_uri(rendition),
        bandwidth=said.bandwidth,
        average_bandwidth=said.average_bandwidth or 0,
        codecs=",".join(dict.fromkeys(codec for each in codecs for codec in each.split(","))),
        resolution=said.resolution,
        frame_rate=said.frame_rate,
        video_range=said.video_range,
        audio=group,
    )


def _sounds(renditions: Sequence[Rendition], names: Mapping[int, SoundName]) -> Iterator[Sound]:
    taken: set[str] = set()
    spoken: set[str | None] = set()
    for index, rendition in enumerate(renditions):
        told = names.get(int(rendition.name[1:]), SoundName())
        name, language = _name(told, index + 1, taken), _language(told)
        yield Sound(
            uri=_uri(rendition),
            group=GROUP,
            name=name,
            language=language,
            is_default=index == 0,
            is_automatic=language not in spoken,
            channels=_channels(rendition),
        )
        taken.add(name)
        spoken.add(language)


def _language(told: SoundName) -> str | None:
    language = told.language or UNDETERMINED
    is_known = _LANGUAGE.fullmatch(language) and language != UNDETERMINED
    return language if is_known else None


def _name(told: SoundName, number: int, taken: set[str]) -> str:
    """Choose a name that no other sound has; it stands in quotes, in one line."""
    title = _UNQUOTABLE.sub("", told.title or "").strip()[:LONGEST_NAME]
    name = title or told.language or f"Audio {number}"
    name = _UNQUOTABLE.sub("", name)[:LONGEST_NAME]
    while name in taken:
        name = f"{name} ({number})"
    return name


def _channels(rendition: Rendition) -> int | None:
    configurations = [track.configuration for track in rendition.tracks]
    found = [each.channels for each in configurations if isinstance(each, AudioConfiguration)]
    return found[0] if found else None


def _uri(rendition: Rendition) -> str:
    return f"{rendition.name}/index.m3u8"
