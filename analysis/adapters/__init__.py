"""Factories for ``python -m analysis run --model``: models of Hugging Face, checkpoints of this project, commands.

============================================== ========================================================================
factory                                        options (``--model-option NAME=VALUE``)
============================================== ========================================================================
``analysis.adapters.huggingface:pipeline``     ``path`` of a token classification model; ``device``
``analysis.adapters.checkpoint:tagger``        ``path`` of a checkpoint of this project; ``device``, ``convention``
``analysis.adapters.command:lines``            ``command`` that reads and writes JSON lines; ``images=no`` for text only
============================================== ========================================================================
"""
