"""Small tools that the cloud's tests share."""

import http.client
from collections.abc import Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import urlsplit

from tests.clock import PATIENCE

# What the product's setup sends: the policy flags off, the ACL flags on.
OPEN_BLOCK = {
    "BlockPublicAcls": True,
    "IgnorePublicAcls": True,
    "BlockPublicPolicy": False,
    "RestrictPublicBuckets": False,
}


@dataclass(frozen=True)
class Reply:
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def x_cache(self) -> str:
        return self.headers["X-Cache"]

    @property
    def location(self) -> str:
        return self.headers["Location"]


def fetch(url: str, *, method: str = "GET", body: bytes | None = None, **headers: str) -> Reply:
    """Send exactly this URL, follow no redirect, keep nothing."""
    split = urlsplit(url)
    connection = http.client.HTTPConnection(split.netloc, timeout=PATIENCE)
    target = url.partition(split.netloc)[2]
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    connection.request(method, target, body=body, headers=sent)
    response = connection.getresponse()
    reply = Reply(response.status, response.headers, response.read())
    connection.close()
    return reply


def public_read(bucket: str, *resources: str) -> dict[str, Any]:
    return {
        "Effect": "Allow",
        "Principal": "*",
        "Action": "s3:GetObject",
        "Resource": [f"arn:aws:s3:::{bucket}/{resource}" for resource in resources or ("*",)],
    }


def public_list(bucket: str) -> dict[str, Any]:
    return {
        "Effect": "Allow",
        "Principal": {"AWS": "*"},
        "Action": "s3:ListBucket",
        "Resource": f"arn:aws:s3:::{bucket}",
    }


def cloudfront_read(bucket: str, distribution_arn: str, *resources: str) -> dict[str, Any]:
    return public_read(bucket, *resources) | {
        "Principal": {"Service": "cloudfront.amazonaws.com"},
        "Condition": {"StringEquals": {"AWS:SourceArn": distribution_arn}},
    }


def error_rule(code: int, host: str = "shop.example") -> dict[str, Any]:
    """The rule the product's setup writes for each of 403 and 404."""
    return {
        "Condition": {"HttpErrorCodeReturnedEquals": str(code)},
        "Redirect": {
            "Protocol": "http",
            "HostName": host,
            "ReplaceKeyPrefixWith": "images/resizer?key=",
            "HttpRedirectCode": "307",
        },
    }


class QuietHandler(BaseHTTPRequestHandler):
    """A base for toy servers."""

    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: object) -> None:
        pass

    def reply(self, status: int, body: bytes = b"", **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)
