"""The embedded cloud as a process.

python -m marketplace.cloud --s3-endpoint URL --cloudfront-endpoint URL --distribution-tag KEY=VALUE
python -m marketplace.cloud --s3-endpoint URL --bucket NAME ...
"""

import argparse
import signal
from collections.abc import Sequence
from pathlib import Path

from marketplace.cloud.cache import YEAR, CachePolicy
from marketplace.cloud.embedded import (
    DISTRIBUTION_ARN,
    ERROR_MIN_TTL,
    DistributionCloud,
    EmbeddedCloud,
    KeywordCloud,
    Options,
)

READY = "CDN ready:"
ENDINGS = (signal.SIGTERM, signal.SIGINT)


def main(argv: Sequence[str] | None = None) -> None:
    """Serve a CDN on 127.0.0.1 until SIGTERM or SIGINT, as a distribution or as these options say."""
    parser = _parser()
    options = parser.parse_args(argv)
    by_distribution = bool(options.cloudfront_endpoint)
    if by_distribution == bool(options.bucket):
        parser.error("name --bucket or --cloudfront-endpoint, one of both")
    if by_distribution and bool(options.distribution) == bool(options.distribution_tag):
        parser.error("name --distribution or --distribution-tag, one of both")
    # Blocked before any thread starts, so in all of them: they stay pending until sigwait takes one. A
    # handler that sets an Event can deadlock when the second signal arrives inside the first one's set().
    signal.pthread_sigmask(signal.SIG_BLOCK, ENDINGS)
    with _by_distribution(options) if by_distribution else _by_keywords(options) as cloud:
        if cloud.website_url:
            print(f"Website ready: {cloud.website_url}/", flush=True)
        print(f"{READY} {cloud.cdn_url}/", flush=True)
        signal.sigwait(ENDINGS)


def _by_distribution(options: argparse.Namespace) -> EmbeddedCloud:
    return DistributionCloud(
        s3_endpoint=options.s3_endpoint,
        cloudfront_endpoint=options.cloudfront_endpoint,
        distribution=options.distribution,
        distribution_tag=options.distribution_tag,
        website_bucket=options.website_bucket,
        cache_307=options.cache_307,
        **_common(options),
    )


def _by_keywords(options: argparse.Namespace) -> EmbeddedCloud:
    return KeywordCloud(
        bucket=options.bucket,
        s3_endpoint=options.s3_endpoint,
        delivery=options.delivery,
        shop=options.shop,
        distribution_arn=options.distribution_arn,
        origin_header=options.origin_header,
        origin_secret=options.origin_secret,
        cache_policy=CachePolicy(
            min_ttl=options.min_ttl,
            default_ttl=options.default_ttl,
            max_ttl=options.max_ttl,
            error_min_ttl=dict.fromkeys(ERROR_MIN_TTL, options.error_ttl),
            cache_307=options.cache_307,
        ),
        failover_codes=options.failover_codes,
        **_common(options),
    )


def _common(options: argparse.Namespace) -> Options:
    return {
        "port": options.port,
        "website_port": options.website_port,
        "missing_status": options.missing,
        "location_encoding": options.location_encoding,
        "trace_log": options.trace_log,
    }


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m marketplace.cloud",
        description=main.__doc__,
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    add = parser.add_argument
    add("--s3-endpoint", required=True, metavar="URL", help="the S3 API")
    add("--port", type=int, default=8001, help="the CDN's port; 0 picks a free one")
    add("--website-port", type=int, help="show a bucket's website endpoint here too; 0 picks a free port")
    add("--missing", type=int, choices=(403, 404), default=403, help="a missing key without ListBucket")
    add("--location-encoding", choices=("escaped", "raw"), default="escaped", help="of keys in Location")
    add("--cache-307", choices=("with-cache-control", "always"), default="with-cache-control", help="and 308")
    add("--trace-log", type=Path, metavar="FILE", help="write each request of each layer into this file")
    add = parser.add_argument_group("as a distribution says").add_argument
    add("--cloudfront-endpoint", default="", metavar="URL", help="the CloudFront API")
    add("--distribution", default="", metavar="ID", help="in that API")
    add("--distribution-tag", type=_tag, metavar="KEY=VALUE", help="that the distribution has, and no other")
    add("--website-bucket", default="", metavar="NAME", help="the bucket of --website-port")
    add = parser.add_argument_group("as options say").add_argument
    add("--bucket", default="", help="the bucket, in --s3-endpoint")
    add("--delivery", choices=("redirect", "failover"), default="redirect", help="what stands behind the CDN")
    add("--shop", default="http://127.0.0.1:8000", metavar="URL", help="the site with the resizer (failover)")
    add("--distribution-arn", default=DISTRIBUTION_ARN, metavar="ARN", help="aws:SourceArn (failover)")
    add("--origin-header", default="X-Origin-Secret", metavar="NAME", help="sent to the resizer (failover)")
    add("--origin-secret", default="", metavar="VALUE", help="that header's value; empty: no such header")
    add("--failover-codes", type=_codes, default=(403, 404), metavar="CODES", help="comma-separated")
    add("--min-ttl", type=int, default=0, help="seconds")
    add("--default-ttl", type=int, default=0, help="seconds")
    add("--max-ttl", type=int, default=YEAR, help="seconds")
    add("--error-ttl", type=int, default=1, help="ErrorCachingMinTTL of 5xx, in seconds")
    return parser


def _codes(text: str) -> tuple[int, ...]:
    return tuple(int(code) for code in text.split(","))


def _tag(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not (key and equals):
        raise argparse.ArgumentTypeError(f"{text!r} is not KEY=VALUE")
    return key, value


if __name__ == "__main__":
    main()
