"""Training images of our own making, and the stage that teaches the CNN what its cells show."""
