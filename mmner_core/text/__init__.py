"""From raw text to words and sub-words, and the language of a text."""
