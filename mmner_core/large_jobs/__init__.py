"""Tag millions of pairs: in shards, resumable, on one machine or a Ray cluster; ``python -m mmner_core tag-many``."""
