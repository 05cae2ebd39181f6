"""TIFF by Pillow's plugin, within the limits of the call instead of Pillow's, and whatever its EXIF is."""

from PIL import ExifTags, Image
from PIL.ImageFile import ImageFile
from PIL.TiffImagePlugin import TiffImageFile

from lazyimages.engines import orientation


class Tiff(TiffImageFile):
    """Leaves out what a variant has no use for, and what goes wrong for good pictures.

    The plugin looks a second time at how many pixels there are, and warns of 90 million; and it reads all of
    the EXIF, and warns when that is broken. Some hosts make errors of warnings.
    """

    def load_prepare(self) -> None:
        """Make room for the pixels, which are as many as the header said before it was turned."""
        across, down = self._tile_size
        if self._im is None and across * down == self.width * self.height:
            self.im = Image.new(self.mode, self._tile_size, None).im
            ImageFile.load_prepare(self)
        else:
            super().load_prepare()

    def load_end(self) -> None:
        """Turn the picture as its header said already."""
        turned = orientation.upright(self, self.tag_v2.get(ExifTags.Base.Orientation, 1))
        self.im, self._size = turned.im, turned.size
