"""The three research tabs: what of a run folder is shown where, as HTML and figures; no gradio."""
