"""The kinds of findings in answers over HTTP, from a probe that was sent down the chain. Pure."""

from lazyimages.doctor.kinds import Kind

_BUCKET = "python manage.py lazyimages_setup_bucket"
_CDN = "python manage.py lazyimages_setup_cdn"

PROBE = (
    Kind(
        name="site-unknown",
        severity="note",
        meaning="In local delivery the app itself serves images, and the doctor does not know where it is.",
        remedy="Run it with --live --site https://shop.example.",
    ),
    Kind(
        name="website-unknown",
        severity="note",
        meaning="The storage has an endpoint_url, so the address of the website endpoint is not known and it "
        "was not asked for the original.",
        remedy="Run it with --website http://HOST, if there is such an endpoint.",
    ),
    Kind(
        name="role-cannot-upload",
        severity="error",
        meaning="The probe's original could not be stored by the storage of the originals.",
        remedy="Give the app s3:PutObject on the originals; `python manage.py lazyimages_iam_policy app` "
        "prints the whole policy. On other storages: see what the storage says.",
    ),
    Kind(
        name="role-cannot-write",
        severity="error",
        meaning="A variant could not be stored with the credentials of the storage.",
        remedy="Give the app s3:PutObject on variants (and s3:PutObjectTagging when EXPIRE_VARIANTS_DAYS is "
        "set); `python manage.py lazyimages_iam_policy app` prints the whole policy.",
    ),
    Kind(
        name="role-cannot-delete",
        severity="error",
        meaning="A variant could not be deleted with the credentials of the storage.",
        remedy="Give the app s3:DeleteObject on variants; `python manage.py lazyimages_iam_policy app` "
        "prints the whole policy.",
    ),
    Kind(
        name="probe-left",
        severity="warning",
        meaning="What the doctor had stored could not be removed.",
        remedy="Delete what is named lazyimages-doctor-* in the storages of originals and variants.",
    ),
)

ROAD = (
    Kind(
        name="cdn-unreachable",
        severity="error",
        meaning="Nobody answers at CDN_URL, so visitors see no pictures at all.",
        remedy='Check LAZYIMAGES["CDN_URL"], its DNS record and its certificate; '
        f"{_CDN} says what the distribution's domain is.",
    ),
    Kind(
        name="resizer-unreachable",
        severity="error",
        meaning="The resizer does not answer, or what answers is not lazyimages.",
        remedy="Check that the app runs, that RESIZER_URL leads to it from the internet, and that "
        'path("images/", include("lazyimages.urls")) is in its URLconf. Try: curl -i {url}',
    ),
    Kind(
        name="resizer-failed",
        severity="error",
        meaning="The resizer answered with a server error.",
        remedy="Look at the app's log of the logger lazyimages, and at images/health.",
    ),
    Kind(
        name="resizer-elsewhere",
        severity="error",
        meaning="The CDN leads to another place than RESIZER_URL.",
        remedy=f"Run {_BUCKET} (redirect: it is in the routing rules) or {_CDN} (failover: it is the second "
        "origin), or correct RESIZER_URL.",
    ),
    Kind(
        name="resizer-disagrees",
        severity="error",
        meaning="The resizer knows nothing of an original that is there: it reads another bucket, or has "
        "another whitelist than the settings that the doctor runs with.",
        remedy="Deploy the app with the same LAZYIMAGES and STORAGES, and restart it. If only one of its "
        "machines is meant, run the doctor there.",
    ),
    Kind(
        name="resizer-cannot-store",
        severity="error",
        meaning="The resizer made the variant and could not store it, so it is made again for everybody.",
        remedy="Give the app s3:PutObject on variants; `python manage.py lazyimages_iam_policy app` prints "
        "the whole policy. The app's log has a line that begins with `variant not stored`.",
    ),
    Kind(
        name="redirect-missing",
        severity="error",
        meaning="For a missing variant the CDN answers 403 or 404 itself and sends nobody to the resizer: "
        "there is no routing rule for the code with which S3 answers.",
        remedy=f"Run {_BUCKET}, which writes a rule for 403 and one for 404.",
    ),
    Kind(
        name="redirect-code",
        severity="error",
        meaning="The website sends browsers to the resizer with another code than 307. "
        "They keep 301 and 308.",
        remedy=f"Run {_BUCKET}, which writes HttpRedirectCode 307; then invalidate /*.",
    ),
    Kind(
        name="redirect-kept",
        severity="error",
        meaning="The CDN keeps S3's redirect: it answers 307 for a variant that the bucket has. After a "
        "purge browsers would go in circles.",
        remedy=f"Run {_CDN}, which sets minimum and default TTL to 0, and invalidate /*.",
    ),
    Kind(
        name="redirect-permanent",
        severity="error",
        meaning="The resizer's 301 comes without Cache-Control: no-store. Browsers keep such a redirect; "
        "once the variant is purged they go in circles and never ask the resizer again.",
        remedy="lazyimages sends no-store: find the middleware, proxy or CDN before RESIZER_URL that takes "
        "it away, and make it leave RESIZER_URL alone.",
    ),
    Kind(
        name="redirect-loop",
        severity="error",
        meaning="The redirects did not end within 10 hops, or came back to where they had been.",
        remedy=f"Run {_CDN} and {_BUCKET}, and invalidate /*. RESIZER_URL must not lead through a cache.",
    ),
    Kind(
        name="failover-silent",
        severity="error",
        meaning="The CDN answers for a missing variant itself and does not ask the resizer: the origin group "
        "does not fail over.",
        remedy=f"Run {_CDN}, which fails over on 403, 404 and 5xx to RESIZER_URL with /v for /resizer.",
    ),
    Kind(
        name="failover-redirects",
        severity="error",
        meaning="The CDN redirects, and failover delivery knows no redirects: its first origin is the "
        "website endpoint, or the resizer runs with another DELIVERY.",
        remedy=f"Run {_CDN}, then {_BUCKET}; deploy the app with DELIVERY failover.",
    ),
    Kind(
        name="secret-refused",
        severity="error",
        meaning="The resizer answers 404 because the CDN sends no X-Lazyimages-Secret, or another than the "
        "app's ORIGIN_SECRET.",
        remedy=f"Run {_CDN} with the same ORIGIN_SECRET as the app, and wait until it is deployed.",
    ),
    Kind(
        name="answer-unexpected",
        severity="error",
        meaning="An answer is none of those that lazyimages, S3 and the CDN give here.",
        remedy="Look at the hops: the last one says who answered. Something before RESIZER_URL or CDN_URL "
        "(a firewall, a login, a maintenance page) may answer in their place.",
    ),
)

ANSWER = (
    Kind(
        name="variant-broken",
        severity="error",
        meaning="What came is no whole picture, or not the probe's.",
        remedy="Ask for it again with curl, and look what changes images between the bucket and you (an "
        "optimising proxy, a wrong default page).",
    ),
    Kind(
        name="variant-dimensions",
        severity="error",
        meaning="The picture has other dimensions than its size asks for.",
        remedy="Run the same version of lazyimages here and in the app; look for a proxy that resizes.",
    ),
    Kind(
        name="variant-type",
        severity="error",
        meaning="The picture came with another Content-Type than its own.",
        remedy="Remove what sets Content-Type between bucket and browser (object_parameters, a response "
        "headers policy, a proxy).",
    ),
    Kind(
        name="variant-cache-control",
        severity="warning",
        meaning="The variant came without the Cache-Control of the settings, so that browsers and the CDN do "
        "not keep it as long as they could.",
        remedy="Remove what changes Cache-Control on the way (a response headers policy, a proxy).",
    ),
    Kind(
        name="variant-remade",
        severity="error",
        meaning="The variant is stored, and yet the resizer was asked again.",
        remedy=f"Run {_BUCKET} and {_CDN}: the CDN may not read the bucket, or keeps an old answer.",
    ),
    Kind(
        name="size-served",
        severity="error",
        meaning="A size outside of the whitelist was served: anybody can fill the bucket with sizes.",
        remedy="Deploy the app with the same SIZES; look for another resizer behind CDN_URL.",
    ),
    Kind(
        name="original-not-asked",
        severity="note",
        meaning="S3 or the website endpoint could not be asked from here, so it is not known whether either "
        "gives originals away. Visitors come through the CDN alone.",
        remedy="Run it where HTTPS to S3, and HTTP to the website endpoint, are let through.",
    ),
    Kind(
        name="original-served",
        severity="error",
        meaning="The original was served to the public.",
        remedy=f"Run {_BUCKET} and python manage.py lazyimages_doctor, which names the statement; do not "
        "route MEDIA_URL.",
    ),
)
