"""Varnish in the place of CloudFront's cache."""

import shutil
from pathlib import Path

import pytest

from marketplace.cloud.children import Child, start_child
from tests.fire.edge.behaviours import Behaviour, Origins
from tests.fire.edge.visitors import ask

VCL = r"""
vcl 4.1;
import purge;
import std;

backend s3 {{ .host = "{s3_name}"; .port = "{s3_port}"; }}
backend resizer {{ .host = "{resizer_name}"; .port = "{resizer_port}"; }}

sub vcl_recv {{
    if (req.method == "PURGE") {{ return (hash); }}
    if (req.method != "GET" && req.method != "HEAD") {{ return (synth(403)); }}
    set req.url = regsub(req.url, "\?.*$", "");
    unset req.http.Cookie;
    unset req.http.Authorization;
    return (hash);
}}

sub vcl_hash {{
    hash_data(req.url);
    return (lookup);
}}

sub vcl_hit {{
    if (req.method == "PURGE") {{
        if (req.http.X-Expire) {{ purge.soft(0s, 0s, 1d); }} else {{ purge.hard(); }}
        return (synth(200));
    }}
}}

sub vcl_miss {{
    if (req.method == "PURGE") {{
        purge.hard();
        return (synth(404));
    }}
}}

sub vcl_backend_fetch {{
    if (bereq.retries == 0) {{
        set bereq.backend = s3;
        set bereq.http.Host = "{s3_host}";
    }} else {{
        set bereq.backend = resizer;
        set bereq.http.Host = "{resizer}";
        set bereq.http.X-Lazyimages-Secret = "{secret}";
        set bereq.url = "/images/v" + bereq.url;
    }}
}}

sub vcl_backend_response {{
    if ({group} && bereq.retries == 0 && (beresp.status == 403 || beresp.status == 404)) {{
        return (retry);
    }}
    if (bereq.retries == 0) {{ set beresp.http.X-Origin = "s3"; }}
    else {{ set beresp.http.X-Origin = "resizer"; }}
    set beresp.grace = 0s;
    set beresp.keep = 1d;
    set beresp.http.X-Status = beresp.status;
    # The lifetime that the answer asks for.
    set beresp.ttl = 0s;
    if (beresp.http.Cache-Control ~ "(?i)s-maxage=\d") {{
        set beresp.ttl = std.duration(regsub(beresp.http.Cache-Control, "(?i).*s-maxage=(\d+).*", "\1s"), 0s);
    }} elsif (beresp.http.Cache-Control ~ "(?i)max-age=\d") {{
        set beresp.ttl = std.duration(regsub(beresp.http.Cache-Control, "(?i).*max-age=(\d+).*", "\1s"), 0s);
    }} elsif (beresp.status < 400) {{
        set beresp.ttl = {default_ttl}s;
    }}
    if (beresp.ttl > {max_ttl}s) {{ set beresp.ttl = {max_ttl}s; }}
    if (beresp.status >= 400) {{
        if (beresp.http.X-Status ~ "^(404|410|414|501)$"
                && beresp.http.Cache-Control ~ "(?i)no-store|no-cache|private") {{
            set beresp.ttl = 0s;
        }} elsif (beresp.http.X-Status ~ "^(404|405|410|414|5..)$"
                || (beresp.http.X-Status ~ "^(400|403|412|415)$" && beresp.ttl > 0s)) {{
            if (beresp.ttl < {error_ttl}s) {{ set beresp.ttl = {error_ttl}s; }}
        }} else {{
            set beresp.ttl = 0s;
        }}
    }} else {{
        if (beresp.http.Cache-Control ~ "(?i)no-store|no-cache|private") {{ set beresp.ttl = 0s; }}
        if (beresp.ttl < {min_ttl}s) {{ set beresp.ttl = {min_ttl}s; }}
        if (beresp.http.X-Status ~ "^30[78]$" && !beresp.http.Cache-Control && !{cache_307}) {{
            set beresp.ttl = 0s;
        }}
    }}
    if (beresp.ttl <= 0s) {{
        set beresp.ttl = 0s;
        set beresp.uncacheable = true;
    }}
    return (deliver);
}}

sub vcl_backend_error {{
    set beresp.status = 502;
    set beresp.http.X-Origin = "edge";
    set beresp.ttl = {error_ttl}s;
    set beresp.grace = 0s;
    return (deliver);
}}

sub vcl_deliver {{
    if (obj.hits > 0) {{ set resp.http.X-Edge = "hit"; }} else {{ set resp.http.X-Edge = "miss"; }}
}}
"""

# Not optimised, which takes a third of the time.
COMPILER = "exec gcc -O0 -fpic -shared -w -o %o %s"


class Varnish:
    """A running varnishd with one behaviour."""

    kind = "varnish"

    def __init__(self, folder: Path, port: int, behaviour: Behaviour, origins: Origins) -> None:
        program = shutil.which("varnishd") or shutil.which("varnishd", path="/usr/sbin")
        if program is None:
            pytest.skip("Varnish is missing: apt install varnish")
        self.url = f"http://127.0.0.1:{port}"
        s3_name, s3_port = origins.s3.split(":")
        resizer_name, resizer_port = origins.resizer.split(":")
        config = folder / "edge.vcl"
        config.write_text(
            VCL.format(
                s3_name=s3_name,
                s3_port=s3_port,
                s3_host=origins.s3_host,
                resizer=origins.resizer,
                resizer_name=resizer_name,
                resizer_port=resizer_port,
                secret=origins.secret,
                group=str(behaviour.group).lower(),
                cache_307=str(behaviour.cache_307 == "always").lower(),
                min_ttl=behaviour.min_ttl,
                default_ttl=behaviour.default_ttl,
                max_ttl=behaviour.max_ttl,
                error_ttl=behaviour.error_ttl,
            )
        )
        # No jail: it would become a user who may not read the test's folder.
        options = ["-j", "none", "-F", "-n", str(folder / "work"), "-f", str(config)]
        options += ["-a", f"127.0.0.1:{port}", "-s", "malloc,64m", "-p", "http_gzip_support=off"]
        options += ["-p", f"cc_command={COMPILER}"]
        self._child: Child = start_child([program, *options], ready="said Child starts", cwd=folder)

    def purge(self, path: str) -> None:
        """Drop what is kept for a path."""
        ask(self.url + path, method="PURGE")

    def expire(self, path: str) -> None:
        """Have what is kept for a path be too old, so that it is asked for again, conditionally."""
        ask(self.url + path, method="PURGE", X_Expire="1")

    def stop(self) -> None:
        """End it."""
        self._child.stop()
