"""A thousand requests at the same moment: each variant is decoded and stored once, and none fails."""

import random
import statistics
from collections import Counter
from io import BytesIO

import pytest
from PIL import Image

from tests.fire.herd.shops import Shop, pictures, say, variant_of
from tests.fire.load import ask, ask_all, percentile, statuses

pytestmark = pytest.mark.chain

HERD = 1000


def test_one_variant(shop: Shop, original: bytes, soak: bool) -> None:
    """All ask for one cold variant, and then for the same one, which is warm."""
    store = shop.store
    alone = [f"produs_1/alone{number}.AZ70KuRzw9.jpg" for number in range(3)]
    herds = [f"produs_1/herd{number}.AZ70KuRzw9.jpg" for number in range(10 if soak else 1)]
    for name in (*alone, *herds):
        store.put_original(name, original)
    one = statistics.median(ask(shop.url(variant_of(name, "1280w"))).seconds for name in alone)
    for name in herds:
        key = variant_of(name, "1280w")
        cold = ask_all([shop.url(key)] * HERD)
        warm = ask_all([shop.url(key)] * HERD)
        assert set(statuses(cold)) <= {200, 301}, statuses(cold)
        assert set(statuses(warm)) == {200}
        assert shop.renders()[key] == 1
        assert store.variants().count(key) == 1
        (picture,) = pictures(cold + warm)
        assert picture == store.variant(key)
        assert Image.open(BytesIO(picture)).size == (1280, 960)
        p50, p99 = percentile(cold, 50), percentile(cold, 99)
        all_warm = max(answer.seconds for answer in warm)
        bound = one + 1.5 * all_warm
        say(
            f"{type(store).__name__}: one cold {one:.3f} s, 1,000 warm {all_warm:.2f} s; "
            f"{len(picture)} bytes, cold herd p50 {p50:.2f} p99 {p99:.2f} s, bound {bound:.2f} s, "
            f"{'holds' if p99 <= bound else 'DOES NOT HOLD'}; {dict(statuses(cold))}"
        )


def test_a_hundred_variants(shop: Shop, small: bytes, soak: bool) -> None:
    """Ten ask for each of a hundred cold variants, in any order."""
    store = shop.store
    for turn in range(10 if soak else 1):
        names = [f"produs_{number}/round{turn}.AZ70KuRzw9.jpg" for number in range(100)]
        for name in names:
            store.put_original(name, small)
        keys = [variant_of(name, "360x270") for name in names]
        herd = keys * 10
        random.Random(turn).shuffle(herd)
        answers = ask_all([shop.url(key) for key in herd])
        for name in names:
            store.discard_original(name)
        assert set(statuses(answers)) <= {200, 301}, statuses(answers)
        made, stored = shop.renders(), Counter(store.variants())
        assert [made[key] for key in keys] == [1] * 100
        assert [stored[key] for key in keys] == [1] * 100
        for key in keys:
            bodies = pictures([one for one, asked in zip(answers, herd, strict=True) if asked == key])
            assert bodies <= {store.variant(key)}
        say(
            f"{type(store).__name__}: 100 × 10: p50 {percentile(answers, 50):.2f} "
            f"p99 {percentile(answers, 99):.2f} s; {dict(statuses(answers))}"
        )
