"""The kinds of findings in settings, credentials and the bucket's documents. Pure."""

from lazyimages.doctor.kinds import Kind

_BUCKET = "python manage.py lazyimages_setup_bucket"
_CDN = "python manage.py lazyimages_setup_cdn"

SETTINGS = (
    Kind(
        name="settings-wrong",
        severity="error",
        meaning="A system check of lazyimages says that the settings cannot work.",
        remedy="{hint}",
    ),
    Kind(
        name="settings-risky",
        severity="warning",
        meaning="A system check of lazyimages warns of the settings.",
        remedy="{hint}",
    ),
    Kind(
        name="cdn-url-slash",
        severity="warning",
        meaning="lazyimages leaves the slash at the end of CDN_URL out. Code of yours that joins CDN_URL and "
        "a key itself would ask for //KEY, which is another object.",
        remedy='Write LAZYIMAGES["CDN_URL"] = "{url}".',
    ),
    Kind(
        name="cdn-url-path",
        severity="error",
        meaning="CDN_URL has a path. The CDN hands the whole path on as the key, so the bucket and the "
        "resizer would be asked for PATH/KEY, which is the variant of another original.",
        remedy='Write LAZYIMAGES["CDN_URL"] = "{url}".',
    ),
    Kind(
        name="resizer-url-path",
        severity="error",
        meaning="RESIZER_URL does not end in /resizer, the route in lazyimages.urls. In failover delivery "
        "the origin's path is made from it, with /v in place of /resizer.",
        remedy='Write LAZYIMAGES["RESIZER_URL"] = "{url}", if lazyimages.urls is included there.',
    ),
)

CREDENTIALS = (
    Kind(
        name="credentials",
        severity="error",
        meaning="AWS does not accept the credentials of the storage, or there are none, so nothing on AWS "
        "can be looked at, and the app could store nothing.",
        remedy="{hint}",
    ),
    Kind(
        name="clock-late",
        severity="warning",
        meaning="This machine's clock and S3's differ by more than 5 minutes. From 15 minutes on S3 refuses "
        "every request (RequestTimeTooSkewed).",
        remedy="Set the clock by NTP: sudo timedatectl set-ntp true.",
    ),
    Kind(
        name="clock-wrong",
        severity="error",
        meaning="This machine's clock and S3's differ by more than 15 minutes, and S3 refuses every request "
        "that is signed with such a time (RequestTimeTooSkewed).",
        remedy="Set the clock by NTP: sudo timedatectl set-ntp true.",
    ),
    Kind(
        name="role-is-root",
        severity="warning",
        meaning="These are the credentials of the account's root user, who may do everything. Whoever takes "
        "them from the app has the account.",
        remedy="Make a user or role for the app with the policy that "
        "`python manage.py lazyimages_iam_policy app` prints, and delete root's access keys.",
    ),
    Kind(
        name="role-too-wide",
        severity="warning",
        meaning="These credentials may do what the app never does. If they are the app's, whoever breaks "
        "into the app may do it too.",
        remedy="Give the app a role with the policy that `python manage.py lazyimages_iam_policy app` "
        "prints, and no other policy.",
    ),
    Kind(
        name="role-cannot-list",
        severity="error",
        meaning="S3 answers 403 instead of 404 for an object that is missing, which is how a caller without "
        "s3:ListBucket sees it. A missing original cannot be told from a forbidden one then, and is "
        "answered with 503.",
        remedy="Give the app s3:ListBucket on arn:aws:s3:::{bucket}; "
        "`python manage.py lazyimages_iam_policy app` prints the whole policy.",
    ),
    Kind(
        name="role-cannot-read",
        severity="error",
        meaning="S3 answers 403 for an object that is missing, to a caller who may list the bucket: it may "
        "not read objects.",
        remedy="Give the app s3:GetObject on arn:aws:s3:::{bucket}/*; "
        "`python manage.py lazyimages_iam_policy app` prints the whole policy.",
    ),
    Kind(
        name="not-seen",
        severity="note",
        meaning="The caller may not look at this part, so nothing is known about it.",
        remedy="Give the caller {action}, or run this with the credentials of whoever sets AWS up.",
    ),
    Kind(
        name="no-answer",
        severity="error",
        meaning="AWS did not answer, or with an error that is about none of the other findings.",
        remedy="{hint}",
    ),
)

BUCKET = (
    Kind(
        name="bucket-missing",
        severity="error",
        meaning="There is no bucket of this name.",
        remedy=f"Run {_BUCKET}, or correct bucket_name in STORAGES.",
    ),
    Kind(
        name="bucket-refused",
        severity="error",
        meaning="The bucket belongs to another account, or the caller may not list it. S3 does not say "
        "which.",
        remedy="Choose another bucket_name in STORAGES (names are global), or give the caller s3:ListBucket "
        "on arn:aws:s3:::{bucket}.",
    ),
    Kind(
        name="bucket-region",
        severity="error",
        meaning="The bucket is in another region than region_name in STORAGES says. S3 redirects or refuses "
        "signed requests that go to the wrong region, and the website's host is another one.",
        remedy='Set region_name in STORAGES to "{region}".',
    ),
    Kind(
        name="acl-sent",
        severity="error",
        meaning="The storage sends an ACL with each upload. Buckets made since April 2023 refuse that "
        "(AccessControlListNotSupported); on an older one a public ACL makes originals public.",
        remedy="Remove default_acl (AWS_DEFAULT_ACL) and ACL in object_parameters from STORAGES; "
        "lazyimages never needs an ACL.",
    ),
    Kind(
        name="public-access-blocked",
        severity="error",
        meaning="Block Public Access of the bucket ignores the policy that lets the public read variants, so "
        "the website endpoint answers 403 for all of them, and the resizer serves each itself.",
        remedy=f"Run {_BUCKET}, which turns BlockPublicPolicy and RestrictPublicBuckets off and leaves "
        "the flags for ACLs on.",
    ),
    Kind(
        name="account-blocks-public",
        severity="error",
        meaning="Block Public Access of the whole account overrules the bucket's own, so nobody may read "
        "variants in redirect delivery.",
        remedy="Set DELIVERY to failover, which needs no public bucket; or turn BlockPublicPolicy and "
        "RestrictPublicBuckets off for the account (S3 console, Block Public Access settings for this "
        "account).",
    ),
    Kind(
        name="website-missing",
        severity="error",
        meaning="The bucket has no website, so nobody is sent to the resizer.",
        remedy=f"Run {_BUCKET}.",
    ),
    Kind(
        name="website-code-missing",
        severity="error",
        meaning="The website has no rule for one of the two codes, 403 and 404, with which S3 answers for a "
        "missing object. AWS's own pages do not agree on which of them it is.",
        remedy=f"Run {_BUCKET}, which writes a rule for each.",
    ),
    Kind(
        name="website-code-redirect",
        severity="error",
        meaning="A routing rule redirects with another code than 307. Browsers keep 301 and 308 without "
        "being told to, and then ask the resizer for what the bucket has long had.",
        remedy=f"Run {_BUCKET}, which writes HttpRedirectCode 307.",
    ),
    Kind(
        name="website-elsewhere",
        severity="error",
        meaning="The routing rules lead to another place than RESIZER_URL.",
        remedy=f"Run {_BUCKET}, or correct RESIZER_URL.",
    ),
    Kind(
        name="website-left-over",
        severity="warning",
        meaning="The bucket still has routing rules to a resizer, which failover delivery does not use. "
        "If the CDN read the website endpoint, browsers would be redirected.",
        remedy=f"Run {_BUCKET}, which removes them.",
    ),
    Kind(
        name="originals-public",
        severity="error",
        meaning="The bucket's policy lets everybody read originals.",
        remedy="Take the statement out of the policy (S3 console, Permissions, Bucket policy), and run "
        f"{_BUCKET}, which lets everybody read variants alone.",
    ),
    Kind(
        name="policy-wide",
        severity="warning",
        meaning="A statement of the bucket's policy lets everybody read more than variants. No original "
        "was found there.",
        remedy="Take the statement out of the policy, unless these files are meant to be public and no "
        "upload_to leads there.",
    ),
    Kind(
        name="listing-public",
        severity="error",
        meaning="Everybody may list the bucket, and so learn the names of all originals.",
        remedy="Take s3:ListBucket for everybody out of the policy (S3 console, Permissions, Bucket policy).",
    ),
    Kind(
        name="variants-not-readable",
        severity="error",
        meaning="Whoever reads the bucket for visitors (the public in redirect, the distribution in "
        "failover) may not read variants that are there. The resizer then serves each, every time.",
        remedy=f"Run {_BUCKET} (in failover after {_CDN}).",
    ),
    Kind(
        name="encryption-kms",
        severity="error",
        meaning="The bucket encrypts with KMS, and website endpoints serve no such objects.",
        remedy=f"Run {_BUCKET}, which sets SSE-S3. Objects that are there keep their encryption: delete the "
        "variants, which are then made again.",
    ),
    Kind(
        name="bucket-drift",
        severity="warning",
        meaning="Documents of the bucket differ from what setting up would write.",
        remedy=f"Look with {_BUCKET} --dry-run, and run it.",
    ),
)
