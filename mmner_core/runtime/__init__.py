"""What any program needs of its machine: whole files, digests, memory, processor cores, caches, streams."""
