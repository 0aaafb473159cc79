"""Turn results into what a visitor sees: HTML strings, images and sentences. No web framework in here."""
