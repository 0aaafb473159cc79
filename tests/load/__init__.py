"""Many visitors at once, over HTTP, against a running app: what they got, how fast, and what it did to the server."""
