"""2M-NER (arXiv 2404.17122): multilingual, multimodal named entity recognition."""

import os

# torch's threads wait for work by spinning, by default for some 6 ms (300,000 rounds), on cores that photos could be
# resized on meanwhile; 20,000 rounds outlast the pauses between two operations. Read while torch is imported.
os.environ.setdefault("GOMP_SPINCOUNT", "20000")
