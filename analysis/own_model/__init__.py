'''Your own model in the workbench: any object with ``predict(items) -> answers``.

A complete model, in the file ``bright.py``::

    """Names are capitalised words: places beside a bright photo, persons otherwise."""

    from PIL import ImageStat

    from analysis.own_model import Answer, Item


    class Bright:
        types = ("PER", "LOC")

        def predict(self, items: list[Item]) -> list[Answer]:
            return [self.answer(item) for item in items]

        def answer(self, item: Item) -> Answer:
            light = 0.4 if item.image is None else ImageStat.Stat(item.image.convert("L")).mean[0] / 255
            by_tag = [
                {"O": 0.1, "B-LOC": 0.9 * light, "B-PER": 0.9 * (1 - light)} if word[:1].isupper() else {"O": 1.0}
                for word in item.words
            ]
            return Answer(tags=[max(word, key=word.get) for word in by_tag], probabilities=by_tag)

It is evaluated like a checkpoint, under every image condition, and the app and the report show the run::

    python -m analysis run --model bright:Bright --data DIR --out runs/bright

Nothing but the tags is needed; what needs more (:class:`Answer` says what there is) is left out without it:

=================== =================================================================================================
given               what the run holds
=================== =================================================================================================
tags                scores, errors, slices; every image condition and corruption; Shapley shares; minimal pairs;
                    deletion tests and pointing by occlusion
probabilities       calibration, doubtful annotation; probabilities by tag also make Shapley shares and occlusion finer
maps                the same tests of the model's own maps
text, image vectors retrieval and the map of the contrastive space, thirds by cosine
word vectors        the map of entities
=================== =================================================================================================

The model lives in a process of its own and gets its items in batches; what it prints goes to standard error.
:mod:`analysis.adapters` has factories for models of Hugging Face, for checkpoints of this project, and for commands.
'''

from analysis.own_model.interface import Answer, Item, Model

__all__ = ["Answer", "Item", "Model"]
