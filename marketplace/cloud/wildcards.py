"""The wildcards of AWS's patterns: "*" for any text, "?" for one character, nothing else; case counts."""

import re
from functools import cache


@cache
def _pattern(wildcards: str) -> re.Pattern[str]:
    # Not fnmatch: that one reads [..] as a set. "*" crosses slashes, in an ARN and in a path alike.
    return re.compile(re.escape(wildcards).replace(r"\*", ".*").replace(r"\?", "."), re.DOTALL)


def matches(wildcards: str, text: str) -> bool:
    """Whether the whole text fits the pattern."""
    return _pattern(wildcards).fullmatch(text) is not None
