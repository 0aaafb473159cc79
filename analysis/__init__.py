"""Analysis of 2M-NER taggers: where they fail, in which language, and what the image contributed."""
