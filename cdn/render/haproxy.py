"""HAProxy (2.6 or newer) in front of Tidecast's edges: TLS, HTTP/2, and which edge gets whom.

It keeps nothing. Its own cache holds small objects for whole seconds and does not collapse
requests, so there is nothing that it could do for a live stream alone.

Which edge: that of the stream, so that each stream is fetched by one edge. A bounded load
(``hash-balance-factor``) lets what one edge cannot carry spill over to the next, so a single large
stream still uses them all.

The certificate: HAProxy reads the key from the certificate's own file, from the same name with
``.key`` added, or, told so, from the same name with ``.key`` instead of its extension.
"""

from cdn.errors import SettingsError
from cdn.http.keys import RESERVED
from cdn.render.site import Rendered, Site, Tls, whole_up
from cdn.render.text import notes, render

CHECK = "haproxy -c -f FILE"


def haproxy(site: Site) -> Rendered:
    """Render HAProxy's configuration file."""
    if site.alone:
        raise SettingsError(
            "haproxy goes in front of Tidecast's edges (--in-front): its cache does not collapse "
            "requests, so alone every viewer would be the origin's"
        )
    if site.tls is None:
        raise SettingsError(
            "render.certificate: HAProxy stands in front of edges for TLS and HTTP/2, which need a "
            "certificate and a key (--certificate FILE --key FILE)"
        )
    text = render(
        "haproxy/in-front.cfg",
        site,
        notes=notes("haproxy", site, CHECK, ()),
        reserved="|".join(name.replace(".", r"\.") for name in RESERVED),
        key_beside=_key_is_beside(site.tls),
        connect=f"{whole_up(site.connect_s * 1000)}ms",
        wait=f"{whole_up(site.wait_s)}s",
    )
    return Rendered(text)


def _key_is_beside(tls: Tls) -> bool:
    """Say whether the key has the certificate's name with another extension."""
    if tls.key in (tls.certificate, f"{tls.certificate}.key"):
        return False
    if tls.certificate.endswith(".crt") and tls.key == f"{tls.certificate[:-4]}.key":
        return True
    raise SettingsError(
        f"render.key: HAProxy finds the key in the certificate's own file, or in "
        f"{tls.certificate}.key; not in {tls.key} (a link does)"
    )
