"""The languages that the tagger supports: the one table of their codes and names."""

LANGUAGE_NAMES = {"en": "English", "fr": "French", "de": "German", "es": "Spanish"}
LANGUAGES = tuple(LANGUAGE_NAMES)
