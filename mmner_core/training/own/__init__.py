"""``train own``: a user's own data, of any format and with types of its own, from files to a checkpoint."""
