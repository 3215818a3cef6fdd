"""Vendored files are the published ones, with their licences."""

import gzip
import hashlib
import json
import tomllib
from importlib import resources
from typing import Any

VENDOR = resources.files("player") / "vendor"
LOCK: dict[str, Any] = tomllib.loads((VENDOR / "vendor.lock").read_text())


def test_every_vendored_file_is_the_one_that_was_published() -> None:
    for package in LOCK["package"]:
        for file in package["file"]:
            body = VENDOR.joinpath(file["path"]).read_bytes()
            assert hashlib.sha256(body).hexdigest() == file["sha256"], file["path"]


def test_nothing_is_vendored_that_the_lock_does_not_know() -> None:
    locked = {file["path"] for package in LOCK["package"] for file in package["file"]}
    present = {
        f"{folder.name}/{file.name}"
        for folder in VENDOR.iterdir()
        if folder.is_dir()
        for file in folder.iterdir()
    }
    assert present == locked


def test_the_version_in_the_lock_is_the_one_that_the_file_tells() -> None:
    (package,) = LOCK["package"]
    code = (VENDOR / "hls.js" / "hls.min.mjs").read_text()
    assert json.dumps(package["version"]) in code
    assert package["source"].endswith(f"@{package['version']}")


def test_a_licence_lies_beside_what_it_covers() -> None:
    for package in LOCK["package"]:
        text = (VENDOR / package["name"] / "LICENSE").read_text()
        assert package["licence"] == "Apache-2.0"
        assert "Apache License, Version 2.0" in text


def test_hls_js_is_fetched_in_less_than_two_hundred_kilobytes() -> None:
    body = (VENDOR / "hls.js" / "hls.min.mjs").read_bytes()
    assert len(gzip.compress(body, mtime=0)) < 200_000
