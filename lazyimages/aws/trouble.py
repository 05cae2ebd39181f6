"""What AWS's errors mean to who runs a command, and what to do about each."""

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionError,
    HTTPClientError,
    NoCredentialsError,
    NoRegionError,
    PartialCredentialsError,
    ProfileNotFound,
    SSOError,
    TokenRetrievalError,
)

DENIED = ("AccessDenied", "AccessDeniedException", "403", "UnauthorizedOperation")
EXPIRED = ("ExpiredToken", "ExpiredTokenException", "RequestExpired", "InvalidToken")
UNKNOWN_KEY = ("InvalidAccessKeyId", "InvalidClientTokenId", "UnrecognizedClientException")
WRONG_SECRET = ("SignatureDoesNotMatch",)
# By these words other services than S3 say by the same code that the clock is wrong (IAM user guide,
# "Troubleshoot AWS API requests": signature expired).
_SKEWED_WORDS = ("Signature expired", "Signature not yet current")
SKEWED = ("RequestTimeTooSkewed", "RequestInTheFuture")
OTHER_REGION = (
    "301",
    "PermanentRedirect",
    "AuthorizationHeaderMalformed",
)
_ILLEGAL_PLACE = ("IllegalLocationConstraintException", "InvalidLocationConstraint", "InvalidRegionName")
_CHANGED_MEANWHILE = ("PreconditionFailed", "InvalidIfMatchVersion", "OperationAborted")

_SLOW_DOWN = ("Throttling", "ThrottlingException", "SlowDown", "TooManyRequestsException")
_OF_A_DISTRIBUTION = {
    "CNAMEAlreadyExists": (
        "The host of CDN_URL is an alias of another distribution, perhaps in another account. Take it away "
        "there (CloudFront developer guide: Move an alternate domain name), or set DISTRIBUTION_ID to that."
    ),
    "InvalidViewerCertificate": (
        "CloudFront does not take the certificate. It has to be issued, for the host of CDN_URL, in AWS "
        "Certificate Manager in us-east-1; give its ARN to --certificate."
    ),
    "DistributionAlreadyExists": (
        "CloudFront has made this distribution already, and its answer was lost. Run the command again."
    ),
}

# Service authorization reference, "Actions, resources, and condition keys" of each service: where the action
# is not called as the operation is.
_ACTIONS = {
    "HeadBucket": "s3:ListBucket",
    "ListObjectsV2": "s3:ListBucket",
    "ListBuckets": "s3:ListAllMyBuckets",
    "HeadObject": "s3:GetObject",
    "CopyObject": "s3:PutObject",  # and s3:GetObject on what is copied
    "DeleteObjects": "s3:DeleteObject",
    "GetPublicAccessBlock": "s3:GetBucketPublicAccessBlock",
    "PutPublicAccessBlock": "s3:PutBucketPublicAccessBlock",
    "GetBucketEncryption": "s3:GetEncryptionConfiguration",
    "PutBucketEncryption": "s3:PutEncryptionConfiguration",
    "GetBucketLifecycleConfiguration": "s3:GetLifecycleConfiguration",
    "PutBucketLifecycleConfiguration": "s3:PutLifecycleConfiguration",
    "DeleteBucketLifecycle": "s3:PutLifecycleConfiguration",
    "GetBucketCors": "s3:GetBucketCORS",
    "PutBucketCors": "s3:PutBucketCORS",
    "DeleteBucketCors": "s3:PutBucketCORS",
    "GetCallerIdentity": "sts:GetCallerIdentity",
    "SimulatePrincipalPolicy": "iam:SimulatePrincipalPolicy",
    "CreateDistributionWithTags": "cloudfront:CreateDistribution and cloudfront:TagResource",
}
_OF_CLOUDFRONT = ("Distribution", "CachePolic", "ResponseHeaders", "OriginAccess", "Invalidation", "TagsFor")


def action(operation: str) -> str:
    """Return the IAM action that an operation needs, as in `s3:PutBucketPolicy`."""
    if operation in _ACTIONS:
        return _ACTIONS[operation]
    service = "cloudfront" if any(word in operation for word in _OF_CLOUDFRONT) else "s3"
    return f"{service}:{operation}"


def code(error: ClientError) -> str:
    """Return the code of an error: `AccessDenied`; for answers without a body the status, as in `403`."""
    return str(error.response.get("Error", {}).get("Code", ""))


def explain(error: ClientError | BotoCoreError, about: str) -> str:
    """Say in a sentence or two what went wrong with `about`, as in "the bucket 'photos'", and the remedy."""
    if isinstance(error, ClientError):
        return _explain_answer(error, about)
    if isinstance(error, (NoCredentialsError, PartialCredentialsError)):
        return (
            "There are no AWS credentials, or a part of them is missing. Set AWS_ACCESS_KEY_ID and "
            "AWS_SECRET_ACCESS_KEY, or AWS_PROFILE, or run this where a role gives them."
        )
    if isinstance(error, ProfileNotFound):
        return f"{error}. Set AWS_PROFILE to a profile of ~/.aws/config, or unset it."
    if isinstance(error, (SSOError, TokenRetrievalError)):
        return f"{error}. Log in again: aws sso login."
    if isinstance(error, NoRegionError):
        return "No region is set. Set region_name in STORAGES, or AWS_DEFAULT_REGION."
    if isinstance(error, (ConnectionError, HTTPClientError)):
        return (
            f"AWS did not answer about {about}: {error}. Check the network, and region_name and endpoint_url "
            "in STORAGES."
        )
    return f"AWS could not be asked about {about}: {error}".rstrip(".") + "."


def _explain_answer(error: ClientError, about: str) -> str:
    operation, said = error.operation_name, code(error)
    message = str(error.response.get("Error", {}).get("Message", "")).rstrip(" .")
    if said in DENIED:
        if "must be verified" in message:  # CloudFront, to new accounts; no permission would help
            return f"AWS refused {operation} on {about}: {message}."
        if operation == "HeadBucket":
            return (
                f"AWS refused to show {about}: it belongs to another account, or the caller lacks "
                "s3:ListBucket. Choose another bucket_name, or give the caller s3:ListBucket."
            )
        reason = f" AWS says: {message}." if "explicit deny" in message else ""
        return (
            f"AWS refused {operation} on {about}. Give the caller {action(operation)}."
            f"{reason}{_beside(operation)}"
        )
    if said in EXPIRED:
        return "The AWS session has expired. Log in again (aws sso login), or renew AWS_SESSION_TOKEN."
    if said in UNKNOWN_KEY:
        return "AWS does not know this access key. Check AWS_ACCESS_KEY_ID, or AWS_PROFILE."
    if said in SKEWED or (said in WRONG_SECRET and any(words in message for words in _SKEWED_WORDS)):
        return (
            "This machine's clock is wrong: by more than 15 minutes for S3, by more than 5 for CloudFront. "
            "Set it (NTP), and try again."
        )
    if said in WRONG_SECRET:
        return "AWS_SECRET_ACCESS_KEY does not belong to AWS_ACCESS_KEY_ID. Correct it."
    if said in OTHER_REGION:
        where = error.response.get("ResponseMetadata", {}).get("HTTPHeaders", {}).get("x-amz-bucket-region")
        name = f"{where!r}" if where else "the bucket's own"
        return f"{about[:1].upper()}{about[1:]} is in another region. Set region_name in STORAGES to {name}."
    if said in _ILLEGAL_PLACE:
        return (
            f"{about[:1].upper()}{about[1:]} cannot be created in the region that region_name in STORAGES "
            "says. Set region_name to the region's code, as in 'eu-central-1', and endpoint_url, if you need "
            "one, to that region's."
        )
    if said == "InvalidBucketAclWithObjectOwnership":
        return (
            f"The ACL of {about} lets others in, and S3 turns ACLs off only when it does not. Who "
            "reads by it will be refused then. Reset it (aws s3api put-bucket-acl --acl private --bucket "
            "...), and run the command again."
        )
    if said == "BucketAlreadyOwnedByYou":
        return f"Somebody created {about} in this account a moment ago. Run the command again."
    if said == "BucketAlreadyExists":
        return (
            f"The name of {about} is taken; bucket names are global. Choose another bucket_name in STORAGES."
        )
    if said in _OF_A_DISTRIBUTION:
        return _OF_A_DISTRIBUTION[said]
    if said.startswith("TooMany") and said not in _SLOW_DOWN:
        return (
            f"AWS did not take {operation}: a quota is reached ({said}). Delete what is not used any more, "
            "or ask for more (Service Quotas)."
        )
    if said in _CHANGED_MEANWHILE or said.endswith("AlreadyExists"):
        return f"Somebody else changed {about} at the same time. Run the command again."
    if said in _SLOW_DOWN:
        return f"AWS asks to slow down ({operation} on {about}). Wait a minute, and run the command again."
    return f"AWS did not take {operation} on {about}: {said} {message}".rstrip(" .") + "."


def _beside(operation: str) -> str:
    """Say what else than a missing permission an AccessDenied may mean, or where to find all of them.

    S3 user guide, "Blocking public access to your Amazon S3 storage": what applies is the strictest of the
    settings of bucket, account and organization.
    """
    if "Invalidation" in operation:
        return " `manage.py lazyimages_iam_policy operator` prints all that a purge needs."
    if operation != "PutBucketPolicy":
        return ""
    return (
        " If the caller has it and the policy lets everybody read (redirect), public policies are blocked "
        'for the whole account or organization: look at the S3 console, "Block Public Access settings for '
        'this account" (aws s3control get-public-access-block), and allow them there, or use failover.'
    )
