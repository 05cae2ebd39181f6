"""The kinds of findings in the documents of the CloudFront distribution. Pure."""

from lazyimages.doctor.kinds import Kind

_BUCKET = "python manage.py lazyimages_setup_bucket"
_CDN = "python manage.py lazyimages_setup_cdn"

CDN = (
    Kind(
        name="cdn-missing",
        severity="error",
        meaning="The account has no CloudFront distribution with this id, alias, domain or tag.",
        remedy=f"Run {_CDN}; or set DISTRIBUTION_ID to the id of the one that you use. If another CDN than "
        "CloudFront serves CDN_URL, only --live can look at it.",
    ),
    Kind(
        name="cdn-disabled",
        severity="error",
        meaning="The distribution is disabled and answers nobody.",
        remedy=f"Run {_CDN}, which enables it.",
    ),
    Kind(
        name="cdn-deploying",
        severity="note",
        meaning="CloudFront is still handing out the last change of the distribution; until then some places "
        "answer by the old one.",
        remedy="Wait some minutes: aws cloudfront wait distribution-deployed --id {id}.",
    ),
    Kind(
        name="cdn-url-other",
        severity="error",
        meaning="CDN_URL's host is neither the domain nor an alias of the distribution that was found.",
        remedy='Set CDN_URL to "https://{domain}"; or DISTRIBUTION_ID to the distribution of that host.',
    ),
    Kind(
        name="cdn-keeps-redirects",
        severity="error",
        meaning="The cache policy has a minimum or default TTL above 0, so that S3's redirects may be kept. "
        "While one is, a browser goes to the resizer and back for a variant that is there, and after a purge "
        "in circles.",
        remedy=f"Run {_CDN}, which sets both to 0 (the managed policy CachingOptimized has 1, 86400). Then: "
        'aws cloudfront create-invalidation --distribution-id {id} --paths "/*".',
    ),
    Kind(
        name="cdn-rest-endpoint",
        severity="error",
        meaning="The distribution reads the bucket's REST endpoint, which knows no routing rules: a missing "
        "variant is S3's 403 in XML, and nobody reaches the resizer.",
        remedy=f"Run {_CDN}, which makes the bucket's website endpoint the origin (custom, HTTP only).",
    ),
    Kind(
        name="cdn-website-endpoint",
        severity="error",
        meaning="The first origin is the bucket's website endpoint. Failover delivery needs the bucket "
        "itself: a website endpoint takes no origin access control, and its redirects go to the browser.",
        remedy=f"Run {_CDN}, then {_BUCKET}.",
    ),
    Kind(
        name="cdn-other-origin",
        severity="error",
        meaning="The behaviour for images leads to another origin than the bucket of the variants.",
        remedy=f"Run {_CDN}.",
    ),
    Kind(
        name="cdn-no-failover",
        severity="error",
        meaning="The distribution has no origin group that asks the resizer when S3 answers 403 and 404, so "
        "a missing variant stays missing.",
        remedy=f"Run {_CDN}.",
    ),
    Kind(
        name="cdn-secret",
        severity="error",
        meaning="ORIGIN_SECRET is set, and the distribution sends no X-Lazyimages-Secret, or another one. "
        "The resizer answers 404 to everything that comes without the right one.",
        remedy=f"Run {_CDN}, which writes the header; wait until it is deployed.",
    ),
    Kind(
        name="cdn-keeps-errors",
        severity="warning",
        meaning="CloudFront keeps an error for longer than a second, for everybody. Without a setting of its "
        "own it is 10 seconds, whatever the error's headers say.",
        remedy=f"Run {_CDN}, which sets ErrorCachingMinTTL.",
    ),
    Kind(
        name="cdn-drift",
        severity="warning",
        meaning="The distribution or its policies differ from what setting up would write.",
        remedy=f"Look with {_CDN} --dry-run, and run it.",
    ),
)
