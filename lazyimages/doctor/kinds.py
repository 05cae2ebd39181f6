"""What the doctor can find: a name, how bad it is, what it means and what to do about it. Pure."""

from dataclasses import dataclass
from typing import Literal

Severity = Literal["error", "warning", "note"]

SEVERITIES: tuple[Severity, ...] = ("error", "warning", "note")


@dataclass(frozen=True, kw_only=True, slots=True)
class Kind:
    """One kind of finding. `remedy` may have fields such as `{bucket}`, which each finding fills in."""

    name: str
    severity: Severity
    meaning: str
    remedy: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """One thing that was found: `what` was seen here, `meaning` in general, and the exact `remedy`."""

    name: str
    severity: Severity
    what: str
    meaning: str
    remedy: str

    def as_dict(self) -> dict[str, str]:
        """Return what `--format json` prints."""
        return {
            "name": self.name,
            "severity": self.severity,
            "what": self.what,
            "meaning": self.meaning,
            "remedy": self.remedy,
        }


class Placeholders(dict[str, str]):
    """Fields of a remedy that nobody has filled in: `{bucket}` reads BUCKET."""

    def __missing__(self, key: str) -> str:
        return key.upper()
