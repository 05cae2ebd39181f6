"""The resizer as an AWS Lambda function: `lazyimages.aws.lambda_handler.handler`.

The same views as everywhere, behind API Gateway's REST and HTTP APIs (payload formats 1.0 and 2.0) and
function URLs. apig-wsgi turns events into WSGI and answers into what Lambda wants; what is here puts right
the path and the query, in which these three differ, before Django sees them.
"""

import os
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote_to_bytes, urlsplit

from apig_wsgi import make_lambda_handler
from django.core import checks
from django.core.exceptions import ImproperlyConfigured
from django.core.files.storage import storages
from django.core.wsgi import get_wsgi_application
from django.urls import clear_script_prefix, reverse

from lazyimages import conf, current, locks
from lazyimages.storage import is_s3, variants_alias
from lazyimages.storage.s3 import client

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse

# Bytes of a body. Lambda's answers end at 6 MB (AWS: "Lambda quotas"), of which base64 needs a third more,
# and the headers some.
MOST_BYTES = 4_400_000

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "lazyimages.aws.lambda_settings")
_django = get_wsgi_application()


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Answer an HTTP event, in the form that its sender expects.

    Raises ValueError for an event that is of another kind.
    """
    if "requestContext" not in event:
        raise ValueError(
            "this is no event of API Gateway or of a function URL; send one with requestContext, as AWS's "
            "page on Lambda proxy integrations shows them"
        )
    return _answer(event, context)


def _application(environ: dict[str, Any], start_response: "StartResponse") -> Iterable[bytes]:
    event = environ["apig_wsgi.full_event"]
    path = _path(event)
    prefix = next((one for one in _prefixes(event) if path.startswith(f"{one}/")), "")
    environ["SCRIPT_NAME"], environ["PATH_INFO"] = prefix, path.removeprefix(prefix)
    environ["QUERY_STRING"] = _query(event)
    environ["lazyimages.most_bytes"] = MOST_BYTES
    return _django(environ, start_response)


def _wsgi(data: bytes) -> str:
    """Return bytes as WSGI has them (PEP 3333, "Unicode Issues")."""
    return data.decode("latin-1")


def _path(event: Mapping[str, Any]) -> str:
    """Return the path, decoded once.

    HTTP APIs hand it over decoded, though AWS calls it raw; REST APIs and function URLs as it was sent.
    """
    raw: str = event["rawPath"] if _has_raw(event) else event["path"]
    from_http_api = "version" in event and "lambda-url" not in event["requestContext"].get("domainName", "")
    sent = raw.encode(errors="replace")
    return _wsgi(sent if from_http_api else unquote_to_bytes(sent))


def _query(event: Mapping[str, Any]) -> str:
    """Return the query as a browser would have sent it, with `key` at its end, where the view wants it.

    Payload format 1.0 has it decoded, and no other copy.
    """
    if _has_raw(event):
        return _wsgi(event["rawQueryString"].encode(errors="replace"))
    every: Mapping[str, list[str]] = event.get("multiValueQueryStringParameters") or {
        name: [value] for name, value in (event.get("queryStringParameters") or {}).items()
    }
    return "&".join(
        f"{quote(name, safe='', errors='replace')}={quote(value, safe='', errors='replace')}"
        for name, values in sorted(every.items(), key=lambda entry: entry[0] == "key")
        for value in values
    )


def _has_raw(event: Mapping[str, Any]) -> bool:
    return bool(event.get("version") == "2.0")


def _prefixes(event: Mapping[str, Any]) -> Iterable[str]:
    """Return what may stand before our own paths, the longest first.

    That is the path of RESIZER_URL, as when a custom domain has a base path; and of HTTP APIs the stage,
    which they leave in the path unless it is $default.
    """
    clear_script_prefix()  # the thread still has that of the last request
    mount = reverse("lazyimages:resizer")
    public = urlsplit(conf.settings().resizer_url).path
    before = {public.removesuffix(mount) if public.endswith(mount) else ""}
    before.add(f"/{event['requestContext'].get('stage', '')}")
    return sorted(before - {"", "/"}, key=len, reverse=True)


def _begin() -> None:
    """Do at the start what the first request would wait for, and name every mistake in the settings.

    Lambda gives a function more of a processor while it starts than while it answers.
    """
    if mistakes := [found for found in checks.run_checks(tags=["lazyimages"]) if found.is_serious()]:
        raise ImproperlyConfigured("\n".join(f"{found.msg} {found.hint}" for found in mistakes))
    current.engine()
    locks.directory()
    for alias in sorted({conf.settings().originals, variants_alias()}):
        storage = storages[alias]
        if is_s3(storage):
            client(storage)


_begin()
_answer = make_lambda_handler(_application, binary_support=True)
