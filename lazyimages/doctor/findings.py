"""Make findings by their name in the catalogue, and sum them up."""

from collections.abc import Iterable

from lazyimages.doctor import catalogue_aws, catalogue_cdn, catalogue_live
from lazyimages.doctor.kinds import Finding, Kind, Placeholders, Severity

GROUPS: dict[str, tuple[Kind, ...]] = {
    "Settings": catalogue_aws.SETTINGS,
    "Credentials and permissions": catalogue_aws.CREDENTIALS,
    "Bucket": catalogue_aws.BUCKET,
    "CDN": catalogue_cdn.CDN,
    "Probe": catalogue_live.PROBE,
    "The way to the resizer and back": catalogue_live.ROAD,
    "What came": catalogue_live.ANSWER,
}
CATALOGUE: dict[str, Kind] = {kind.name: kind for group in GROUPS.values() for kind in group}


def finding(name: str, what: str, *, severity: Severity | None = None, **fields: str) -> Finding:
    """Return a finding of the catalogue: `what` was seen, and `fields` fill the remedy in."""
    kind = CATALOGUE[name]
    return Finding(
        name=name,
        severity=severity or kind.severity,
        what=what,
        meaning=kind.meaning,
        remedy=kind.remedy.format_map(Placeholders(fields)),
    )


def exit_code(findings: Iterable[Finding]) -> int:
    """Return 2 when there is an error, 1 when there are warnings, and 0 when there is nothing but notes."""
    severities = {found.severity for found in findings}
    return 2 if "error" in severities else 1 if "warning" in severities else 0
