"""The embedded cloud as a process: `python -m marketplace.cloud --bucket NAME --s3-endpoint URL ...`."""

import argparse
import signal
from collections.abc import Sequence

from marketplace.cloud.cache import YEAR, CachePolicy
from marketplace.cloud.embedded import DISTRIBUTION_ARN, ERROR_MIN_TTL, EmbeddedCloud

READY = "CDN ready:"
ENDINGS = (signal.SIGTERM, signal.SIGINT)


def main(argv: Sequence[str] | None = None) -> None:
    """Serve a CDN, and S3's website endpoint, on 127.0.0.1 until SIGTERM or SIGINT."""
    options = _parser().parse_args(argv)
    # Blocked before any thread starts, so in all of them: they stay pending until sigwait takes one. A
    # handler that sets an Event can deadlock when the second signal arrives inside the first one's set().
    signal.pthread_sigmask(signal.SIG_BLOCK, ENDINGS)
    cloud = EmbeddedCloud(
        bucket=options.bucket,
        s3_endpoint=options.s3_endpoint,
        delivery=options.delivery,
        shop=options.shop,
        port=options.port,
        website_port=options.website_port,
        distribution_arn=options.distribution_arn,
        origin_header=options.origin_header,
        origin_secret=options.origin_secret,
        missing_status=options.missing,
        location_encoding=options.location_encoding,
        cache_policy=CachePolicy(
            min_ttl=options.min_ttl,
            default_ttl=options.default_ttl,
            max_ttl=options.max_ttl,
            error_min_ttl=dict.fromkeys(ERROR_MIN_TTL, options.error_ttl),
            cache_307=options.cache_307,
        ),
        failover_codes=options.failover_codes,
    )
    with cloud:
        if cloud.website_url:
            print(f"Website ready: {cloud.website_url}/", flush=True)
        print(f"{READY} {cloud.cdn_url}/", flush=True)
        signal.sigwait(ENDINGS)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m marketplace.cloud",
        description=main.__doc__,
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    add = parser.add_argument
    add("--bucket", required=True, help="the bucket, in --s3-endpoint")
    add("--s3-endpoint", required=True, metavar="URL", help="the S3 API")
    add("--delivery", choices=("redirect", "failover"), default="redirect", help="what stands behind the CDN")
    add("--port", type=int, default=8001, help="the CDN's port; 0 picks a free one")
    add("--website-port", type=int, help="show the website endpoint here too (redirect); 0 picks a free port")
    add("--shop", default="http://127.0.0.1:8000", metavar="URL", help="the site with the resizer (failover)")
    add("--distribution-arn", default=DISTRIBUTION_ARN, metavar="ARN", help="aws:SourceArn (failover)")
    add("--origin-header", default="X-Origin-Secret", metavar="NAME", help="sent to the resizer (failover)")
    add("--origin-secret", default="", metavar="VALUE", help="that header's value; empty: no such header")
    add("--failover-codes", type=_codes, default=(403, 404), metavar="CODES", help="comma-separated")
    add("--missing", type=int, choices=(403, 404), default=403, help="a missing key without ListBucket")
    add("--location-encoding", choices=("escaped", "raw"), default="escaped", help="of keys in Location")
    add("--cache-307", choices=("with-cache-control", "always"), default="with-cache-control", help="and 308")
    add("--min-ttl", type=int, default=0, help="seconds")
    add("--default-ttl", type=int, default=0, help="seconds")
    add("--max-ttl", type=int, default=YEAR, help="seconds")
    add("--error-ttl", type=int, default=1, help="ErrorCachingMinTTL of 5xx, in seconds")
    return parser


def _codes(text: str) -> tuple[int, ...]:
    return tuple(int(code) for code in text.split(","))


if __name__ == "__main__":
    main()
