"""The first tab: a sentence and a photo in, names out, and what may be asked further; no gradio."""
