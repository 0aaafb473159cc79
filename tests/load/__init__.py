"""Many visitors at once, over HTTP, against a running app: what they got, how fast, and what it did to the server."""

# Not on locust: it would replace the visitors' schedule and the quantiles, some sixty lines, while gradio's queue, the
# attacks (half requests, one address each), the kill, memory and verdict stay, rewritten from asyncio for its gevent;
# the tests of the app's security speak the same client. It would bring 18 packages, Flask among them.
