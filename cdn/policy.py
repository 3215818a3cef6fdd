"""How long each kind of resource is kept: the origin's headers, and the operator's rules over them.

Headers decide by default. A rule replaces a number, never a prohibition: what the origin does not
want stored (``no-store``, ``private``) is not stored, and neither an error nor a stale copy of
another edge is given the lifetime of what it stands in for.

No socket and no clock, as in ``freshness``.
"""

from dataclasses import replace

from cdn.http.freshness import Defaults, Lifetime, lifetime_of, stood_in
from cdn.http.keys import Key, Kind, kind_of
from cdn.http.message import Head
from cdn.settings import Cache, Rule, Rules


class Policy:
    """Judges answers; made once, from the settings."""

    def __init__(self, rules: Rules, cache: Cache) -> None:
        self._defaults = Defaults(cache.stale_if_error_s, cache.negative_s)
        self._rules = {
            Kind.PLAYLIST: rules.playlist,
            Kind.MULTIVARIANT: rules.multivariant,
            Kind.MEDIA: rules.media,
            Kind.STATUS: rules.status,
            Kind.ASSET: rules.asset,
            Kind.PAGE: rules.page,
        }

    def judge(self, key: Key, head: Head) -> Lifetime:
        """Say what may be done with this answer to that request."""
        lifetime = lifetime_of(head, self._defaults)
        if not lifetime.storable or head.status >= 400 or stood_in(head):
            return lifetime
        return _overridden(lifetime, self._rules[kind_of(key.target)])


def _overridden(lifetime: Lifetime, rule: Rule) -> Lifetime:
    if rule.fresh_s is not None:
        lifetime = replace(lifetime, fresh_s=max(0.0, rule.fresh_s - lifetime.age_s))
    if rule.stale_if_error_s is not None:
        lifetime = replace(lifetime, stale_if_error_s=rule.stale_if_error_s)
    return lifetime
