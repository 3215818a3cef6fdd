"""What is written about the settings is what they are."""

import re
from pathlib import Path

from origin.commands import FLAGS
from origin.config.layers import load_settings
from origin.config.reference import example_file, settings_page
from origin.config.settings import known_keys

ROOT = Path(__file__).parents[3]


def test_every_setting_has_a_flag_and_every_flag_a_setting() -> None:
    settings = {(s, key) for s, model in known_keys().items() for key in model.model_fields}
    assert set(FLAGS.values()) == settings


def test_every_setting_says_what_it_is_for() -> None:
    for section, model in known_keys().items():
        assert model.__doc__, section
        for key, field in model.model_fields.items():
            assert field.description, f"{section}.{key}"


def test_the_settings_page_is_up_to_date() -> None:
    assert (ROOT / "docs/SETTINGS.md").read_text() == settings_page(FLAGS), "run `make docs`"


def test_the_example_file_is_up_to_date() -> None:
    assert (ROOT / "docs/tidecast.example.toml").read_text() == example_file(), "run `make docs`"


def test_the_example_file_with_everything_uncommented_is_the_defaults(tmp_path: Path) -> None:
    path = tmp_path / "tidecast.toml"
    path.write_text(re.sub(r"^# (\w+ = )", r"\1", example_file(), flags=re.MULTILINE))
    assert load_settings({}, path) == load_settings({}, None)
    assert path.read_text().count(" = ") == sum(len(m.model_fields) for m in known_keys().values())
