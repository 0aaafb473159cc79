"""Where the views meet gradio: components, their events, and the calls for programs; no other folder imports it."""
