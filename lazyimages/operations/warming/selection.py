"""Which variants of an original are meant, by sizes, presets and formats."""

from collections.abc import Sequence
from dataclasses import dataclass

from lazyimages import conf, formats, keys, sizes
from lazyimages.exceptions import InvalidSize, LazyImagesError, RefusedName
from lazyimages.keys import VariantKey
from lazyimages.sizes import Size

NATIVE = "native"


class UnclearWish(LazyImagesError, ValueError):
    """What is asked for is no variant of this project, or too much or too little is asked for."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Choice:
    """Which variants: sizes of the whitelist, and the names of formats (none: all that settings allow)."""

    sizes: tuple[Size, ...]
    formats: tuple[str, ...]

    def takes(self, key: VariantKey) -> bool:
        """Tell whether a variant is among them."""
        native = key.format == keys.native_format(key.original)
        by_format = not self.formats or key.format.name in self.formats or (native and NATIVE in self.formats)
        return by_format and key.size in self.sizes

    def keys_of(self, original: str) -> tuple[list[str], str | None]:
        """Return the keys of an original's variants, or none and why."""
        try:
            outputs = dict.fromkeys([keys.native_format(original), *conf.settings().formats])
            every = (keys.variant_key(original, size, each) for size in self.sizes for each in outputs)
            return sorted(str(key) for key in every if self.takes(key)), None
        except RefusedName as error:
            return [], str(error)


def choose(
    names: Sequence[str], presets: Sequence[str] = (), *, all_sizes: bool = False, formats: Sequence[str] = ()
) -> Choice:
    """Return which variants some sizes, presets and formats are; `UnclearWish` names those there are."""
    settings = conf.settings()
    chosen = list(settings.whitelist) if all_sizes else []
    for text in " ".join(names).split():
        try:
            size = sizes.parse(text)
        except InvalidSize:
            raise UnclearWish(f"{text!r} is not a size. {sizes_there_are()}") from None
        if size not in settings.whitelist:
            raise UnclearWish(f"the size {text!r} is not in the whitelist. {sizes_there_are()}")
        chosen.append(size)
    for name in presets:
        if name not in settings.presets:
            raise UnclearWish(f"{name!r} is not a preset. {sizes_there_are()}")
        chosen += settings.presets[name].all_sizes
    return Choice(sizes=tuple(dict.fromkeys(chosen)), formats=tuple(map(_format, formats)))


def _format(name: str) -> str:
    if name not in (*formats.OUTPUTS, NATIVE):
        choices = ", ".join((NATIVE, *formats.OUTPUTS))
        raise UnclearWish(f"{name!r} is no format of variants. Choose from: {choices}.")
    return name


def sizes_there_are() -> str:
    """Return the sentences that name sizes and presets."""
    settings = conf.settings()
    allowed = ", ".join(map(str, settings.whitelist)) or "none; set LAZYIMAGES['SIZES']"
    return f"Sizes: {allowed}. Presets: {', '.join(settings.presets) or 'none'}."
