"""What every tag prints, exactly: one table for Django's tags, Jinja2's functions and Jinja2's statements."""

from dataclasses import dataclass, field
from typing import Any

from tests.conftest import CDN, RESIZER, SIZES
from tests.host.models import Photo

NAME = "produs_1/img.jpg"
FOCUSED = "produs_1/img.AZ70KuRzw9.f3020.jpg"
AT = f"{CDN}/produs_1"
CARD_LAYOUT = "(min-width: 60rem) 25vw, 50vw"
NARROW, MIDDLE = "(max-width: 40rem)", "(max-width: 70rem) and (orientation: portrait)"

LAZYIMAGES = {
    "SIZES": SIZES,
    "FORMATS": ["avif", "webp"],
    "PRESETS": {
        "card": {"sizes": "360x270 720x540", "layout": CARD_LAYOUT},
        "hero": {
            "sizes": "1280w 640w",
            "layout": "100vw",
            "priority": True,
            "sources": [
                {"media": NARROW, "sizes": "480x600 960x1200", "layout": "95vw"},
                {"media": MIDDLE, "sizes": "800x800"},
            ],
        },
    },
    "DELIVERY": "redirect",
    "CDN_URL": CDN,
    "RESIZER_URL": RESIZER,
}


def photo(name: str = NAME, width: int | None = 4032, height: int | None = 3024) -> Any:
    """Return the image of a row that is in no database."""
    return Photo(image=name, width=width, height=height).image


@dataclass(frozen=True, kw_only=True)
class Case:
    """One use of a tag: literals as a template has them, and what is printed for `name` and its dimensions.

    `arguments` are name and literal; what a literal names beside `True` and texts is in `context`.
    """

    id: str
    tag: str
    spec: str
    expected: str
    arguments: tuple[tuple[str, str], ...] = ()
    name: str = NAME
    width: int | None = 4032
    height: int | None = 3024
    context: dict[str, Any] = field(default_factory=dict)

    def statement(self, brackets: str = "{%%}") -> str:
        """Return the use as a statement: `{% img photo "card" alt="x" %}`."""
        arguments = "".join(f" {name}={literal}" for name, literal in self.arguments)
        return f'{brackets[:2]} {self.tag} photo "{self.spec}"{arguments} {brackets[2:]}'

    def call(self) -> str:
        """Return the use as a function of Jinja2's: `{{ img(photo, "card", alt="x") }}`."""
        arguments = "".join(f", {name}={literal}" for name, literal in self.arguments)
        return f'{{{{ {self.tag}(photo, "{self.spec}"{arguments}) }}}}'

    def variables(self) -> dict[str, Any]:
        """Return what the template is drawn with."""
        return {"photo": photo(self.name, self.width, self.height), **self.context}


def _set(size_widths: str, ending: str = "img.jpg") -> str:
    """Return a srcset from `360x270 360, 720x540 720`."""
    entries = (entry.split() for entry in size_widths.split(", "))
    return ", ".join(f"{AT}/{size}/{ending} {width}w" for size, width in entries)


CARD_SET = "360x270 360, 720x540 720"
CARD_END = f'sizes="{CARD_LAYOUT}" width="360" height="270"'
CARD_IMG = (
    f'<img src="{AT}/360x270/img.jpg" srcset="{_set(CARD_SET)}" {CARD_END}'
    ' loading="lazy" decoding="async" alt="">'
)
NARROW_SET, NARROW_END = "480x600 480, 960x1200 960", 'sizes="95vw" width="480" height="600"'
HERO_SET, HERO_END = "1280w 1280, 640w 640", 'sizes="100vw" width="1280" height="960"'
MIDDLE_END = 'sizes="800px" width="800" height="800"'


def _hero_sources() -> str:
    found = ""
    types = (
        (' type="image/avif"', "img.jpg.avif"),
        (' type="image/webp"', "img.jpg.webp"),
        ("", "img.jpg"),
    )
    for kind, ending in types:
        found += f'<source media="{NARROW}"{kind} srcset="{_set(NARROW_SET, ending)}" {NARROW_END}>'
    for kind, ending in types:
        found += f'<source media="{MIDDLE}"{kind} srcset="{AT}/800x800/{ending} 800w" {MIDDLE_END}>'
    for kind, ending in types[:2]:
        found += f'<source{kind} srcset="{_set(HERO_SET, ending)}" {HERO_END}>'
    return found


HERO_IMG = (
    f'<img src="{AT}/1280w/img.jpg" srcset="{_set(HERO_SET)}" {HERO_END}'
    ' loading="eager" decoding="async" fetchpriority="high" alt="A &lt;b&gt; bowl">'
)
LINK = '<link rel="preload" as="image"'
AVIF = ' type="image/avif"'

CASES = (
    Case(id="srcset", tag="srcset", spec="card", expected=_set(CARD_SET)),
    Case(id="image_url", tag="image_url", spec="card", expected=f"{AT}/360x270/img.jpg"),
    Case(
        id="image_url-email",
        tag="image_url",
        spec="card",
        arguments=(("email", "True"),),
        expected=f"{AT}/360x270/img.jpg",
    ),
    Case(id="img", tag="img", spec="card", expected=CARD_IMG),
    Case(id="other-name", tag="lazyimages_img", spec="card", expected=CARD_IMG),
    Case(
        id="img-one-size",
        tag="img",
        spec="480h",
        expected=(
            f'<img src="{AT}/480h/img.jpg" width="640" height="480" loading="lazy" decoding="async" alt="">'
        ),
    ),
    Case(
        id="img-arguments",
        tag="img",
        spec="card",
        arguments=(
            ("priority", "True"),
            ("alt", "text"),
            ("class", '"wide"'),
            ("sizes", '"50vw"'),
            ("style", '"margin:0"'),
            ("data_id", "5"),
            ("hidden", "True"),
            ("loading", "None"),
        ),
        context={"text": '"Tom" & co'},
        expected=(
            f'<img src="{AT}/360x270/img.jpg" srcset="{_set(CARD_SET)}" sizes="50vw" width="360" height="270"'
            ' decoding="async" fetchpriority="high" alt="&quot;Tom&quot; &amp; co" style="margin:0"'
            ' class="wide" data-id="5" hidden>'
        ),
    ),
    Case(
        id="img-focal-point",
        tag="img",
        spec="480h",
        name=FOCUSED,
        arguments=(("style", '"margin:0"'),),
        expected=(
            f'<img src="{AT}/480h/img.AZ70KuRzw9.f3020.jpg" width="640" height="480" loading="lazy"'
            ' decoding="async" alt="" style="object-position:30% 20%;margin:0">'
        ),
    ),
    Case(
        id="img-email",
        tag="img",
        spec="hero",
        arguments=(("email", "True"), ("alt", '"Bowl"'), ("style", '"display:block"')),
        name=FOCUSED,
        expected=(
            f'<img src="{AT}/1280w/img.AZ70KuRzw9.f3020.jpg" width="1280" height="960" alt="Bowl"'
            ' style="display:block">'
        ),
    ),
    Case(
        id="picture",
        tag="picture",
        spec="card",
        expected=(
            f'<picture><source type="image/avif" srcset="{_set(CARD_SET, "img.jpg.avif")}" {CARD_END}>'
            f'<source type="image/webp" srcset="{_set(CARD_SET, "img.jpg.webp")}" {CARD_END}>'
            f"{CARD_IMG}</picture>"
        ),
    ),
    Case(
        id="picture-art-direction",
        tag="picture",
        spec="hero",
        arguments=(("alt", "text"),),
        context={"text": "A <b> bowl"},
        expected=f"<picture>{_hero_sources()}{HERO_IMG}</picture>",
    ),
    Case(
        id="picture-of-webp",
        tag="picture",
        spec="480h",
        name="produs_1/a.webp",
        expected=(
            f'<picture><source type="image/avif" srcset="{AT}/480h/a.webp.avif 640w" sizes="640px"'
            ' width="640" height="480">'
            f'<img src="{AT}/480h/a.webp" width="640" height="480" loading="lazy" decoding="async" alt="">'
            "</picture>"
        ),
    ),
    Case(
        id="picture-of-tiff",
        tag="picture",
        spec="1280w",
        name="produs_1/a.tiff",
        width=None,
        height=None,
        expected=(
            f'<picture><source type="image/avif" srcset="{AT}/1280w/a.tiff.avif 1280w" sizes="1280px">'
            f'<source type="image/webp" srcset="{AT}/1280w/a.tiff.webp 1280w" sizes="1280px">'
            f'<img src="{AT}/1280w/a.tiff.jpg" loading="lazy" decoding="async" alt=""></picture>'
        ),
    ),
    Case(
        id="preload",
        tag="preload",
        spec="card",
        expected=(
            f'{LINK}{AVIF} imagesrcset="{_set(CARD_SET, "img.jpg.avif")}" imagesizes="{CARD_LAYOUT}"'
            ' fetchpriority="high">'
        ),
    ),
    Case(
        id="preload-art-direction",
        tag="preload",
        spec="hero",
        expected=(
            f'{LINK}{AVIF} imagesrcset="{_set(NARROW_SET, "img.jpg.avif")}" imagesizes="95vw"'
            f' media="{NARROW}" fetchpriority="high">'
            f'{LINK}{AVIF} href="{AT}/800x800/img.jpg.avif"'
            f' media="({MIDDLE}) and (not {NARROW})" fetchpriority="high">'
            f'{LINK}{AVIF} imagesrcset="{_set(HERO_SET, "img.jpg.avif")}" imagesizes="100vw"'
            f' media="(not {NARROW}) and (not ({MIDDLE}))" fetchpriority="high">'
        ),
    ),
    Case(
        id="preload-of-img",
        tag="preload",
        spec="hero",
        arguments=(("img", "True"), ("crossorigin", '"anonymous"')),
        expected=(
            f'{LINK} imagesrcset="{_set(HERO_SET)}" imagesizes="100vw" fetchpriority="high"'
            ' crossorigin="anonymous">'
        ),
    ),
)
