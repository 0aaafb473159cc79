"""2M-NER (arXiv 2404.17122): multilingual, multimodal named entity recognition."""
