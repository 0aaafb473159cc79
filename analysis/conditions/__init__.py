"""What of each sentence is shown: its own image, another's, a corrupted one or none; its words as they are or not."""
