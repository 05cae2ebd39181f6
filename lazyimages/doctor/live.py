"""Send a probe down the chain as a visitor would, and look at every hop."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from lazyimages import keys, markup, storage
from lazyimages.conf import Settings
from lazyimages.doctor import picture, probe, verdicts
from lazyimages.doctor.findings import finding
from lazyimages.doctor.hops import Chain, Hop, follow
from lazyimages.doctor.kinds import Finding
from lazyimages.doctor.probe import Probe
from lazyimages.doctor.report import Result
from lazyimages.doctor.verdicts import Road
from lazyimages.exceptions import LazyImagesError
from lazyimages.formats import JPEG
from lazyimages.keys import VariantKey


@dataclass(frozen=True, kw_only=True, slots=True)
class Places:
    """Where the chain is asked: the site in local delivery, and what turns an original's name into URLs.

    Each entry of `originals` is a place by its name in the report, and gives the URL of an original there.
    """

    site: str = ""
    originals: tuple[tuple[str, Callable[[str], str]], ...] = ()
    website_unknown: bool = False


def run(settings: Settings, places: Places) -> Iterator[Result]:
    """Store a probe, ask for it in every way, delete it, ask again; yield a result for each step.

    The probe is removed whatever happens, also when the generator is closed early.
    """
    if settings.delivery == "local" and not places.site:
        yield Result(name="live", findings=(finding("site-unknown", "No site was named."),))
        return
    yield from _clear_earlier()
    left: list[str] = []
    this = probe.new(settings)
    with probe.kept(this, left):
        yield from _Run(settings, places, this).steps()
    if left:
        what = f"These are left: {', '.join(left)}."
        yield Result(name="clean up", findings=(finding("probe-left", what),))


def intended(settings: Settings) -> list[str]:
    """Return what a run would do, for who wants to know before."""
    this = probe.new(settings)
    return [
        f"delete what killed runs have left below {probe.PREFIX}*",
        f"store {this.stored}, a variant",
        f"store {this.original}, an original",
        f"ask for {this.variant}, which the app makes and stores",
        "ask for a size outside of the whitelist, and for the original",
        "delete all of these, and ask again",
    ]


def _clear_earlier() -> Iterator[Result]:
    try:
        names = probe.leftovers()
    except LazyImagesError:  # that nobody may list is a finding of its own
        return
    if names:
        failed = probe.remove(names)
        found = [finding("probe-left", f"These are left: {', '.join(failed)}.")] if failed else []
        seen = f"removed {len(names) - len(failed)} objects of a run that was ended"
        yield Result(name="earlier probes", seen=(seen,), findings=tuple(found))


class _Run:
    """The steps of one run; each asks, and judges by `verdicts`."""

    def __init__(self, settings: Settings, places: Places, this: Probe) -> None:
        self._settings, self._places, self._probe = settings, places, this
        self._road = Road(settings=settings, site=places.site)
        self._data = picture.draw()

    def steps(self) -> Iterator[Result]:
        """Yield the results in order."""
        yield from self._a_stored_variant()
        try:
            storage.put_original(self._probe.original, self._data, JPEG.media_type)
        except LazyImagesError as error:
            found = finding("role-cannot-upload", f"{error}")
            yield Result(name="upload", findings=(found,))
            return
        first = self._a_missing_variant()
        yield first
        if first.picture:
            yield self._the_same_again()
        yield self._an_unknown_size()
        yield from self._the_original()
        yield from self._deletion()

    def _a_stored_variant(self) -> Iterator[Result]:
        """Ask for a variant that the doctor has stored itself: no copy in the CDN hides the bucket then."""
        key, name = self._probe.stored, "a stored variant"
        try:
            storage.put_variant(str(key), self._data, JPEG.media_type)
        except LazyImagesError as error:
            yield Result(name=name, findings=(finding("role-cannot-write", f"{error}"),))
            return
        chain = self._ask(str(key))
        found = verdicts.stored(chain, self._road)
        if not found and chain.last.body != self._data:
            found.append(finding("variant-broken", "What came is not what was stored."))
        elif not found:
            found += self._headers(chain.last)
        yield self._result(name, chain, found)

    def _a_missing_variant(self) -> Result:
        key = self._probe.variant
        chain = self._ask(str(key))
        found = verdicts.missing(chain, self._road)
        if chain.last.status == 200:
            found += self._picture(chain.last, key)
        if chain.last.status == 200 and not found:
            found += self._headers(chain.last)
        return self._result("a missing variant", chain, found, shown=True)

    def _the_same_again(self) -> Result:
        chain = self._ask(str(self._probe.variant))
        return self._result("the same again", chain, verdicts.stored(chain, self._road, again=True))

    def _an_unknown_size(self) -> Result:
        key = keys.variant_key(self._probe.original, probe.unknown_size(self._settings))
        chain = self._ask(str(key))
        return self._result(
            "a size outside of the whitelist",
            chain,
            verdicts.unknown_size(chain, self._road, image=picture.read(chain.last.body) is not None),
        )

    def _the_original(self) -> Iterator[Result]:
        ways = [("the original, through the CDN", self._url), *self._places.originals]
        if self._settings.delivery == "local":
            ways[0] = ("the original, through the app", self._url)
        for name, url_of in ways:
            chain = follow(url_of(self._probe.original))
            image = chain.last.status == 200 and picture.read(chain.last.body) is not None
            yield self._result(name, chain, verdicts.original(chain, self._road, self._data, image=image))
        if self._places.website_unknown:
            found = finding("website-unknown", "The website endpoint was not asked for the original.")
            yield Result(name="the original, from the website", findings=(found,))

    def _deletion(self) -> Iterator[Result]:
        if failed := probe.remove(self._probe.names):
            variants = [name for name in failed if name != self._probe.original]
            name = "role-cannot-delete" if variants else "probe-left"
            yield Result(name="deletion", findings=(finding(name, f"Not deleted: {', '.join(failed)}."),))
            return
        chain = self._ask(str(self._probe.variant))
        found = verdicts.gone(chain, self._road, may_be_kept=self._settings.delivery != "local")
        yield self._result("after deletion", chain, found)
        if self._probe.late != self._probe.variant:
            chain = self._ask(str(self._probe.late))
            found = verdicts.gone(chain, self._road, may_be_kept=False)
            yield self._result("another size after deletion", chain, found)

    def _picture(self, answer: Hop, key: VariantKey) -> Iterator[Finding]:
        """Yield what is wrong with a picture that should be the probe's, cut out by the key's size."""
        shown = picture.read(answer.body)
        plan = key.size.plan(picture.WIDTH, picture.HEIGHT)
        if shown is None:
            yield finding("variant-broken", f"What came is no JPEG ({len(answer.body)} bytes).")
        elif (shown.width, shown.height) != (plan.width, plan.height):
            what = f"It has {shown.width}×{shown.height} pixels, not {plan.width}×{plan.height}."
            yield finding("variant-dimensions", what)
        elif not picture.is_probe(shown, plan):
            yield finding("variant-broken", "What came is another picture.")

    def _headers(self, answer: Hop) -> Iterator[Finding]:
        """Yield what is wrong with the headers of a picture that came from where it is stored."""
        if (came := answer.header("content-type").partition(";")[0].strip()) != JPEG.media_type:
            yield finding("variant-type", f"It came as {came or 'nothing'}, not {JPEG.media_type}.")
        came, wanted = answer.header("cache-control"), self._settings.cache_control
        if _directives(came) != _directives(wanted):
            yield finding("variant-cache-control", f"It came with {came or 'none'}, not {wanted}.")

    def _ask(self, key: str) -> Chain:
        return follow(self._url(key))

    def _url(self, key: str) -> str:
        url = markup.public_url(key)
        return f"{self._places.site}{url}" if self._settings.delivery == "local" else url

    def _result(self, name: str, chain: Chain, found: list[Finding], *, shown: bool = False) -> Result:
        body = chain.last.body if shown and chain.last.status == 200 else b""
        return Result(name=name, findings=tuple(dict.fromkeys(found)), chain=chain, picture=body)


def _directives(text: str) -> set[str]:
    return {part.strip().lower() for part in text.split(",") if part.strip()}
