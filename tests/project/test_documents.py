"""The project's documents say what is there."""

import re
import runpy
from pathlib import Path

import pytest

from origin.ingest.settings import IngestSettings
from origin.rtmp.limits import Limits

ROOT = Path(__file__).parents[2]
MAP = runpy.run_path(str(ROOT / "tools" / "module-map"))


def test_the_map_lists_every_module_with_its_own_words() -> None:
    page: str = MAP["page_with"](MAP["module_map"]())
    assert page == (ROOT / "docs/ARCHITECTURE.md").read_text(), "run `make docs`"


def test_every_module_has_an_essay() -> None:
    empty = [line for line in MAP["module_map"]().splitlines() if line.endswith("|  |")]
    assert not empty


@pytest.mark.parametrize("page", [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")], ids=str)
def test_every_link_within_the_project_leads_somewhere(page: Path) -> None:
    targets = re.findall(r"\]\((?!https?:|#)([^)#]+)", page.read_text())
    missing = [target for target in targets if not (page.parent / target).exists()]
    assert not missing


def test_decision_records_are_numbered_without_gaps() -> None:
    numbers = sorted(int(path.name[:4]) for path in (ROOT / "docs/decisions").glob("*.md"))
    assert numbers == list(range(1, len(numbers) + 1))


def test_every_script_that_a_claim_names_exists() -> None:
    readme = (ROOT / "README.md").read_text()
    scripts = re.findall(r"`((?:benchmarks|tests)/[\w/]+\.py)`", readme)
    assert scripts
    assert [script for script in scripts if not (ROOT / script).exists()] == []


def test_the_deadlines_and_bounds_that_are_promised_are_those_in_force() -> None:
    page = (ROOT / "docs/BEHAVIOUR.md").read_text()
    limits, ingest = Limits(), IngestSettings()
    for row in (
        f"| handshake | {limits.handshake_s:g} s |",
        f"| `connect` | {limits.connect_s:g} s from",
        f"| `publish` | {limits.publish_s:g} s |",
        f"| deciding about a publish | {ingest.decision_s:g} s,",
        f"| a message, once begun | {limits.unfinished_message_s:g} s while",
        f"| live without any media | {limits.silence_s:g} s,",
        f"| {limits.longest_message_before_publish_bytes >> 10} KiB"
        f" / {limits.longest_message_bytes >> 20} MiB |",
        f"after | {limits.unfinished_before_publish_bytes >> 10} KiB"
        f" / {limits.unfinished_bytes >> 20} MiB |",
        f"| chunk streams of a connection | {limits.chunk_streams} |",
        f"| {limits.amf_depth}, {limits.command_values:,}, {limits.command_bytes >> 10} KiB |",
        f"| {limits.amf_depth}, {limits.metadata_values:,}, {limits.metadata_bytes >> 10} KiB |",
        f"not published yet | {ingest.strangers_per_address} |",
        f"| {ingest.write_buffer_bytes >> 20} MiB, then it is cut off |",
        f"one turn of the event loop | {limits.chunks_per_turn} |",
    ):
        assert row in page
