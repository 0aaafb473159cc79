"""Tagged sentences and their images: readers, writers, folder layouts, image files.

Start with :func:`read_examples`.
"""

from mmner_core.data.convert import convert
from mmner_core.data.example import SPLITS, Example, dataset_digest
from mmner_core.data.image_counts import ImageCounts, load_photo
from mmner_core.data.layouts import DataFile, DataLayout, find_files
from mmner_core.data.reader import iter_examples, read_examples, write_examples
from mmner_core.data.report import ReadReport
from mmner_core.data.sniff import FORMATS
from mmner_core.photos.colour import to_rgb
from mmner_core.photos.folder import ImageFolder, resolve_image
from mmner_core.photos.limits import ImageLimits
from mmner_core.photos.open import Photo, open_image, open_photo
from mmner_core.text.language_names import LANGUAGES

__all__ = [
    "FORMATS",
    "LANGUAGES",
    "SPLITS",
    "DataFile",
    "Example",
    "ImageCounts",
    "ImageFolder",
    "ImageLimits",
    "DataLayout",
    "Photo",
    "ReadReport",
    "convert",
    "dataset_digest",
    "find_files",
    "iter_examples",
    "load_photo",
    "open_image",
    "open_photo",
    "read_examples",
    "resolve_image",
    "to_rgb",
    "write_examples",
]
