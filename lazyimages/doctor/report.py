"""What an examination found, and what all of them did: values that text and JSON are made from. Pure."""

from dataclasses import dataclass, field
from typing import Any, Literal

from lazyimages.doctor.findings import exit_code
from lazyimages.doctor.hops import Chain
from lazyimages.doctor.kinds import SEVERITIES, Finding

Verdict = Literal["ok", "note", "warning", "error", "skipped"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Result:
    """One examination: what was seen, what was found; `skipped` says why it was left out.

    `chain` is the way of a request, where there was one, and `picture` the bytes of an image to be shown.
    """

    name: str
    seen: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()
    skipped: str = ""
    chain: Chain | None = None
    picture: bytes = field(default=b"", repr=False)

    @property
    def verdict(self) -> Verdict:
        """The worst that was found."""
        if self.skipped:
            return "skipped"
        found = {one.severity for one in self.findings}
        return next((severity for severity in SEVERITIES if severity in found), "ok")

    def as_dict(self) -> dict[str, Any]:
        """Return what `--format json` prints; findings by name alone, for they are listed once."""
        told: dict[str, Any] = {
            "name": self.name,
            "verdict": self.verdict,
            "seen": list(self.seen),
            "findings": [one.name for one in self.findings],
        }
        if self.skipped:
            told["skipped"] = self.skipped
        if self.chain is not None:
            told["hops"] = [hop.as_dict() for hop in self.chain.hops]
        return told


@dataclass(frozen=True, kw_only=True, slots=True)
class Report:
    """All results of a run."""

    delivery: str
    results: tuple[Result, ...]

    @property
    def findings(self) -> list[Finding]:
        """Every finding once, the worst first."""
        found = dict.fromkeys(one for result in self.results for one in result.findings)
        return sorted(found, key=lambda one: SEVERITIES.index(one.severity))

    @property
    def exit_code(self) -> int:
        """0: nothing but notes; 1: warnings; 2: an error."""
        return exit_code(self.findings)

    def as_dict(self) -> dict[str, Any]:
        """Return what `--format json` prints."""
        return {
            "delivery": self.delivery,
            "exit_code": self.exit_code,
            "checks": [result.as_dict() for result in self.results],
            "findings": [one.as_dict() for one in self.findings],
        }
