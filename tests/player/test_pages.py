"""Pages as bytes: nothing inline, nothing from elsewhere, and words for every state."""

import html
import re
from datetime import UTC, datetime
from html.parser import HTMLParser

import pytest

from player import assets
from player.pages import (
    CONTENT_SECURITY_POLICY,
    EMBED_CONTENT_SECURITY_POLICY,
    WORDS,
    PageState,
    StreamCard,
    StreamView,
    embed_page,
    home_page,
    not_found_page,
    watch_page,
)

SERVER_STATES = ["offline", "starting", "live", "reconnecting", "ended"]
CARDS = [StreamCard("main", "live", datetime(2026, 1, 2, 14, 5, tzinfo=UTC), 1080)]
EVERY_PAGE = {
    "empty home": home_page([]),
    "home": home_page(CARDS),
    "watch": watch_page(StreamView("main", "live")),
    "embed": embed_page(StreamView("main", "offline")),
    "not found": not_found_page(),
}


class Reader(HTMLParser):
    """Collects what a policy against inline code would refuse, and every address."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.inline: list[str] = []
        self.addresses: list[str] = []
        self.ids: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.inline += [f"{tag} {name}" for name in given if name.startswith("on")]
        self.inline += [tag] if tag == "style" or "style" in given else []
        self.inline += [tag] if tag == "script" and "src" not in given else []
        self.addresses += [given[name] for name in ("src", "href") if name in given]
        self.ids += [given["id"]] if "id" in given else []


@pytest.mark.parametrize("page", EVERY_PAGE.values(), ids=list(EVERY_PAGE))
def test_no_page_holds_inline_code_or_style(page: str) -> None:
    assert Reader(page).inline == []


@pytest.mark.parametrize("page", EVERY_PAGE.values(), ids=list(EVERY_PAGE))
def test_every_asset_that_a_page_names_is_served(page: str) -> None:
    named = [each for each in Reader(page).addresses if each.startswith(assets.PREFIX)]
    assert len(named) >= 2
    for each in named:
        assert assets.asset(each.removeprefix(assets.PREFIX)) is not None, each


@pytest.mark.parametrize("page", EVERY_PAGE.values(), ids=list(EVERY_PAGE))
def test_pages_lead_nowhere_else(page: str) -> None:
    for each in Reader(page).addresses:
        assert each.startswith(("/", "#")), each
        assert not each.startswith("//"), each


@pytest.mark.parametrize("page", EVERY_PAGE.values(), ids=list(EVERY_PAGE))
def test_ids_are_given_once(page: str) -> None:
    ids = Reader(page).ids
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("state", SERVER_STATES)
def test_a_page_tells_the_state_before_any_script_runs(state: str) -> None:
    page = watch_page(StreamView("main", state))
    first = PageState.BUFFERING if state == "live" else PageState(state)
    assert f'data-state="{first.value}"' in page
    message = re.search(r'id="message"[^>]*>(.*?)</div>', page, re.DOTALL)
    assert message is not None
    assert WORDS[first].title in message[1]


def test_a_page_brings_the_words_of_every_state() -> None:
    page = watch_page(StreamView("main", "offline"))
    for state, words in WORDS.items():
        template = re.search(rf'<template id="words-{state.value}".*?</template>', page, re.DOTALL)
        assert template is not None
        assert words.title in template[0]
        assert f'data-badge="{words.badge}"' in template[0]


def test_every_state_has_words_of_its_own() -> None:
    assert set(WORDS) == set(PageState)
    assert len({words.title for words in WORDS.values()}) == len(PageState)


def test_an_unknown_state_is_our_own_bug() -> None:
    with pytest.raises(ValueError, match="asleep"):
        watch_page(StreamView("main", "asleep"))


def test_names_are_escaped_wherever_they_stand() -> None:
    name = '"><script>alert(1)</script>'
    for page in (
        watch_page(StreamView(name, "live")),
        embed_page(StreamView(name, "live")),
        home_page([StreamCard(name, "live")]),
    ):
        assert "<script>alert" not in page
        assert "&lt;script&gt;" in page


def test_a_page_brings_the_status_of_its_moment() -> None:
    status = '{"stream":"main","state":"live"}'
    for page in (watch_page, embed_page):
        written = re.search(
            r'data-status="([^"]*)"', page(StreamView("main", "live", None, status))
        )
        assert written is not None
        assert html.unescape(written[1]) == status


def test_equal_views_give_equal_pages() -> None:
    view = StreamView("main", "offline", datetime(2026, 1, 2, tzinfo=UTC))
    assert watch_page(view) == watch_page(view)
    assert 'data-last-live="2026-01-02T00:00:00+00:00"' in watch_page(view)


def test_a_card_says_what_is_known_and_no_more() -> None:
    assert "1080p · <time" in home_page(CARDS)
    assert "since 14:05" in home_page(CARDS)
    bare = home_page([StreamCard("radio", "starting")])
    assert "<time" not in bare
    assert ">Starting</span>" in bare


def test_an_empty_home_says_how_to_start() -> None:
    page = home_page([])
    assert "OBS" in page
    assert "Start Streaming" in page


def test_without_javascript_a_viewer_is_told_where_the_playlist_is() -> None:
    page = watch_page(StreamView("main", "live"))
    assert re.search(r'<noscript>.*href="/main/index\.m3u8".*</noscript>', page, re.DOTALL)


def test_only_the_embed_may_be_framed() -> None:
    assert "frame-ancestors 'none'" in CONTENT_SECURITY_POLICY
    assert "frame-ancestors *" in EMBED_CONTENT_SECURITY_POLICY


@pytest.mark.parametrize("policy", [CONTENT_SECURITY_POLICY, EMBED_CONTENT_SECURITY_POLICY])
def test_the_policy_allows_no_code_but_ours(policy: str) -> None:
    rules = dict(rule.split(" ", 1) for rule in policy.split("; "))
    assert rules["default-src"] == "'none'"
    assert rules["script-src"] == rules["style-src"] == rules["connect-src"] == "'self'"
    assert rules["worker-src"] == "'self'"
    assert rules["base-uri"] == rules["form-action"] == "'none'"  # default-src does not speak of it
    assert "unsafe" not in policy
