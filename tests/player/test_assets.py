"""Assets: named by their own bytes, references included, and small on the wire."""

import gzip
import hashlib
import re
from importlib import resources

import pytest

from player import assets
from player.assets import BrokenAssetError, Source, stock

OWN = resources.files("player") / "assets"
OWN_FILES = sorted(
    each.name for each in OWN.iterdir() if each.name.endswith((".js", ".css", ".svg"))
)
VENDORED = ["hls.min.mjs", "hls.worker.js"]


def served(file: str) -> assets.Asset:
    found = assets.asset(assets.address(file).removeprefix(assets.PREFIX))
    assert found is not None
    return found


def own(**files: str) -> dict[str, Source]:
    return {
        name.replace("_", "."): Source(text.encode(), vendored=False)
        for name, text in files.items()
    }


@pytest.mark.parametrize("file", [*OWN_FILES, *VENDORED])
def test_a_name_is_made_of_the_bytes_it_stands_for(file: str) -> None:
    found = served(file)
    digest = hashlib.sha256(found.body).hexdigest()[: assets.HASH_DIGITS]
    stem, suffix = file.rsplit(".", 1)
    assert found.name == f"{stem}-{digest}.{suffix}"
    assert found.etag == f'"{digest}"'


@pytest.mark.parametrize("file", [*OWN_FILES, *VENDORED])
def test_the_compressed_body_is_the_same_and_smaller(file: str) -> None:
    found = served(file)
    assert found.gzip is not None
    assert gzip.decompress(found.gzip) == found.body
    assert len(found.gzip) < len(found.body)
    assert found.gzip[4:8] == bytes(4), "no time of making: every process has the same bytes"


def test_content_types_are_those_that_browsers_insist_on() -> None:
    assert served("boot.js").content_type == "text/javascript; charset=utf-8"
    assert served("hls.min.mjs").content_type == "text/javascript; charset=utf-8"
    assert served("tidecast.css").content_type == "text/css; charset=utf-8"
    assert served("logo.svg").content_type == "image/svg+xml"


@pytest.mark.parametrize(
    "name", ["boot.js", "", "../pages.py", "boot-000000000000.js", "LICENSE", "package.json"]
)
def test_nothing_is_served_under_any_other_name(name: str) -> None:
    assert assets.asset(name) is None


def test_every_reference_in_a_served_file_leads_to_a_served_file() -> None:
    references = 0
    for file in OWN_FILES:
        for path in re.findall(rb"""["'](\.[\w./-]*/[\w./-]+)["']""", served(file).body):
            assert path.startswith(b"./")
            assert assets.asset(path.decode().removeprefix("./")) is not None, path
            references += 1
    assert references > len(OWN_FILES)


def test_comments_stay_in_the_repository() -> None:
    for file in OWN_FILES:
        assert b"/*" not in served(file).body


def test_vendored_files_are_served_as_they_were_published() -> None:
    vendor = resources.files("player") / "vendor" / "hls.js"
    for file in VENDORED:
        assert served(file).body == (vendor / file).read_bytes()


def test_our_own_code_and_style_weigh_less_than_twenty_kilobytes() -> None:
    weights = {
        file: len(served(file).gzip or b"") for file in OWN_FILES if not file.endswith(".svg")
    }
    assert sum(weights.values()) <= 20_000, weights


def test_a_change_goes_up_to_every_file_that_refers_to_it() -> None:
    before = stock(own(a_js='import "./b.js"', b_js='import "./c.js"', c_js="1", d_js="1"))
    after = stock(own(a_js='import "./b.js"', b_js='import "./c.js"', c_js="2", d_js="1"))
    changed = {
        file for file in before.by_file if before.by_file[file].name != after.by_file[file].name
    }
    assert changed == {"a.js", "b.js", "c.js"}


def test_every_kind_of_reference_is_rewritten() -> None:
    text = """
    import { x } from "./x.js";
    const y = import('../lib/x.js');
    const z = new URL("../vendor/hls.js/x.js", import.meta.url);
    """
    shelf = stock(own(a_js=text, x_js="1"))
    name = shelf.by_file["x.js"].name.encode()
    assert shelf.by_file["a.js"].body.count(b"./" + name) == 3


def test_imports_are_listed_before_their_importer_and_only_once() -> None:
    shelf = stock(
        own(
            a_js='import { b } from "./b.js"; import { c } from "./c.js"; import("./late.js")',
            b_js='import { c } from "./c.js"',
            c_js="1",
            late_js="1",
        )
    )
    assert shelf.imports_of("a.js") == ("c.js", "b.js", "a.js")


def test_what_comes_after_the_first_frame_is_not_named_before_it() -> None:
    named = " ".join(assets.imports("boot.js"))
    assert "hls.min-" in named
    assert named.endswith(assets.address("boot.js"))
    for late in ("controls", "keyboard", "stats", "screen", "live", "about"):
        assert f"/{late}-" not in named


def test_modules_that_import_each_other_have_no_name() -> None:
    with pytest.raises(BrokenAssetError, match=r"a\.js -> b\.js -> a\.js is a circle"):
        stock(own(a_js='import "./b.js"', b_js='import "./a.js"'))


def test_a_reference_to_a_missing_file_is_found_at_once() -> None:
    with pytest.raises(BrokenAssetError, match=r"a\.js refers to gone\.js"):
        stock(own(a_js='import "./gone.js"'))


def test_a_vendored_file_is_not_read_for_references() -> None:
    text = b'import "./gone.js" /* kept */'
    shelf = stock({"lib.js": Source(text, vendored=True)})
    assert shelf.by_file["lib.js"].body == text
    assert shelf.imports_of("lib.js") == ("lib.js",)


def test_a_body_that_does_not_shrink_has_no_compressed_one() -> None:
    assert stock(own(a_js="1")).by_file["a.js"].gzip is None
