"""One visit to a page in Chromium, on a slow connection, by somebody who has never been there."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from playwright.sync_api import Browser

# "Slow 4G" as Chromium's and Lighthouse's DevTools throttling have it (Lighthouse, config/constants.js): a
# round trip of 150 ms counts 3.75 times for every request, since connections and TLS are not slowed down.
LATENCY_MS = 150 * 3.75
DOWN_KBPS, UP_KBPS = 1.6 * 1024 * 0.9, 750 * 0.9
CPU = 4
PATIENCE_MS = 300_000
# A page stands still when neither a request nor a paint has come for so long.
STILL_MS = 1_000

DEVICES: Mapping[str, dict[str, Any]] = {
    "phone": {
        "viewport": {"width": 412, "height": 823},
        "device_scale_factor": 1.75,
        "is_mobile": True,
        "has_touch": True,
    },
    "desktop": {"viewport": {"width": 1350, "height": 940}, "device_scale_factor": 1},
}

# The images that a visitor sees without scrolling are there.
SEEN = """
() => document.readyState !== "loading" && [...document.images].every(image => {
    const {top, bottom, width} = image.getBoundingClientRect()
    return image.complete || !width || top >= innerHeight || bottom <= 0
})
"""
ENTRIES = """
type => new Promise(done => {
    new PerformanceObserver(list => done(list.getEntries().map(entry => ({
        at: entry.startTime, value: entry.value, url: entry.url, element: entry.element?.tagName,
    })))).observe({type, buffered: true})
    setTimeout(() => done([]), 300)
})
"""
SCROLL = """
async () => {
    for (let top = 0; top < document.body.scrollHeight; top += innerHeight / 2) {
        scrollTo({top, behavior: "instant"})
        await new Promise(done => setTimeout(done, 100))
    }
    while (![...document.images].every(image => image.complete || !image.checkVisibility())) {
        await new Promise(done => setTimeout(done, 100))
    }
}
"""
# `naturalWidth` is divided by the candidate's density, so the file itself is asked; what `object-fit: cover`
# cuts away counts as too much only where both sides have pixels to spare.
TIMES = """
async () => {
    const times = []
    for (const image of document.images) {
        const {width, height} = image.getBoundingClientRect()
        if (!width || !image.checkVisibility() || !image.currentSrc) continue
        const file = new Image()
        file.src = image.currentSrc
        await file.decode()
        const spare = [file.naturalWidth / width, file.naturalHeight / height]
        times.push(Math.min(...spare) / devicePixelRatio)
    }
    return times
}
"""


@dataclass(frozen=True, kw_only=True)
class Visit:
    """What a visit came to: milliseconds, CLS, bytes over the wire, and how much the pictures were too large.

    `first_images` is what had come when the page stood still, `images` what had after scrolling through it.
    """

    lcp: float
    lcp_is: str
    cls: float
    first_images: int
    images: int
    bytes: int
    requests: int
    times: float


class Traffic:
    """What comes over the network, by DevTools' events; pictures that are in the page itself do not."""

    def __init__(self, devtools: Any) -> None:
        self.requests = self.bytes = self.images = 0
        self._started: dict[str, dict[str, Any]] = {}
        devtools.on("Network.requestWillBeSent", self._sent)
        devtools.on("Network.loadingFinished", self._finished)
        devtools.send("Network.enable")

    def _sent(self, event: dict[str, Any]) -> None:
        if event["request"]["url"].startswith("data:"):
            return
        self.requests += 1
        self._started[event["requestId"]] = event
        if "redirectResponse" in event:
            self._count(event["type"], event["redirectResponse"]["encodedDataLength"])

    def _finished(self, event: dict[str, Any]) -> None:
        if (request := self._started.get(event["requestId"])) is not None:
            self._count(request["type"], event["encodedDataLength"])

    def _count(self, kind: str, size: float) -> None:
        self.bytes += int(size)
        if kind == "Image":
            self.images += int(size)


def visit(browser: "Browser", url: str, device: str) -> Visit:
    """Open a page with an empty cache, wait until it stands still, and then scroll through it.

    The network and the processor are slow until it stands still; what a page weighs does not depend on them.
    """
    context = browser.new_context(**DEVICES[device])
    context.set_default_timeout(PATIENCE_MS)
    try:
        page = context.new_page()
        devtools = context.new_cdp_session(page)
        traffic = Traffic(devtools)
        slow = {
            "offline": False,
            "latency": LATENCY_MS,
            "downloadThroughput": DOWN_KBPS * 1024 / 8,
            "uploadThroughput": UP_KBPS * 1024 / 8,
        }
        devtools.send("Network.emulateNetworkConditions", slow)
        devtools.send("Emulation.setCPUThrottlingRate", {"rate": CPU})
        answer = page.goto(url, wait_until="domcontentloaded")
        if answer is None or not answer.ok:
            raise RuntimeError(f"{url} cannot be measured: {answer and answer.status}")
        page.wait_for_function(SEEN)
        page.wait_for_timeout(STILL_MS)
        largest = page.evaluate(ENTRIES, "largest-contentful-paint")[-1]
        first_images = traffic.images
        devtools.send(
            "Network.emulateNetworkConditions",
            {**slow, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1},
        )
        devtools.send("Emulation.setCPUThrottlingRate", {"rate": 1})
        page.evaluate(SCROLL)
        page.wait_for_load_state("networkidle")
        found = Visit(
            lcp=largest["at"],
            lcp_is=largest["url"] or largest["element"],
            cls=sum(entry["value"] for entry in page.evaluate(ENTRIES, "layout-shift")),
            first_images=first_images,
            images=traffic.images,
            bytes=traffic.bytes,
            requests=traffic.requests,
            times=0,
        )
        # Asked last: the files that it opens again are in the cache, but their requests would count.
        return dataclasses.replace(found, times=max(page.evaluate(TIMES), default=0))
    finally:
        context.close()
