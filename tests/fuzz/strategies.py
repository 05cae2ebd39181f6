"""What is asked of an engine, by Hypothesis."""

from hypothesis import strategies as st

from lazyimages import formats

_SIZES = ["64w", "32w", "48h", "40x40", "200x10", "3x500", "1w", "1h", "9999w", "9999x9999"]
_percent = st.integers(0, 99)
_spec = st.fixed_dictionaries(
    {
        "size": st.sampled_from(_SIZES),
        "format": st.sampled_from(["png", "jpeg", *formats.OUTPUTS]),
        "animation": st.sampled_from(["first", "keep"]),
        "focal": st.one_of(st.just([50, 50]), st.tuples(_percent, _percent).map(list)),
    }
)
specs = st.lists(_spec, min_size=1, max_size=3)
EVERY_KIND = [
    {"size": size, "format": format, "animation": "keep", "focal": [50, 50]}
    for size, format in (("64w", "png"), ("40x40", "jpeg"), ("9999w", "webp"), ("32w", "gif"), ("1h", "avif"))
]
