"""nginx in the place of CloudFront's cache.

Two servers in one process: the inner one talks to the origins and says by X-Accel-Expires how long the
outer one is to keep the answer, for nginx alone has no minimum and default.
"""

import getpass
import hashlib
import os
import shutil
import struct
from pathlib import Path

import pytest

from marketplace.cloud.children import Child, start_child
from marketplace.demo.ports import free_port
from tests.fire.edge.behaviours import Behaviour, Origins
from tests.fire.edge.visitors import ask

CONFIG = r"""
{user}
daemon off;
worker_processes 1;
pid nginx.pid;
error_log stderr notice;
events {{ worker_connections 256; }}
http {{
    access_log off;
    client_body_temp_path body;
    proxy_temp_path proxy;
    fastcgi_temp_path fastcgi;
    uwsgi_temp_path uwsgi;
    scgi_temp_path scgi;
    proxy_cache_path cache keys_zone=edge:1m inactive=1d use_temp_path=off;
    proxy_http_version 1.1;
    proxy_redirect off;
    proxy_intercept_errors off;

    map $request_uri $path {{
        "~^(?<before>[^?]*)" $before;
    }}
    map "$status $upstream_http_cache_control" $seconds {{
        "~^(404|410|414|501) .*(no-store|no-cache|private)" 0;
        "~^(404|405|410|414|5..) .*s-maxage=0*(?<error>[1-9]\d*)" $error;
        "~^(404|405|410|414|5..) " {error_ttl};
        "~^(400|403|412|415) .*s-maxage=0*(?<marked>[1-9]\d*)" $marked;
        "~^4" 0;
        "~^30[78] $" {keeps_307};
        "~^... .*(no-store|no-cache|private)" {min_ttl};
        "~^... .*s-maxage=0*(?<shared>[1-9]\d*)" $shared;
        "~^... .*s-maxage=0" {min_ttl};
        "~^... .*max-age=0*(?<own>[1-9]\d*)" $own;
        "~^... .*max-age=0" {min_ttl};
        default {unmarked};
    }}

    server {{
        listen 127.0.0.1:{inner};
        location / {{
            proxy_pass http://{s3}$request_uri;
            proxy_set_header Host {s3_host};
            {group}
            add_header X-Accel-Expires $seconds always;
            add_header X-Origin s3 always;
        }}
        location @resizer {{
            proxy_pass http://{resizer}/images/v$request_uri;
            proxy_set_header Host {resizer};
            proxy_set_header X-Lazyimages-Secret {secret};
            add_header X-Accel-Expires $seconds always;
            add_header X-Origin resizer always;
        }}
    }}

    server {{
        listen 127.0.0.1:{port};
        location = {done} {{
            return 204;
        }}
        location / {{
            proxy_pass http://127.0.0.1:{inner}$path;
            proxy_set_header Cookie "";
            proxy_cache edge;
            proxy_cache_key $path;
            proxy_cache_revalidate on;
            proxy_ignore_headers Cache-Control Expires Vary Set-Cookie;
            add_header X-Edge $upstream_cache_status always;
        }}
    }}
}}
"""
DONE = "/.done"
GROUP = "proxy_intercept_errors on; error_page 403 404 = @resizer;"


class Nginx:
    """A running nginx with one behaviour. The lifetime that an answer asks for is not cut to `max_ttl`."""

    kind = "nginx"

    def __init__(self, folder: Path, port: int, behaviour: Behaviour, origins: Origins) -> None:
        program = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
        if program is None:
            pytest.skip("nginx is missing: apt install nginx")
        self.url = f"http://127.0.0.1:{port}"
        self._cache = folder / "cache"
        config = folder / "nginx.conf"
        config.write_text(
            CONFIG.format(
                # As root its workers would become somebody who may not write into the test's folder.
                user=f"user {getpass.getuser()};" if os.geteuid() == 0 else "",
                inner=free_port(),
                done=DONE,
                port=port,
                s3=origins.s3,
                s3_host=origins.s3_host,
                resizer=origins.resizer,
                secret=origins.secret,
                group=GROUP if behaviour.group else "",
                keeps_307=behaviour.keeps_307,
                min_ttl=behaviour.min_ttl,
                unmarked=max(behaviour.min_ttl, behaviour.default_ttl),
                error_ttl=behaviour.error_ttl,
            )
        )
        options = ["-p", str(folder), "-e", "stderr", "-c", str(config)]
        self._child: Child = start_child([program, *options], ready="start worker process ", cwd=folder)

    def purge(self, path: str) -> None:
        """Drop what is kept for a path: its file."""
        self._file(path).unlink(missing_ok=True)

    def expire(self, path: str) -> None:
        """Have what is kept for a path be too old, so that it is asked for again, conditionally."""
        file = self._file(path)
        if file.exists():
            with file.open("r+b") as kept:
                kept.seek(8)  # ngx_http_file_cache_header_t: version, valid_sec
                kept.write(struct.pack("@l", 1))

    def stop(self) -> None:
        """End it."""
        self._child.stop()

    def _file(self, path: str) -> Path:
        # An answer is put into the cache after it was sent; the one worker does that before it answers this.
        assert ask(self.url + DONE).status == 204
        return self._cache / hashlib.md5(path.encode()).hexdigest()
