"""What a server needs around the tagger: settings, models side by side, grouping, limits. No web framework in here."""
