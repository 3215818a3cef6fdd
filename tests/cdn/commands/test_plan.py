"""What an audience takes: the arithmetic, what is asked of it, and what is said of nonsense."""

import json
import subprocess
import sys

import pytest

from cdn.commands.plan import (
    ANCHORS,
    CARD_FILL,
    CORE_FILL,
    Anchors,
    Audience,
    amount,
    page,
    plan,
    seconds,
)
from cdn.errors import SettingsError


def run(*arguments: str, program: str = "cdn") -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", program, "plan", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


def test_what_was_measured_comes_out_as_it_was_measured() -> None:
    """The audience of the benchmark, reckoned, takes the core share that it took."""
    requests_per_viewer = Audience(1, 1.0).requests_per_viewer_s
    viewers = round(ANCHORS.steady_requests_per_s / requests_per_viewer)
    each = ANCHORS.steady_bits_per_s / viewers
    assert plan(Audience(viewers, each)).busy_cores == pytest.approx(ANCHORS.steady_core_share)


def test_the_anchors_leave_time_for_requests() -> None:
    assert 1e-6 < ANCHORS.request_s < 100e-6


def test_a_low_latency_viewer_asks_for_each_part_and_each_playlist() -> None:
    assert Audience(1, 1.0, part_s=0.5).requests_per_viewer_s == 4
    assert Audience(1, 1.0, segment_s=2.0, is_classic=True).requests_per_viewer_s == 1.5


def test_ten_thousand_at_three_megabits_are_thirty_gigabits() -> None:
    made = plan(Audience(10_000, 3e6))
    assert made.bits_per_s == 30e9
    assert made.requests_per_s == 40_000
    assert made.nics * 10e9 * CARD_FILL >= 30e9 > (made.nics - 1) * 10e9 * CARD_FILL
    assert made.cores * CORE_FILL >= made.busy_cores > (made.cores - 1) * CORE_FILL
    assert made.cores * made.connections_per_worker >= made.connections == 10_000
    assert made.nofile > made.connections_per_worker


@pytest.mark.parametrize(
    ("more", "what"),
    [
        pytest.param(Audience(20_000, 3e6), "viewers", id="viewers"),
        pytest.param(Audience(10_000, 6e6), "bitrate", id="bitrate"),
        pytest.param(Audience(10_000, 3e6, part_s=0.2), "parts", id="shorter parts"),
        pytest.param(Audience(10_000, 3e6, has_tls=True), "tls", id="TLS"),
    ],
)
def test_more_of_anything_takes_more(more: Audience, what: str) -> None:
    assert plan(more).busy_cores > plan(Audience(10_000, 3e6)).busy_cores, what


def test_classic_viewers_take_less() -> None:
    assert plan(Audience(10_000, 3e6, is_classic=True)).busy_cores < (
        plan(Audience(10_000, 3e6)).busy_cores
    )


def test_one_viewer_takes_one_of_everything() -> None:
    made = plan(Audience(1, 1.0))
    assert (made.cores, made.nics, made.connections) == (1, 1, 1)
    assert not made.needs_local_ports


def test_other_anchors_make_another_plan_and_are_printed() -> None:
    weak = Anchors(bits_per_core=10e9, steady_core_share=0.9)
    audience = Audience(10_000, 3e6)
    assert plan(audience, weak).cores > plan(audience).cores
    assert "10 Gbit/s a core" in page(audience, plan(audience, weak), weak)


@pytest.mark.parametrize(
    ("text", "value"),
    [("10000", 1e4), ("10k", 1e4), ("3M", 3e6), ("2.5m", 2.5e6), ("10G", 1e10), ("3 Mbit/s", 3e6),
     ("800kbps", 8e5), ("10Gb", 1e10)],
)  # fmt: skip
def test_amounts_are_read_as_people_write_them(text: str, value: float) -> None:
    assert amount(text, "--bitrate", "3M") == value


@pytest.mark.parametrize(
    "text", ["3 lemons", "", "0", "-1", "M", "1e6", "3MM", "1.2.3", "inf", "9" * 400, "3T", "٣"]
)
def test_what_is_no_amount_is_refused(text: str) -> None:
    with pytest.raises(SettingsError, match="it looks like 3M"):
        amount(text, "--bitrate", "3M")


@pytest.mark.parametrize("text", ["lemons", "0", "-2", "nan", "inf", "61", ""])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(SettingsError, match=r"between 0\.05 and 60 seconds"):
        seconds(text, "--segment", 60)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--viewers", "3 lemons", "--bitrate", "3M"), "--viewers: '3 lemons' is no amount"),
        (("--viewers", "10", "--bitrate", "3M", "--nic", "fast"), "--nic: 'fast' is no amount"),
        (("--viewers", "1.5", "--bitrate", "3M"), "there are no halves"),
        (("--viewers", "9", "--bitrate", "3M", "--parts", "3"), "no longer than its segment"),
    ],
)
def test_nonsense_is_refused_in_a_line(arguments: tuple[str, ...], sentence: str) -> None:
    done = run(*arguments)
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert line.startswith("tidecast plan: ")
    assert sentence in line


def test_the_page_says_what_it_takes_what_to_set_and_what_it_was_reckoned_from() -> None:
    done = run("--viewers", "100k", "--bitrate", "3M", "--tls", program="origin")
    assert done.returncode == 0, done.stderr
    for piece in ("100,000 viewers at 3 Mbit/s", "300 Gbit/s out", "ulimit -n", "somaxconn",
                  "ip_local_port_range", "of a core", "bench viewers"):  # fmt: skip
        assert piece in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 100


def test_programs_get_the_same_as_json() -> None:
    done = run("--viewers", "10000", "--bitrate", "3M", "--classic", "--segment", "4s", "--json")
    document = json.loads(done.stdout)
    made = plan(Audience(10_000, 3e6, segment_s=4.0, is_classic=True))
    assert document["plan"]["cores"] == made.cores
    assert document["plan"]["memory_bytes"] == made.memory_bytes
    assert document["audience"]["segment_s"] == 4.0
    assert document["assumptions"]["bits_per_core"] == ANCHORS.bits_per_core
