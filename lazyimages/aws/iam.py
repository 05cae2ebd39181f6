"""Who may do what: IAM policies for the app, its operator, who sets AWS up, and the function on Lambda.

What an action is called and which resources it can be limited to is in AWS's service authorization
reference, "Actions, resources, and condition keys" of S3, CloudFront, IAM and CloudWatch Logs.
"""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial

from lazyimages.aws import documents
from lazyimages.aws.distribution import TAG
from lazyimages.aws.documents import Conflict, Document
from lazyimages.sizes import Size
from lazyimages.storage import INCOMING

MOST_CHARACTERS = 6144  # IAM user guide, "IAM and AWS STS quotas": of a managed policy, without white space
Way = Callable[[list[str]], list[Document]]  # makes statements for places of variants
PROBES = "lazyimages-doctor-"  # with what the names of lazyimages_doctor's own objects begin

_BUCKET = (
    "s3:CreateBucket",
    "s3:GetBucketOwnershipControls",
    "s3:GetBucketPolicy",
    "s3:GetBucketPublicAccessBlock",
    "s3:GetEncryptionConfiguration",
    "s3:GetLifecycleConfiguration",
    "s3:ListBucket",
    "s3:PutBucketOwnershipControls",
    "s3:PutBucketPublicAccessBlock",
    "s3:PutEncryptionConfiguration",
    "s3:PutLifecycleConfiguration",
)
_CORS = ("s3:GetBucketCORS", "s3:PutBucketCORS")
_VARIANTS_BUCKET = (
    *_CORS,
    "s3:DeleteBucketPolicy",
    "s3:DeleteBucketWebsite",
    "s3:GetBucketWebsite",
    "s3:PutBucketPolicy",
    "s3:PutBucketWebsite",
)
# The reference names no resource for these: they are about all, or about what has no id yet.
_ANYWHERE = (
    "cloudfront:CreateCachePolicy",
    "cloudfront:CreateOriginAccessControl",
    "cloudfront:CreateResponseHeadersPolicy",
    "cloudfront:ListCachePolicies",
    "cloudfront:ListDistributions",
    "cloudfront:ListOriginAccessControls",
    "cloudfront:ListResponseHeadersPolicies",
    "iam:SimulatePrincipalPolicy",  # of whoever runs lazyimages_doctor, by a name that is not known here
    "s3:GetAccountPublicAccessBlock",
)
_PARTS = (
    (
        "LazyImagesCachePolicy",
        "cache-policy",
        ("cloudfront:GetCachePolicy", "cloudfront:UpdateCachePolicy"),
    ),
    (
        "LazyImagesHeadersPolicy",
        "response-headers-policy",
        ("cloudfront:GetResponseHeadersPolicy", "cloudfront:UpdateResponseHeadersPolicy"),
    ),
    (
        "LazyImagesOriginAccess",
        "origin-access-control",
        ("cloudfront:GetOriginAccessControl", "cloudfront:UpdateOriginAccessControl"),
    ),
)

TRUST: Document = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"Service": "lambda.amazonaws.com"},
            "Action": "sts:AssumeRole",
        }
    ],
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Area:
    """A bucket, and the folder in it that a storage keeps to; `location` is empty for all of it."""

    bucket: str
    location: str = ""

    @property
    def path(self) -> str:
        """Return bucket and folder, as in "photos/shop"."""
        return f"{self.bucket}/{self.location.strip('/')}".rstrip("/")

    def holds(self, other: "Area") -> bool:
        """Tell whether all that can be in the other is in this one."""
        return f"{other.path}/".startswith(f"{self.path}/")

    def meets(self, other: "Area") -> bool:
        """Tell whether an object can be in both."""
        return self.holds(other) or other.holds(self)


@dataclass(frozen=True, kw_only=True, slots=True)
class Scope:
    """What the policies are about: areas (None: not on S3), sizes, and whether variants get a tag.

    `incoming` tells whether browsers send to the originals' area by themselves, `cleanup` whether originals
    that no row needs are deleted.
    """

    originals: Area | None
    variants: Area | None
    sizes: tuple[Size, ...]
    tagged: bool = False
    incoming: bool = False
    cleanup: bool = True
    partition: str = "aws"

    @property
    def buckets(self) -> list[str]:
        """Return the ARNs of the buckets, each once."""
        areas = [area for area in (self.originals, self.variants) if area]
        return list(dict.fromkeys(_arn(self, area.bucket) for area in areas))

    @property
    def has_variants_apart(self) -> bool:
        """Tell whether no original can be where variants are."""
        return self.variants is not None and not (self.originals and self.originals.meets(self.variants))


def app(scope: Scope) -> Document:
    """Return what the site needs: upload and copy originals, and read, make, replace and delete variants.

    It deletes originals too, but without `cleanup` those of lazyimages_doctor alone, and what browsers sent.
    `Conflict` when IAM would refuse the policy for its length; `function` and `operator` raise it too.
    """

    def statements(places: list[str]) -> list[Document]:
        if scope.cleanup:
            return _site(scope, places, ("s3:DeleteObject", "s3:GetObject", "s3:PutObject"))
        site = _site(scope, places, ("s3:GetObject", "s3:PutObject"))
        if scope.originals:
            probes = [f"{_arn(scope, scope.originals.path)}/{PROBES}*"]
            site.append(_allow("LazyImagesProbes", ["s3:DeleteObject"], probes))
        if scope.originals and scope.incoming:
            # To send there, and to look at it, is in LazyImagesOriginals.
            sent = [f"{_arn(scope, scope.originals.path)}/{INCOMING}*"]
            site.append(_allow("LazyImagesIncoming", ["s3:DeleteObject"], sent))
        return site

    return _fit(scope, statements)


def function(scope: Scope, *, name: str, region: str) -> Document:
    """Return what the resizer on Lambda needs: as the site, but without uploads, and with its log."""
    group = f"arn:{scope.partition}:logs:{region}:*:log-group:/aws/lambda/{name}"
    writing = ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"]
    log = _allow("LazyImagesLog", writing, [group, f"{group}:*"])
    return _fit(scope, lambda places: [*_site(scope, places, ("s3:GetObject",)), log])


def operator(scope: Scope, *, distribution_id: str | None = None, has_cdn: bool = False) -> Document:
    """Return what measuring, warming, purging and the report need, from a machine or by its tasks.

    It stores no originals, and reads no variants. Unlike the app it deletes variants of sizes that were
    dropped, and originals, whether `cleanup` is on or not. It invalidates a distribution by its id, or, with
    `has_cdn`, the one that `setup` may create.
    """

    def statements(dropped: list[str], places: list[str]) -> list[Document]:
        found: list[Document] = []
        if scope.originals:
            whole = f"{_arn(scope, scope.originals.path)}/*"
            found.append(_allow("LazyImagesOriginals", ["s3:DeleteObject", "s3:GetObject"], [whole]))
        if scope.variants and places:
            found.append(_allow("LazyImagesVariants", ["s3:PutObject", *_tagging(scope)], places))
        if dropped:
            found.append(_allow("LazyImagesPurge", ["s3:DeleteObject"], dropped))
        found.append(_tell_missing(scope))
        return [*found, *_invalidations(scope, distribution_id, has_cdn)]

    if scope.variants is None or (scope.originals and scope.originals.holds(scope.variants)):
        return _fit(scope, partial(statements, []))
    ways = [documents.any_size_resources(scope.variants.path, scope.partition)]
    if scope.has_variants_apart:
        ways.append([f"{_arn(scope, scope.variants.path)}/*"])
    return _fit(scope, *(partial(statements, way) for way in ways))


def setup(scope: Scope, *, distribution_id: str | None = None) -> Document:
    """Return what the commands need that set up and examine AWS.

    Without a distribution's id, one is created, found and changed by its tag.
    """
    statements = [*_buckets(scope), _probes(scope), *_cloudfront(scope, distribution_id)]
    return {"Version": "2012-10-17", "Statement": statements}


def length(policy: Document) -> int:
    """Return how many characters IAM counts: all but white space."""
    return len("".join(json.dumps(policy, ensure_ascii=False, separators=(",", ":")).split()))


def _site(scope: Scope, places: list[str], with_originals: Iterable[str]) -> list[Document]:
    statements: list[Document] = []
    if scope.originals:
        whole = f"{_arn(scope, scope.originals.path)}/*"
        statements.append(_allow("LazyImagesOriginals", with_originals, [whole]))
    if scope.variants and places:
        actions = ["s3:DeleteObject", "s3:GetObject", "s3:PutObject", *_tagging(scope)]
        statements.append(_allow("LazyImagesVariants", actions, places))
    return [*statements, _tell_missing(scope)]


def _tagging(scope: Scope) -> list[str]:
    return ["s3:PutObjectTagging"] if scope.tagged else []


def _tell_missing(scope: Scope) -> Document:
    # Without conditions: a GET has no s3:prefix that one could look at, and would be 403 again.
    return _allow("LazyImagesTellMissing", ["s3:ListBucket"], scope.buckets)


def _invalidations(scope: Scope, distribution_id: str | None, has_cdn: bool) -> list[Document]:
    actions = ("cloudfront:CreateInvalidation", "cloudfront:GetInvalidation", "cloudfront:ListInvalidations")
    which = [_of_cloudfront(scope, "distribution", distribution_id)]
    if distribution_id:
        return [_allow("LazyImagesInvalidate", actions, which)]
    if not (has_cdn and scope.variants):
        return []
    ours = {f"aws:ResourceTag/{TAG}": scope.variants.bucket}
    return [_allow("LazyImagesInvalidate", actions, which, ours)]


def _of_cloudfront(scope: Scope, kind: str, id: str | None = None) -> str:
    # A policy counts in its own account alone.
    return f"arn:{scope.partition}:cloudfront::*:{kind}/{id or '*'}"


def _buckets(scope: Scope) -> list[Document]:
    statements: list[Document] = []
    bucket = scope.variants.bucket if scope.variants else ""
    if scope.variants:
        actions = sorted([*_BUCKET, *_VARIANTS_BUCKET])
        statements.append(_allow("LazyImagesBucket", actions, [_arn(scope, bucket)]))
    if scope.originals and scope.originals.bucket != bucket:
        originals = [_arn(scope, scope.originals.bucket)]
        actions = sorted([*_BUCKET, *_CORS])
        statements.append(_allow("LazyImagesOriginalsBucket", actions, originals))
    return statements


def _probes(scope: Scope) -> Document:
    """Let lazyimages_doctor --live put, read and remove what is its own."""
    places = [_arn(scope, area.path) for area in (scope.originals, scope.variants) if area]
    below = [f"{_arn(scope, scope.variants.path)}/*"] if scope.variants else []
    return _allow(
        "LazyImagesProbes",
        ["s3:DeleteObject", "s3:GetObject", "s3:PutObject", *_tagging(scope)],
        [f"{place}/{PROBES}*" for place in dict.fromkeys([*places, *below])],
    )


def _cloudfront(scope: Scope, distribution_id: str | None) -> list[Document]:
    every = _of_cloudfront(scope, "distribution")
    look = ("cloudfront:GetDistribution", "cloudfront:ListTagsForResource")
    statements = [
        _allow("LazyImagesLook", _ANYWHERE, ["*"]),
        *(_allow(sid, actions, [_of_cloudfront(scope, kind)]) for sid, kind, actions in _PARTS),
        _allow("LazyImagesDistributions", look, [every]),
    ]
    update = ("cloudfront:UpdateDistribution",)
    if distribution_id:
        known = _of_cloudfront(scope, "distribution", distribution_id)
        return [*statements, _allow("LazyImagesUpdate", update, [known])]
    tag = scope.variants.bucket if scope.variants else ""
    there, new = ({f"aws:{whose}Tag/{TAG}": tag} for whose in ("Resource", "Request"))
    return [
        *statements,
        _allow("LazyImagesUpdate", update, [every], there),
        _allow("LazyImagesCreate", ("cloudfront:CreateDistribution",), ["*"], new),
        _allow("LazyImagesTag", ("cloudfront:TagResource",), [every], new),
    ]


def _allow(
    sid: str, actions: Iterable[str], resources: list[str], equals: Document | None = None
) -> Document:
    condition = {"Condition": {"StringEquals": equals}} if equals else {}
    return {"Sid": sid, "Effect": "Allow", "Action": [*actions], "Resource": resources, **condition}


def _arn(scope: Scope, path: str) -> str:
    return f"arn:{scope.partition}:s3:::{path}"


def _fit(scope: Scope, *ways: Way) -> Document:
    """Return a policy that IAM takes: with every size, or else with all of an area of variants alone.

    `ways` make the statements, the narrowest first.
    """

    def written(places: list[str], way: Way) -> Document:
        return {"Version": "2012-10-17", "Statement": way(places)}

    def by_size(number: int, way: Way) -> Document:
        if scope.variants is None:
            return written([], way)
        some = scope.sizes[:number]
        return written(documents.variant_resources(scope.variants.path, some, scope.partition), way)

    for way in ways:
        policy = by_size(len(scope.sizes), way)
        if length(policy) <= MOST_CHARACTERS:
            return policy
    if scope.variants and scope.has_variants_apart:
        return written([f"{_arn(scope, scope.variants.path)}/*"], ways[-1])
    fitting = sum(
        length(by_size(number, ways[-1])) <= MOST_CHARACTERS for number in range(1, len(scope.sizes))
    )
    raise Conflict(
        f"the policy would have {length(policy):,} characters, and IAM takes {MOST_CHARACTERS:,}: it names "
        f"{len(scope.sizes)} sizes, and {fitting} fit. Keep variants in a bucket of their own "
        '(LAZYIMAGES["VARIANTS"]), where one line is enough; or allow fewer sizes.'
    )
