"""What the hops of a request say about the chain. Pure: each function gets a chain and returns findings."""

from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from lazyimages.conf import Settings
from lazyimages.doctor.findings import finding
from lazyimages.doctor.hops import Chain, Hop, shown_url
from lazyimages.doctor.kinds import Finding

_TEMPORARY = 307
_REFUSALS = (403, 404)
_UNSAVED = "max-age=60"  # the HTTP contract, in failover and local delivery


@dataclass(frozen=True, kw_only=True, slots=True)
class Road:
    """Where requests are meant to go: the settings, and the site in local delivery."""

    settings: Settings
    site: str = ""

    def is_resizer(self, url: str) -> bool:
        """Tell whether a URL is that of the resizer."""
        return url.partition("?")[0] == self.settings.resizer_url

    def is_cdn(self, url: str) -> bool:
        """Tell whether a URL is below CDN_URL."""
        base = self.settings.cdn_url.partition("://")[2]
        return url.partition("://")[2].startswith(f"{base}/")  # with http it may lead to https


def hops_of(chain: Chain) -> tuple[Hop, ...]:
    """Return the hops without those that only lead from http to https."""
    return tuple(hop for hop in chain.hops if hop.target != hop.url.replace("http:", "https:", 1))


def missing(chain: Chain, road: Road) -> list[Finding]:
    """Judge the request for a variant that nobody has made, and whose original is there."""
    if chain.looped:
        return [*_redirects(chain, road), _loop(chain)]
    if road.settings.delivery == "redirect":
        return list(_redirects(chain, road))
    if road.settings.delivery == "failover":
        return list(_failover(chain, road))
    return [*_app(chain.first, road), *_unsaved(chain.first, road)]


def stored(chain: Chain, road: Road, *, again: bool = False) -> list[Finding]:
    """Judge the request for a variant that is in the storage; `again` when it was asked for before."""
    if chain.looped:
        return [_loop(chain)]
    first = hops_of(chain)[0]
    if road.settings.delivery == "local":
        return list(_app(first, road))
    if first.trouble:
        return [_unreachable(first, road)]
    if first.target and first.from_cache:
        return [finding("redirect-kept", f"The CDN answers {_said(first)} for a variant that is stored.")]
    if first.target or (first.from_app and not first.from_cache):
        if again:
            return [
                finding("variant-remade", f"The second request was answered {_said(first)} by the resizer.")
            ]
        return [
            finding("variants-not-readable", f"The CDN answers {_said(first)} for a variant that is stored.")
        ]
    if first.status in _REFUSALS:
        return [
            finding("variants-not-readable", f"The CDN answers {_said(first)} for a variant that is stored.")
        ]
    if first.status != 200:
        return [_unexpected(first)]
    return []


def unknown_size(chain: Chain, road: Road, *, image: bool = True) -> list[Finding]:
    """Judge the request for a size that the whitelist has not; `image` when the answer is a picture."""
    if chain.last.status == 200 and image:
        return [finding("size-served", f"{shown_url(chain.first.url)} was answered with 200.")]
    return _refused(chain, road)


def original(chain: Chain, road: Road, data: bytes, *, image: bool) -> list[Finding]:
    """Judge a request for the original, whose bytes are `data`; `image` when the answer is a picture."""
    if chain.last.body == data or (chain.last.status == 200 and image):
        return [finding("original-served", f"{shown_url(chain.first.url)} was answered with the picture.")]
    if chain.first.trouble and road.settings.delivery != "local" and not road.is_cdn(chain.first.url):
        return [finding("original-not-asked", f"{_asked(chain.first)}: {chain.first.trouble}.")]
    return _refused(chain, road)


def gone(chain: Chain, road: Road, *, may_be_kept: bool) -> list[Finding]:
    """Judge a request after original and variants are deleted; a copy in the CDN may live on."""
    if chain.last.status == 200 and may_be_kept:
        return []
    return _refused(chain, road)


def _refused(chain: Chain, road: Road) -> list[Finding]:
    if chain.looped:
        return [_loop(chain)]
    last = chain.last
    if last.trouble:
        return [_unreachable(last, road)]
    if last.status >= 500 and (last.from_app or road.settings.delivery != "redirect"):
        return list(_app(last, road))
    return [] if last.status in _REFUSALS else [_unexpected(last)]


def _redirects(chain: Chain, road: Road) -> Iterator[Finding]:
    """Yield what is wrong between CDN and resizer: CDN 307, resizer 301 with no-store, CDN 200."""
    for number, hop in enumerate(hops_of(chain)):
        if hop.trouble:
            yield _unreachable(hop, road)
        elif road.is_cdn(hop.url):
            yield from _at_cdn(hop, road, again=number > 0)
        else:
            yield from _at_resizer(hop, road)


def _at_cdn(hop: Hop, road: Road, *, again: bool) -> Iterator[Finding]:
    if hop.target:
        if not road.is_resizer(hop.target):
            target = shown_url(hop.target).partition("?")[0]
            yield finding("resizer-elsewhere", f"The CDN leads to {target}.")
        if again:
            name = "redirect-kept" if hop.from_cache else "variants-not-readable"
            yield finding(name, f"The CDN answers {_said(hop)} for a variant that has just been stored.")
        if hop.status != _TEMPORARY:
            kept = hop.status in (301, 308)
            what = f"The CDN redirects with {_said(hop)}."
            yield finding("redirect-code", what, severity="error" if kept else "warning")
    elif hop.status in _REFUSALS and "xml" in hop.header("content-type"):
        what = f"The CDN answers {_said(hop)} with S3's XML, as the REST endpoint does."
        yield finding("cdn-rest-endpoint", what)
    elif hop.status in _REFUSALS and not hop.from_app:
        yield finding("redirect-missing", f"The CDN answers {_said(hop)}.")
    elif hop.status != 200:
        yield _unexpected(hop)


def _at_resizer(hop: Hop, road: Road) -> Iterator[Finding]:
    if hop.target:
        if road.is_cdn(hop.target):
            said = hop.header("cache-control").lower()
            # RFC 9110, 15.4: 301 and 308 may be kept without being told to, the others when a header says so.
            may_be_kept = hop.status in (301, 308) or "max-age" in said or hop.header("expires")
            if may_be_kept and "no-store" not in said:
                what = f"The resizer answers {hop.status} with Cache-Control {said or '(none)'}."
                yield finding("redirect-permanent", what)
        elif hop.from_app:
            place = urlsplit(hop.target)
            what = f"The resizer leads to {place.scheme}://{place.netloc}, which is not CDN_URL."
            yield finding("resizer-disagrees", what)
        elif urlsplit(hop.target).path != urlsplit(hop.url).path:  # nor to the same on another host
            yield _unexpected(hop)
        return
    yield from _app(hop, road)
    if hop.status == 200 and hop.from_app:
        if "no-store" in hop.header("cache-control"):
            yield finding("resizer-cannot-store", f"The resizer answers {_said(hop)} with no-store.")
        elif "canonical" not in hop.header("link"):
            yield finding(
                "resizer-disagrees", "The resizer answers as in another DELIVERY, with the picture."
            )


def _failover(chain: Chain, road: Road) -> Iterator[Finding]:
    """Yield what is wrong when the CDN is to get a missing variant from the resizer by itself."""
    hop = hops_of(chain)[0]
    if hop.trouble:
        yield _unreachable(hop, road)
    elif hop.target:
        yield finding("failover-redirects", f"The CDN answers {_said(hop)}.")
    elif hop.status == 404 and hop.from_app and "no-store" in hop.header("cache-control"):
        yield finding("secret-refused", f"The resizer answers {_said(hop)} with no-store, through the CDN.")
    elif hop.status in _REFUSALS and not hop.from_app:
        yield finding("failover-silent", f"The CDN answers {_said(hop)}, and not the resizer.")
    else:
        yield from _app(hop, road)
        yield from _unsaved(hop, road)


def _unsaved(hop: Hop, road: Road) -> Iterator[Finding]:
    """Yield a finding for a variant that was made and not stored, which the app says by its Cache-Control."""
    unsaved = hop.header("cache-control") == _UNSAVED != road.settings.cache_control
    if unsaved and hop.from_app and hop.status == 200:
        yield finding("resizer-cannot-store", f"The resizer answers {_said(hop)} with {_UNSAVED}.")


def _app(hop: Hop, road: Road) -> Iterator[Finding]:
    """Yield what is wrong with an answer that the app has to give: a picture."""
    if hop.trouble:
        yield _unreachable(hop, road)
    elif hop.status >= 500:
        name = "resizer-failed" if hop.from_app else "resizer-unreachable"
        yield finding(name, f"{_asked(hop)} answers {_said(hop)}.", url=road.settings.resizer_url)
    elif hop.status == 200:
        return
    elif not hop.from_app:
        what = f"{_asked(hop)} answers {_said(hop)}, and is not lazyimages."
        yield finding("resizer-unreachable", what, url=road.settings.resizer_url)
    elif hop.status == 404:
        yield finding("resizer-disagrees", f"The resizer answers {_said(hop)} for an original that is there.")
    else:
        yield _unexpected(hop)


def _unreachable(hop: Hop, road: Road) -> Finding:
    what = f"{_asked(hop)}: {hop.trouble}."
    if road.settings.delivery != "local" and road.is_cdn(hop.url):
        return finding("cdn-unreachable", what)
    url = road.settings.resizer_url or f"{road.site}/images/health"
    return finding("resizer-unreachable", what, url=url)


def _loop(chain: Chain) -> Finding:
    return finding("redirect-loop", f"After {len(chain.hops)} hops {_asked(chain.last)} still redirects.")


def _unexpected(hop: Hop) -> Finding:
    return finding("answer-unexpected", f"{_asked(hop)} answers {_said(hop)}.")


def _asked(hop: Hop) -> str:
    """Return where a hop was: scheme and host, so that the same trouble with two keys is one finding."""
    parts = urlsplit(hop.url)
    return f"{parts.scheme}://{parts.netloc}"


def _said(hop: Hop) -> str:
    kept = ", from its cache" if hop.from_cache else ""
    return f"{hop.status}{kept}"
