"""CloudFront's settings that decide about redirects, right ones and wrong ones."""

from dataclasses import dataclass
from typing import Literal

DAY = 24 * 60 * 60
YEAR = 365 * DAY


@dataclass(frozen=True, kw_only=True)
class Behaviour:
    """A cache behaviour, in seconds. `group`: an origin group, the resizer as its second origin.

    `rules`: the group's first origin is the website endpoint with its routing rules, which should have
    gone; without a group it always is.
    """

    name: str
    min_ttl: int = 0
    default_ttl: int = 0
    max_ttl: int = YEAR
    cache_307: Literal["always", "with-cache-control"] = "with-cache-control"
    error_ttl: int = 0
    group: bool = False
    rules: bool = False

    @property
    def delivery(self) -> str:
        """The delivery that goes with it."""
        return "failover" if self.group else "redirect"

    @property
    def keeps_307(self) -> int:
        """How many seconds a 307 of the website endpoint, which has no Cache-Control, is kept."""
        return max(self.min_ttl, self.default_ttl) if self.cache_307 == "always" else 0

    @property
    def bounces(self) -> int:
        """How many redirects too many it may cost: one where it does something wrong about them."""
        return 1 if self.keeps_307 or self.rules else 0


BEHAVIOURS = (
    Behaviour(name="default-24h-307-cached", default_ttl=DAY, cache_307="always"),
    Behaviour(name="min-1s", min_ttl=1, cache_307="always"),
    Behaviour(name="errors-cached", error_ttl=300),
    Behaviour(name="default-0", cache_307="always"),
    Behaviour(name="307-with-cache-control", default_ttl=DAY),
    Behaviour(name="group", default_ttl=DAY, error_ttl=300, group=True),
    Behaviour(
        name="group-and-rules", default_ttl=DAY, cache_307="always", error_ttl=300, group=True, rules=True
    ),
    Behaviour(name="everything", min_ttl=1, default_ttl=DAY, cache_307="always", error_ttl=300),
)


@dataclass(frozen=True, kw_only=True)
class Origins:
    """What is behind an edge: S3 and the resizer by address, and the host by which S3 knows the bucket."""

    s3: str
    s3_host: str
    resizer: str
    secret: str
