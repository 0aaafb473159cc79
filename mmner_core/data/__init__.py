"""Tagged sentences and their pictures: readers, writers, folder layouts, image files.

Start with :func:`read_examples`.
"""

from mmner_core.data.example import LANGUAGES, SPLITS, Example, dataset_digest
from mmner_core.data.image_files import ImageFolder, resolve_image
from mmner_core.data.layouts import DataFile, Layout, find_files
from mmner_core.data.reader import iter_examples, read_examples, write_examples
from mmner_core.data.report import ReadReport
from mmner_core.data.sniff import FORMATS

__all__ = [
    "FORMATS",
    "LANGUAGES",
    "SPLITS",
    "DataFile",
    "Example",
    "ImageFolder",
    "Layout",
    "ReadReport",
    "dataset_digest",
    "find_files",
    "iter_examples",
    "read_examples",
    "resolve_image",
    "write_examples",
]
