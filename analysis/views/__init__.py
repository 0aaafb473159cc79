"""Turn results into what a visitor sees: HTML strings, pictures and sentences. No web framework in here."""
