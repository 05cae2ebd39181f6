"""URLs, srcset and elements of images as pure values: no storage, no cache, no SQL.

A `Picture` is all that markup needs to know of an original, and comes from the row alone.
"""

from lazyimages.markup.addresses import public_url, variant_url
from lazyimages.markup.candidates import Candidate, candidates, image_url, srcset
from lazyimages.markup.elements import img, picture
from lazyimages.markup.messages import message_url
from lazyimages.markup.pictures import Picture, picture_of
from lazyimages.markup.preloads import preload
from lazyimages.markup.specs import Spec, UnknownSpec, parse_spec, parse_spec_leniently

__all__ = [
    "Candidate",
    "Picture",
    "Spec",
    "UnknownSpec",
    "candidates",
    "image_url",
    "img",
    "message_url",
    "parse_spec",
    "parse_spec_leniently",
    "picture",
    "picture_of",
    "preload",
    "public_url",
    "srcset",
    "variant_url",
]
