"""Checkpoint folders: read, written, packed, and converted from the authors' own."""
