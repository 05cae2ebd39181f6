"""Results and findings as lines of text. Pure but for the picture; `style` colours a text by a verdict."""

import textwrap
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

from lazyimages.doctor import picture
from lazyimages.doctor.hops import Hop, shown_url
from lazyimages.doctor.kinds import SEVERITIES, Finding
from lazyimages.doctor.report import Report, Result

Style = Callable[[str, str], str]

_MARKS = {"ok": "✓", "note": "·", "warning": "!", "error": "✗", "skipped": "-"}
_PLAIN = {"ok": "+", "note": ".", "warning": "!", "error": "x", "skipped": "-"}
_WORDS = {"ok": "ok", "note": "note", "warning": "warning", "error": "error", "skipped": "left out"}
_NAME, _WORD = 36, 8  # columns
_WIDTH = 96


def result_lines(result: Result, style: Style, *, ascii: bool, colours: bool) -> Iterator[str]:
    """Yield a line for an examination, one for each hop, and the picture where there is one."""
    mark = (_PLAIN if ascii else _MARKS)[result.verdict]
    word = _WORDS[result.verdict]
    names = ", ".join(dict.fromkeys(one.name for one in result.findings))
    told = names or result.skipped or "; ".join(result.seen)
    yield f"{style(f'{mark} {word:{_WORD}}', result.verdict)} {result.name:{_NAME}} {told}".rstrip()
    for number, hop in enumerate(result.chain.hops if result.chain else (), start=1):
        yield f"    {number}. {_hop(hop)}"
    if result.picture and (shown := picture.read(result.picture)):
        if colours:
            yield from (f"      {line}" for line in picture.half_blocks(shown))
        size = f"{shown.width} by {shown.height} pixels"
        yield f"      {size}, {len(result.picture):,} bytes"


def finding_lines(found: Finding, style: Style, *, ascii: bool) -> Iterator[str]:
    """Yield what was found, what it means, and the remedy."""
    mark = (_PLAIN if ascii else _MARKS)[found.severity]
    yield style(f"{mark} {found.severity}: {found.name}", found.severity)
    for label, text in (("Seen", found.what), ("Means", found.meaning), ("Remedy", found.remedy)):
        lead = f"    {label + ':':8}"
        # Nothing is broken at hyphens or in words: commands and URLs are to be copied.
        yield from textwrap.wrap(
            _printable(text),
            _WIDTH,
            initial_indent=lead,
            subsequent_indent=" " * len(lead),
            break_long_words=False,
            break_on_hyphens=False,
        )


def summary(report: Report) -> str:
    """Return one sentence about all of it."""
    if not report.findings:
        return "Nothing is wrong."
    counts = {one: sum(found.severity == one for found in report.findings) for one in SEVERITIES}
    return ", ".join(f"{count} {one}{'s' * (count != 1)}" for one, count in counts.items() if count) + "."


def _hop(hop: Hop) -> str:
    said = str(hop.status) if hop.status else "---"
    parts = [f"{said} {hop.ms:6.0f} ms  {_url(hop)}"]
    if hop.trouble:
        parts.append(_printable(hop.trouble))
    for name, label in (("cache-control", "Cache-Control"), ("x-cache", "X-Cache"), ("age", "Age")):
        if value := hop.header(name):
            parts.append(f"{label}: {_printable(value)}")
    return "  |  ".join(parts)


def _url(hop: Hop) -> str:
    url = shown_url(hop.url)
    parts = urlsplit(url)
    return url if len(url) <= _WIDTH else f"{parts.scheme}://{parts.netloc}/...{url[-40:]}"


def _printable(text: str) -> str:
    return "".join(one if one.isprintable() else "?" for one in text)
