"""The conditions of a run: which image a model is shown with each sentence, if any, and how the words are changed."""
