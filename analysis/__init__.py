"""Look inside a 2M-NER tagger: where it fails, in which language, and what the image contributed."""
