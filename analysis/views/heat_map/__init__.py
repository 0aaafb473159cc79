"""The heat map of one name: its numbers, its kinds, drawn over the photo and told in words; no gradio."""
