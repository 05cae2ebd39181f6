"""From the documents of AWS's APIs to the properties of CloudFormation's resources, as pure values.

CloudFormation says the same in other words: lists stand without their length, and some names are spelt
otherwise. Source: CloudFormation template reference, the page of each resource type.
"""

from typing import Any

from lazyimages.aws.documents import Document

_NAMES = {
    "ACMCertificateArn": "AcmCertificateArn",
    "Condition": "RoutingRuleCondition",
    "CustomHeaders": "OriginCustomHeaders",
    "ApplyServerSideEncryptionByDefault": "ServerSideEncryptionByDefault",
    "ExposeHeaders": "ExposedHeaders",
    "ID": "Id",
    "IsIPV6Enabled": "IPV6Enabled",
    "MaxAgeSeconds": "MaxAge",
    "OriginSslProtocols": "OriginSSLProtocols",
    "Redirect": "RedirectRule",
    "SSLSupportMethod": "SslSupportMethod",
}
_COUNTED = ("OriginGroups", "Members", "StatusCodes")  # keep their Quantity
_WRAPPED = "AccessControlAllow"  # the beginning of the lists in a response headers policy: Items alone
_NEVER = ("CallerReference", "FieldLevelEncryptionId")  # the API's alone, or empty in all that we write


def properties(document: Document) -> Document:
    """Return a document in CloudFormation's shape, without what is empty: CloudFormation's default for it."""
    result: Document = {}
    for key, value in document.items():
        if key in _NEVER or (key == "CloudFrontDefaultCertificate" and not value):
            continue
        if key == "AllowedMethods" and isinstance(value, dict) and "CachedMethods" in value:
            result |= {"AllowedMethods": value["Items"], "CachedMethods": value["CachedMethods"]["Items"]}
        elif key == "S3OriginConfig":
            result[key] = value  # its empty identity says that there is none
        elif not _is_empty(shaped := _value(key, value)):
            result[_NAMES.get(key, key)] = shaped
    return result


def website(document: Document) -> Document:
    """Return the WebsiteConfiguration of a bucket."""
    result = properties(document)
    for key, inner in (("IndexDocument", "Suffix"), ("ErrorDocument", "Key")):
        if key in document:
            result[key] = document[key][inner]
    return result


def lifecycle(document: Document) -> Document:
    """Return the LifecycleConfiguration of a bucket, whose rules have a filter by tag, or for all."""
    return {"Rules": [_lifecycle_rule(rule) for rule in document["Rules"]]}


def cors(document: Document) -> Document:
    """Return the CorsConfiguration of a bucket."""
    return {"CorsRules": [properties(rule) for rule in document["CORSRules"]]}


def encryption(document: Document) -> Document:
    """Return the BucketEncryption of a bucket."""
    return {"ServerSideEncryptionConfiguration": [properties(rule) for rule in document["Rules"]]}


def either(condition: str, yes: Any, no: Any) -> Any:
    """Return `yes` where a condition of the template holds, else `no`; what is the same stands there once."""
    if yes == no:
        return yes
    if isinstance(yes, dict) and isinstance(no, dict) and yes.keys() == no.keys():
        return {key: either(condition, yes[key], no[key]) for key in yes}
    if isinstance(yes, list) and isinstance(no, list) and len(yes) == len(no):
        return [either(condition, *pair) for pair in zip(yes, no, strict=True)]
    return {"Fn::If": [condition, yes, no]}


def filled(value: Any, names: dict[str, str]) -> Any:
    """Return a value in which stand-ins give way to what CloudFormation knows by a name.

    `names` has for each stand-in the name, as in `AWS::Region`, or `Bucket.Arn` for an attribute.
    """
    if isinstance(value, dict):
        return {key: filled(entry, names) for key, entry in value.items()}
    if isinstance(value, list):
        return [filled(entry, names) for entry in value]
    if not isinstance(value, str) or not any(word in value for word in names):
        return value
    if value in names:
        name = names[value]
        return {"Fn::GetAtt": name.split(".")} if "." in name else {"Ref": name}
    text = value.replace("${", "${!")
    for word, name in names.items():
        text = text.replace(word, f"${{{name}}}")
    return {"Fn::Sub": text}


def _value(key: str, value: Any) -> Any:
    if isinstance(value, list):
        return [properties(entry) if isinstance(entry, dict) else entry for entry in value]
    if not isinstance(value, dict):
        return value
    if "Quantity" not in value:
        return properties(value)
    items = _value(key, value.get("Items", []))
    if key.startswith(_WRAPPED):
        return {"Items": items}
    if key in _COUNTED and items:
        return {"Quantity": len(items), "Items": items}
    return items


def _is_empty(value: Any) -> bool:
    return value in ("", [], {})


def _lifecycle_rule(rule: Document) -> Document:
    shaped = {"Id": rule["ID"], "Status": rule["Status"]}
    if "Prefix" in rule["Filter"]:
        shaped["Prefix"] = rule["Filter"]["Prefix"]
    if tag := rule["Filter"].get("Tag"):
        shaped["TagFilters"] = [tag]
    if days := rule.get("Expiration", {}).get("Days"):
        shaped["ExpirationInDays"] = days
    if abort := rule.get("AbortIncompleteMultipartUpload"):
        shaped["AbortIncompleteMultipartUpload"] = abort
    return shaped
