"""One request as the three events that AWS makes of it.

The AWS facts that this relies on, since nothing here has been sent by AWS: the pages "Set up Lambda proxy
integrations in API Gateway" (payload 1.0), "Create AWS Lambda proxy integrations for HTTP APIs" (2.0), and
"Invoking Lambda function URLs"; and reports of what they leave out: REST APIs decode + in a query to a space
(aws-cdk, issue 19827), HTTP APIs keep the stage in rawPath (powertools-lambda-python, issue 621), decode it,
cut it at a ? and decode it again (hotsock/voker, vokerhttp/testdata/ingress-paths.json: live captures).
"""

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl, unquote

Event = dict[str, Any]
HEADERS = {"Accept": "image/*", "Host": "abc123.execute-api.eu-central-1.amazonaws.com"}


def _split(target: str) -> tuple[str, str]:
    path, _, query = target.partition("?")
    return path, query


def decoded_by_http_api(path: str) -> str:
    """Return what an HTTP API hands over for a path. One with a % that is left over it answers with 400."""
    return unquote(unquote(path).partition("?")[0])


def rest(
    target: str,
    *,
    method: str = "GET",
    stage: str = "prod",
    base_path: str = "",
    headers: dict[str, str] | None = None,
) -> Event:
    """A REST API's event. A custom domain's base path is in `path`, the stage is not."""
    path, query = _split(target)
    pairs = parse_qsl(query, keep_blank_values=True)
    every: dict[str, list[str]] = {}
    for name, value in pairs:
        every.setdefault(name, []).append(value)
    sent = HEADERS | (headers or {})
    return {
        "resource": "/{proxy+}",
        "path": f"{base_path}{path}",
        "httpMethod": method,
        "headers": sent,
        "multiValueHeaders": {name: [value] for name, value in sent.items()},
        "queryStringParameters": dict(pairs) or None,
        "multiValueQueryStringParameters": every or None,
        "pathParameters": {"proxy": unquote(path.lstrip("/"))},
        "stageVariables": None,
        "requestContext": {
            "resourcePath": "/{proxy+}",
            "httpMethod": method,
            "path": f"{base_path or f'/{stage}'}{path}",
            "protocol": "HTTP/1.1",
            "stage": stage,
            "domainName": "img.example" if base_path else sent["Host"],
            "identity": {"sourceIp": "203.0.113.7"},
        },
        "body": None,
        "isBase64Encoded": False,
    }


def http_api(
    target: str,
    *,
    method: str = "GET",
    stage: str = "$default",
    headers: dict[str, str] | None = None,
) -> Event:
    """An HTTP API's event, payload format 2.0."""
    prefix = "" if stage == "$default" else f"/{stage}"
    path = f"{prefix}{decoded_by_http_api(_split(target)[0])}"
    return _second(target, method, path, stage, HEADERS["Host"], f"{method} /{{proxy+}}", headers)


def http_api_first(target: str, **options: Any) -> Event:
    """An HTTP API's event, payload format 1.0."""
    event = rest(target, **options)
    path, _ = _split(target)
    return event | {"version": "1.0", "path": decoded_by_http_api(path)}


def function_url(target: str, *, method: str = "GET", headers: dict[str, str] | None = None) -> Event:
    """A function URL's event, whose path is as it was sent."""
    host = "abcdefgh.lambda-url.eu-central-1.on.aws"
    return _second(target, method, _split(target)[0], "$default", host, "$default", headers)


def _second(
    target: str,
    method: str,
    raw_path: str,
    stage: str,
    host: str,
    route: str,
    headers: dict[str, str] | None,
) -> Event:
    _, query = _split(target)
    sent = HEADERS | {"Host": host} | (headers or {})
    values: dict[str, str] = {}
    for name, value in parse_qsl(query, keep_blank_values=True):
        values[name] = f"{values[name]},{value}" if name in values else value
    return {
        "version": "2.0",
        "routeKey": route,
        "rawPath": raw_path,
        "rawQueryString": query,
        "headers": {name.lower(): value for name, value in sent.items()},
        "queryStringParameters": values,
        "requestContext": {
            "accountId": "123456789012",
            "apiId": host.partition(".")[0],
            "domainName": host,
            "http": {
                "method": method,
                "path": raw_path,
                "protocol": "HTTP/1.1",
                "sourceIp": "203.0.113.7",
                "userAgent": "test",
            },
            "routeKey": route,
            "stage": stage,
        },
        "isBase64Encoded": False,
    }


KINDS: dict[str, Callable[..., Event]] = {
    "REST API": rest,
    "HTTP API": http_api,
    "HTTP API, format 1.0": http_api_first,
    "function URL": function_url,
}
