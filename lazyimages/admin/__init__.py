"""Django's admin: previews, a focal point by click, and which sizes of an image exist.

`class PhotoAdmin(LazyImageAdminMixin, admin.ModelAdmin)`, and the same before an inline's class. None of it
asks the storage while a list or a form is drawn.
"""

from lazyimages.admin.mixin import LazyImageAdminMixin
from lazyimages.admin.previews import thumbnail

__all__ = ["LazyImageAdminMixin", "thumbnail"]
