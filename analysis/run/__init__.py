"""A run's folder on disk: its tables, arrays, sentences and gold spans."""
