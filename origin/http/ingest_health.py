"""What a streamer is told of the stream: its health now, and what a bandwidth test has shown.

Nothing here is secret: no key, and no address of a publisher.
"""

from datetime import datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Path, Response
from pydantic import BaseModel, Field

from origin.http.problems import ANY_PROBLEM, NotHere
from origin.http.state import StreamsDependency
from origin.observe.health.codes import Finding, Level
from origin.observe.health.report import Report
from origin.streams.bandwidth import BandwidthTest

router = APIRouter(prefix="/api/v1", tags=["ingest"], responses=ANY_PROBLEM)

SEVERITIES = {Level.NOTE: "note", Level.WARNING: "warning", Level.ERROR: "error"}
Name = Annotated[str, Path(description="the stream's name")]


class FindingReport(BaseModel):
    """One thing that is wrong; it goes away by itself within 30 s of its cause."""

    code: str = Field(examples=["keyframe_interval_long"])
    severity: str = Field(description="error: all viewers notice; warning: some do; note")
    text: str = Field(description="what was seen, and what to change, in OBS's words")
    since: datetime


class HealthReport(BaseModel):
    """A publisher's health, from its packets alone, as of the last whole second."""

    colour: str = Field(description="green, yellow or red")
    sentence: str = Field(description="what to do, or that there is nothing to do")
    findings: list[FindingReport] = Field(description="the gravest first")
    since: datetime = Field(description="when the publisher connected")
    reconnects: int = Field(description="how often this session's publisher has come back")
    encoder: str | None = Field(description="as onMetaData names it")
    bitrate: float | None = Field(description="bits per second, over ten seconds")
    bitrate_average: float | None = Field(description="since the publisher connected")
    bitrate_declared: float | None = Field(
        description="what the encoder says it is set to; none if it does not say it of the picture"
    )
    frame_rate: float | None = Field(description="frames per second of the publisher's clock")
    frame_rate_declared: float | None
    dropped_share: float = Field(description="of the last minute's frames, 0 to 1")
    keyframe_interval_last_s: float | None
    keyframe_interval_average_s: float | None
    keyframe_interval_worst_s: float | None = Field(description="of the last 12 s")
    video_codec: str | None = Field(examples=["H.264"])
    profile: str | None = Field(examples=["High"])
    level: str | None = Field(examples=["4.1"])
    width: int | None
    height: int | None
    b_frames: bool | None
    audio_codec: str | None = Field(examples=["AAC"])
    audio_bitrate: float | None
    sample_rate: int | None
    channels: int | None
    av_skew_ms: int | None = Field(description="the sound's clock less the picture's")
    arrival_lag_ms: float | None = Field(
        description="wall clock less media clock, over the least of the last minute"
    )


class BandwidthReport(BaseModel):
    """The stream's latest bandwidth test: a publish with `?bandwidthtest=true` behind the key."""

    is_running: bool
    began: datetime
    seconds: float
    bitrate: float = Field(description="bits per second that came through")
    worst_lag_ms: float = Field(description="of arrival; over 500 the uplink was too slow")
    safe_kbits: int | None = Field(description="75 % of it, for the encoder; null before 10 s")
    sentence: str
    health: HealthReport


@router.get("/streams/{name}/health")
def show_health(name: Name, streams: StreamsDependency, response: Response) -> HealthReport:
    """Show how well a stream comes in; 404 while nobody publishes it."""
    stream = streams.find(name)
    if stream is None:
        raise NotHere(f"no stream {name!r}")
    if stream.publisher is None:
        raise NotHere(f"nobody is publishing {name!r}")
    response.headers["Cache-Control"] = "no-store"
    return _health(stream.publisher.health.report(), stream.publisher.began)


@router.get("/streams/{name}/bandwidth-test")
def show_bandwidth_test(
    name: Name, streams: StreamsDependency, response: Response
) -> BandwidthReport:
    """Show the stream's latest bandwidth test, running or over; 404 if there was none."""
    test = streams.bandwidth_tests.find(name)
    if test is None:
        raise NotHere(f"no bandwidth test of {name!r} since the origin started")
    response.headers["Cache-Control"] = "no-store"
    return _bandwidth(test)


def _health(report: Report, began: datetime) -> HealthReport:
    return HealthReport(
        colour=report.colour.value,
        sentence=report.sentence,
        findings=[_finding(finding, began) for finding in report.findings],
        since=began,
        reconnects=report.reconnects,
        encoder=report.encoder,
        bitrate=report.bitrate,
        bitrate_average=report.bitrate_average,
        bitrate_declared=report.bitrate_declared,
        frame_rate=report.frame_rate,
        frame_rate_declared=report.frame_rate_declared,
        dropped_share=report.dropped_share,
        keyframe_interval_last_s=report.keyframe_last_s,
        keyframe_interval_average_s=report.keyframe_average_s,
        keyframe_interval_worst_s=report.keyframe_worst_s,
        video_codec=report.video_codec,
        profile=report.profile,
        level=report.level,
        width=report.width,
        height=report.height,
        b_frames=report.has_b_frames,
        audio_codec=report.audio_codec,
        audio_bitrate=report.audio_bitrate,
        sample_rate=report.sample_rate,
        channels=report.channels,
        av_skew_ms=report.skew_ms,
        arrival_lag_ms=report.lag_ms,
    )


def _finding(finding: Finding, began: datetime) -> FindingReport:
    return FindingReport(
        code=finding.code.value,
        severity=SEVERITIES[finding.level],
        text=finding.text,
        since=began + timedelta(seconds=finding.since_s),
    )


def _bandwidth(test: BandwidthTest) -> BandwidthReport:
    uplink, report = test.result()
    return BandwidthReport(
        is_running=test.is_running,
        began=test.began,
        seconds=uplink.seconds,
        bitrate=uplink.bitrate,
        worst_lag_ms=uplink.worst_lag_ms,
        safe_kbits=uplink.safe_kbits,
        sentence=uplink.sentence,
        health=_health(report, test.began),
    )
