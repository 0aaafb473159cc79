"""The engine says under each condition what the tagger says of the same words and image, one by one."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from analysis.conditions.conditions import ConditionPlan, ShownImage
from analysis.evaluation.condition_tagger import ConditionTagger
from analysis.evaluation.plan import plan_run
from analysis.evaluation.tagged_shard import TaggedShard, to_table
from analysis.run.answers import Answers
from analysis.run.evaluation_set import EvaluationSet, read_evaluation_set
from mmner_core.evaluation.evaluate import evaluate
from mmner_core.evaluation.scores import score
from mmner_core.inference.tag_job import TagRequest
from mmner_core.inference.tagger import Tagger
from mmner_core.results import Prediction, Word

DATA = Path(__file__).parents[1] / "data" / "tiny"
CONDITIONS = ("matched", "none", "blank", "shuffled", "other_type", "image_only", "vit_only", "blur-5")


@pytest.fixture(scope="module")
def tagger(tiny_checkpoint: Path) -> Tagger:
    """The tiny model, made louder so that a photo can change an answer."""
    tagger = Tagger.load(tiny_checkpoint)
    tagger.model.float()  # differences must not be rounding
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(5)
        for parameter in (*tagger.model.fusion.parameters(), *tagger.model.classifier.parameters()):
            parameter.data.add_(torch.randn_like(parameter) * 0.3)
    return tagger


@pytest.fixture(scope="module")
def data() -> EvaluationSet:
    """The valid split: twelve sentences, some without a photo."""
    return read_evaluation_set(DATA, split="valid")


def tag(tagger: Tagger, data: EvaluationSet, names: tuple[str, ...]) -> TaggedShard:
    """Tag all sentences as one shard."""
    plan = plan_run(data.examples, names)
    return ConditionTagger(tagger).tag(
        [e.words for e in data.examples], [e.tags for e in data.examples], plan.conditions
    )


@pytest.fixture(scope="module")
def tagged(tagger: Tagger, data: EvaluationSet) -> TaggedShard:
    """Tag under conditions of every kind."""
    return tag(tagger, data, CONDITIONS)


def one_by_one(tagger: Tagger, data: EvaluationSet, sources: dict[int, ShownImage]) -> dict[int, Prediction]:
    """Ask the tagger about each sentence and photo."""
    predictions = {}
    for i, source in sources.items():
        words, start = [], 0
        for text in data.examples[i].words:
            words.append(Word(text, start, start + len(text)))
            start += len(text) + 1
        request = TagRequest(text=" ".join(data.examples[i].words), image=source.path, lang="en", words=tuple(words))
        predictions[i] = tagger.tag_batch([request])[0]
    return predictions


@pytest.mark.parametrize("condition", ["matched", "none", "shuffled"])
def test_answers_are_the_taggers(tagger: Tagger, data: EvaluationSet, tagged: TaggedShard, condition: str) -> None:
    """Tags, probabilities, runners-up and cosine equal those of the tagger, asked sentence by sentence."""
    answers = {a.sentence: a for a in tagged.answers if a.condition == condition}
    predictions = one_by_one(tagger, data, {i: a.source for i, a in answers.items()})
    assert len(answers) == (12 if condition != "shuffled" else 8)
    assert sum(len(p.entities) for p in predictions.values()) > 4
    for i, prediction in predictions.items():
        decoded = answers[i].decoded
        assert decoded.tags == list(prediction.tags)
        for got, expected in zip(decoded.entities, prediction.entities, strict=True):
            assert (got["start"], got["end"], got["type"]) == (expected.word_start, expected.word_end, expected.type)
            assert got["confidence"] == pytest.approx(expected.confidence, rel=1e-3)
            assert got["runner_up_type"] == expected.runner_up.type
            assert got["runner_up_confidence"] == pytest.approx(expected.runner_up.confidence, rel=1e-3)
        assert answers[i].cosine == pytest.approx(prediction.image_text_cosine.get("cnn"), abs=1e-5)


def test_scores_are_those_of_evaluate(tagger: Tagger, data: EvaluationSet, tagged: TaggedShard) -> None:
    """Counted over the data set, matched and none give what ``mmner_core evaluate`` gives."""
    gold = [list(e.tags) for e in data.examples]
    for condition in ("matched", "none"):
        expected = evaluate(tagger, DATA, split="valid", condition=condition)
        got = score(gold, [a.decoded.tags for a in tagged.answers if a.condition == condition])
        assert got["micro"] == pytest.approx(expected["micro"])


def test_the_image_matters(tagged: TaggedShard) -> None:
    """Photo, another photo, none, and hidden words are different questions, or the tests above would show nothing."""
    losses = {a.condition: a.decoded.loss for a in tagged.answers if a.sentence == 0}
    apart = [losses[name] for name in ("matched", "shuffled", "none", "image_only")]
    assert min(abs(a - b) for i, a in enumerate(apart) for b in apart[:i]) > 1e-4


def test_attention_entropy_is_that_of_the_map(tagger: Tagger, data: EvaluationSet, tagged: TaggedShard) -> None:
    """Mean over heads, summed over the entity's words, scaled to one; mean of the two streams' entropies."""
    answer = next(a for a in tagged.answers if a.condition == "matched" and a.source.path and a.decoded.entities)
    prediction = one_by_one(tagger, data, {answer.sentence: answer.source})[answer.sentence]
    entity, entropies = prediction.entities[0], []
    for attention in prediction.attention.values():
        heat = attention.cells().mean(0)[entity.word_start : entity.word_end].sum(0).ravel()
        heat = heat / heat.sum()
        entropies.append(-(heat * np.log(heat)).sum())
    assert len(entropies) == 2
    assert answer.attention_entropy[0] == pytest.approx(np.mean(entropies), rel=1e-3)
    assert all(a.attention_entropy is None for a in tagged.answers if a.condition == "none")


def test_rows_fit_the_schema_and_name_the_image_shown(data: EvaluationSet, tagged: TaggedShard) -> None:
    """A shuffled sentence names its owner's photo, a blank one "blank", and ids start where the shard does."""
    table = to_table(
        tagged.answers, replace(data, examples=data.examples * 2, kinds=data.kinds * 2, sources=data.sources * 2), 12
    )
    rows = {(r["condition"], r["sentence_id"]): r for r in table.to_pylist()}
    assert rows["matched", 12]["image_id"] == data.examples[0].image_id
    assert rows["shuffled", 12]["image_id"] not in ("", data.examples[0].image_id)
    assert Path(rows["shuffled", 12]["image_path"]).stem == rows["shuffled", 12]["image_id"]
    assert (rows["blank", 12]["image_id"], rows["blank", 12]["image_path"]) == ("blank", "")
    assert (rows["none", 12]["image_id"], rows["none", 12]["cosine"]) == ("", None)


@pytest.mark.parametrize("condition", ["lower_case", "no_stop"])
def test_changed_words_are_read_as_the_tagger_reads_them(tagger: Tagger, data: EvaluationSet, condition: str) -> None:
    """Tags and probabilities are those of the tagger for the changed words, with the own photo; the gold tags stay."""
    tagged = tag(tagger, data, ("matched", condition))
    answers = {a.sentence: a for a in tagged.answers if a.condition == condition}
    assert len(answers) == 12 and any(a.words != data.examples[i].words for i, a in answers.items())
    read = replace(data, examples=tuple(replace(e, words=answers[i].words) for i, e in enumerate(data.examples)))
    predictions = one_by_one(tagger, read, {i: a.source for i, a in answers.items()})
    for i, prediction in predictions.items():
        left_out = len(data.examples[i].words) - len(answers[i].words)
        assert answers[i].decoded.tags == [*prediction.tags, *["O"] * left_out]
        for got, expected in zip(answers[i].decoded.entities, prediction.entities, strict=True):
            assert got["confidence"] == pytest.approx(expected.confidence, rel=1e-3)
        assert answers[i].cosine == pytest.approx(prediction.image_text_cosine.get("cnn"), abs=1e-5)
    table = Answers.from_table(to_table(list(answers.values()), data, 0))
    assert [table.shown_words_of(i) for i in answers] == [list(a.words) for a in answers.values()]
    assert table.changed().any() and [table.words_of(i) for i in answers] == [list(e.words) for e in data.examples]


def test_a_broken_photo_is_no_photo(tagger: Tagger, data: EvaluationSet, tmp_path: Path) -> None:
    """Under matched the sentence is read alone; it drops out of the conditions that replace its photo."""
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(b"\xff\xd8\xff garbage")
    examples = (replace(data.examples[0], image=broken), *data.examples[1:])
    tagged = tag(tagger, replace(data, examples=examples), ("matched", "none", "typos", "blank"))
    of_first = {a.condition: a for a in tagged.answers if a.sentence == 0}
    assert sorted(of_first) == ["matched", "none", "typos"]
    assert of_first["matched"].source.kind == "none"
    assert of_first["matched"].decoded.loss == pytest.approx(of_first["none"].decoded.loss, rel=1e-4)
    assert tagged.skipped["blank"] == [0]


def test_an_answer_does_not_depend_on_its_company(tagger: Tagger, data: EvaluationSet, tagged: TaggedShard) -> None:
    """A sentence tagged alone under one condition gets the same numbers as in a shard under eight."""
    condition_tagger = ConditionTagger(tagger)
    example = data.examples[0]
    plan = ConditionPlan(name="matched", sources=(ShownImage(kind="photo", path=example.image),), skipped={})
    alone = condition_tagger.tag([example.words], [example.tags], [plan]).answers[0]
    assert alone.decoded.loss == pytest.approx(tagged.answers[0].decoded.loss, rel=1e-4)
    assert alone.cosine == pytest.approx(tagged.answers[0].cosine, abs=1e-5)
