"""From image files to pixels, with limits; nothing here is learnt."""
