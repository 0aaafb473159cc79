"""The tab in which runs are made: what it shows as HTML, and what it and programs may ask for; no gradio."""
