{{ notes }}
#
# Start it with:
{% for line in command %}
#   {{ line }}
{% endfor %}

vcl 4.1;

import directors;
import std;

# A playlist may be held for three target durations before its first byte comes.
{% for server in site.servers %}
backend origin_{{ loop.index }} {
    .host = "{{ server.host }}";
    .port = "{{ server.port }}";
    .connect_timeout = {{ connect }};
    .first_byte_timeout = {{ wait }};
    .between_bytes_timeout = {{ pause }};
    .max_connections = {{ site.connections }};
    .probe = {
        .url = "/readyz";
        .interval = 1s;
        .timeout = 1s;
        .window = 3;
        .threshold = 2;
        .initial = 2;
    }
}
{% endfor %}

sub vcl_init {
{% if site.by_stream %}
    new origins = directors.shard();  # each stream has its origin
{% else %}
    new origins = directors.fallback();  # the first that is well
{% endif %}
{% for server in site.servers %}
    origins.add_backend(origin_{{ loop.index }});
{% endfor %}
{% if site.by_stream %}
    origins.reconfigure();
{% endif %}
}

sub vcl_recv {
    if (req.restarts == 0) {
        # The key, and what the origin is asked, is made of the path and the delivery directives, in
        # one order (rfc8216bis, 6.2.5); tokens, CMCD and cache busters end here.
        if (req.url !~ "^/[A-Za-z0-9._~/-]*(\?.*)?$" || req.url ~ "^[^?]*(//|/\.\.?(/|\?|$))") {
            return (synth(400));
        }
        if (req.url ~ "(?i)^/({{ reserved }})([/?]|$)") {
            return (synth(404));  # the origin's control side
        }
        set req.http.X-Query = "";
        if (req.url ~ "^[^?]+\.m3u8\?") {
{% for name in directives %}
            if (req.url ~ "[?&]{{ name }}=") {
                set req.http.X-Query = req.http.X-Query + "&" + regsub(req.url, "^[^?]*\?(?:.*?&)??({{ name }}=[^&]*)(?:&.*)?$", "\1");
            }
{% endfor %}
            if (req.http.X-Query !~ "^(&_HLS_[a-z]+=[A-Za-z0-9]{0,20})*$") {
                return (synth(400));
            }
        }
        set req.url = regsub(req.url, "\?.*$", "") + regsub(req.http.X-Query, "^&", "?");
        unset req.http.X-Query;
    }

    if (req.method == "OPTIONS") {
        return (synth(204));
    }
    if (req.method != "GET" && req.method != "HEAD") {
        return (synth(405));
    }
    if (req.url == "/healthz" || req.url == "/readyz") {
        return (synth(200));
    }

    # Nothing that tells one viewer from another is passed on.
    unset req.http.Authorization;
    unset req.http.Cookie;
    unset req.http.Forwarded;
    unset req.http.Origin;
    unset req.http.Referer;
    unset req.http.User-Agent;
{% if not site.forwarded_for %}
    unset req.http.X-Forwarded-For;
{% endif %}
    set req.http.Host = "{{ host }}";

{% if site.by_stream %}
    set req.backend_hint = origins.backend(by=KEY, key=origins.key(regsub(req.url, "^/([^/?]*).*$", "\1")));
{% else %}
    set req.backend_hint = origins.backend();
{% endif %}

    # While the origin is well, what has expired is used for a moment only, as the next fetch runs.
    # A second try, after the origin failed, takes what there is.
    if (req.restarts == 0) {
        set req.grace = {{ short_grace }};
    }
    return (hash);
}

sub vcl_hash {
    hash_data(req.url);  # and nothing else: no host, no headers
    return (lookup);
}

sub vcl_backend_fetch {
    unset bereq.http.X-Varnish;
    unset bereq.http.Via;
}

sub failed {
    # Kept, a failure would hide the last good answer. Where there is none, because the address
    # stands for one part or one moment only, a second of it lets all who wait go at once.
    set beresp.ttl = 0s;
    set beresp.grace = 0s;
    set beresp.keep = 0s;
    if (bereq.url ~ "\?" || bereq.url ~ "{{ part }}") {
        set beresp.ttl = 1s;
    }
}

sub vcl_backend_response {
    set beresp.do_stream = true;  # the second viewer gets the first bytes at once
    set beresp.keep = 0s;

    if (beresp.status >= 500) {
        if (bereq.is_bgfetch) {
            return (abandon);  # what is there stays
        }
        call failed;
        return (deliver);
    }
    if (beresp.http.Cache-Control ~ "(?i)no-store|private" || beresp.http.Set-Cookie || beresp.http.Vary == "*") {
        # A hit for miss: those who come within the second do not wait for each other.
        set beresp.ttl = 1s;
        set beresp.grace = 0s;
        set beresp.uncacheable = true;
        return (deliver);
    }

    # Lifetimes below a second are in a targeted field (RFC 9213).
    if (beresp.http.Tidecast-Cache-Control ~ "max-age=[0-9.]+") {
        set beresp.ttl = std.duration(regsub(beresp.http.Tidecast-Cache-Control, "^.*max-age=([0-9.]+).*$", "\1") + "s", 1s);
    }

    if (beresp.status >= 400) {
        set beresp.grace = 0s;
        if (beresp.ttl > {{ negative }}) {
            set beresp.ttl = {{ negative }};  # cache.negative_s, and half a second at most
        }
        return (deliver);
    }

{% for rule in rules %}
    {{ "if" if loop.first else "} else if" if rule.pattern else "} else" }} {{ '(bereq.url ~ "%s") ' % rule.url_pattern if rule.pattern }}{
{% if rule.fresh is not none %}
        set beresp.ttl = {{ rule.fresh }};  # rules.{{ rule.kind.value }}.fresh_s
{% endif %}
        set beresp.grace = {{ rule.stale }};  # rules.{{ rule.kind.value }}.stale_if_error_s
{% endfor %}
    }
    return (deliver);
}

sub vcl_backend_error {
    if (bereq.is_bgfetch) {
        return (abandon);
    }
    call failed;
    set beresp.http.Access-Control-Allow-Origin = "*";
    set beresp.http.Cache-Control = "no-store";
    set beresp.http.Retry-After = "1";
    set beresp.http.Content-Type = "text/plain; charset=utf-8";
    synthetic("The origin does not answer, and there is no copy that could stand in.");
    return (deliver);
}

sub vcl_deliver {
    if (resp.status >= 500 && req.restarts == 0) {
        # Whoever waited in vain for a part gets the last playlist, if there is one.
        set req.grace = 1w;
        set req.url = regsub(req.url, "\?.*$", "");
        return (restart);
    }
    if (obj.hits > 0) {
        set resp.http.Cache-Status = "varnish; hit";
    } else {
        set resp.http.Cache-Status = "varnish; fwd=miss";
    }
    unset resp.http.X-Varnish;
    unset resp.http.Via;
    unset resp.http.Tidecast-Cache-Control;
    return (deliver);
}

sub vcl_synth {
    set resp.http.Access-Control-Allow-Origin = "*";
    if (resp.status == 503) {
        set resp.http.Retry-After = "1";
    }
    if (resp.status == 204) {
        set resp.http.Access-Control-Allow-Methods = "GET, HEAD, OPTIONS";
        set resp.http.Access-Control-Allow-Headers = "Range, If-None-Match, If-Range";
        set resp.http.Access-Control-Max-Age = "86400";
    } else {
        set resp.http.Cache-Control = "no-store";
        set resp.http.Content-Type = "text/plain; charset=utf-8";
        synthetic(resp.reason);
    }
    return (deliver);
}
