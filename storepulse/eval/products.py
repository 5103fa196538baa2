"""Products named from few pictures, by classes that nothing was learnt from: top-1, refusals.

The classes are parted into three folds. How to weigh evidence is learnt on two and measured on the
third, in turn; the shipped embedding has seen none of the classes. Needs the `train` extra.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np

from storepulse.eval.figures import Figure, Report
from storepulse.eval.product_pictures import (
    FOLDS,
    Likenesses,
    Picture,
    choose_pictures,
    folds_of,
    measure_likenesses,
)
from storepulse.eval.progress import Steps
from storepulse.eval.resampling import ratio_interval
from vision.products.embedding import Embedder
from vision.products.glancing import pooled_by_product
from vision.products.judgement import PACKAGED, PACKAGED_GLANCE, Judgement, write_judgement
from vision.training.embedding.weighing import Question, learn_weights

KNOWN, UNKNOWN = 15, 6
REFUSED_MIN: Final = 0.85
_REFUSED_AIM: Final = 0.92
"""Of the unknown products of the learning classes. Of classes that nothing was learnt from fewer
are refused than of those: 0.88 there gave 0.82 (5 references) and 0.85 (1) here."""
_QUERIES: Final = 4
_LEARNING_EPISODES: Final = 150
"""Drawn once and gone through again and again."""
_ALIKE: Final = ("gs_arla_ecological_medium_fat_milk", "gs_arla_lactose_medium_fat_milk",
                 "gs_arla_medium_fat_milk", "gs_arla_standard_milk")  # fmt: skip
"""Milks of one maker that differ by fat content."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A question of an episode and whose picture it was."""

    product: str
    question: Question

    @property
    def is_known(self) -> bool:
        """Whether the product is in the catalogue."""
        return self.question.answer < len(self.question.evidence)


@dataclass(frozen=True, slots=True)
class Answer:
    """How one question was answered."""

    product: str
    is_known: bool
    score: float
    """Of the best answer."""
    right: bool
    margin: float
    """Of the score over what is refused below."""


@dataclass(frozen=True, slots=True)
class Setting:
    """One way to ask."""

    name: str
    references: int
    packshot: bool = False
    held_only: bool = False
    glance_only: bool = False
    strangers: bool = False
    """The unknown products are of any kind, not the nearest relations of the known ones."""


SETTINGS: Final = (
    Setting("5 references", 5),
    Setting("1 reference", 1),
    Setting("hand-held, 5 references", 5, held_only=True),
    Setting("hand-held, 1 reference", 1, held_only=True),
    Setting("hand-held, packshot alone", 1, packshot=True, held_only=True),
    Setting(
        "packshot alone, unknown ones of any kind", 1, packshot=True, held_only=True, strangers=True
    ),
    Setting("at a glance, 5 references", 5, glance_only=True),
    Setting("at a glance, 1 reference", 1, glance_only=True),
)


class Episodes:
    """Draws catalogues and questions from pictures that were compared."""

    def __init__(self, pictures: Sequence[Picture], likenesses: Likenesses) -> None:
        self.pictures = pictures
        self.likenesses = likenesses
        self._by_class: dict[str, list[int]] = defaultdict(list)
        for number, one in enumerate(pictures):
            self._by_class[one.product].append(number)

    def draw(
        self,
        classes: Sequence[str],
        setting: Setting,
        rng: np.random.Generator,
        *,
        known: int,
        strangers: Sequence[str] | None = None,
    ) -> list[Asked]:
        """One episode: `known` products with references, `UNKNOWN` others; a few of each asked.

        Args:
            strangers: classes that the unknown products come from, if not from `classes`.
        """
        order = [classes[int(at)] for at in rng.permutation(len(classes))]
        catalogue: dict[str, tuple[list[int], list[int]]] = {}
        for product in order:
            if len(catalogue) == known:
                break
            parted = self._parted(product, setting, rng)
            if parted is not None:
                catalogue[product] = parted
        if strangers is not None:
            order = [strangers[int(at)] for at in rng.permutation(len(strangers))]
        others = [product for product in order if product not in catalogue][:UNKNOWN]
        references = [them for them, _ in catalogue.values()]
        asked = [
            Asked(product, self._question(query, references, number))
            for number, (product, (_, queries)) in enumerate(catalogue.items())
            for query in queries
        ]
        for product in others:
            for query in self._some(self._queries_of(product), _QUERIES, rng):
                asked.append(Asked(product, self._question(query, references, len(references))))
        return asked

    def _parted(
        self, product: str, setting: Setting, rng: np.random.Generator
    ) -> tuple[list[int], list[int]] | None:
        """References and queries of other groups; None where that cannot be."""
        numbers = self._by_class[product]
        if self.pictures[numbers[0]].held:
            side = "packshot" if setting.packshot else "train"
            references = [at for at in numbers if self.pictures[at].side == side]
            queries = self._queries_of(product)
        else:
            by_group: dict[str, list[int]] = defaultdict(list)
            for at in numbers:
                by_group[self.pictures[at].group].append(at)
            groups = [by_group[name] for name in sorted(by_group)]
            if setting.packshot or len(groups) < 2:
                return None
            groups = [groups[int(at)] for at in rng.permutation(len(groups))]
            references = []
            while len(references) < setting.references and len(groups) > 1:
                references += groups.pop()
            queries = [at for group in groups for at in group]
        if not references or not queries:
            return None
        return (
            self._some(references, setting.references, rng), self._some(queries, _QUERIES, rng)
        )  # fmt: skip

    def _queries_of(self, product: str) -> list[int]:
        return [
            at for at in self._by_class[product]
            if not self.pictures[at].held or self.pictures[at].side not in ("train", "packshot")
        ]  # fmt: skip

    @staticmethod
    def _some(numbers: Sequence[int], most: int, rng: np.random.Generator) -> list[int]:
        return [numbers[int(at)] for at in rng.permutation(len(numbers))[:most]]

    def _question(self, query: int, references: Sequence[Sequence[int]], answer: int) -> Question:
        most = max(len(them) for them in references)
        known = np.array([[at < len(them) for at in range(most)] for them in references])
        padded = [[*them, *[them[0]] * (most - len(them))] for them in references]
        evidence = np.stack([self.likenesses.of(query, them) for them in padded])
        return Question(evidence, known, answer)


def measure_products(
    data: Path,
    *,
    embedder: Embedder,
    kept: Path | None,
    episodes: int,
    output: Path | None,
    seed: int,
    steps: Steps,
) -> Report:
    """Rotate the classes, learn on two folds, measure on the third.

    Args:
        kept: where compared prints are kept between runs.
        output: folder for weights learnt on all classes; those are measured nowhere.
    """
    pictures = choose_pictures(data)
    likenesses = measure_likenesses(pictures, embedder=embedder, kept=kept, steps=steps)
    drawn = Episodes(pictures, likenesses)
    glanced = Episodes(pictures, likenesses.at_a_glance())
    fold = folds_of(pictures)
    if output is not None:
        output.mkdir(parents=True, exist_ok=True)
        for file, source in ((PACKAGED, drawn), (PACKAGED_GLANCE, glanced)):
            write_judgement(learn_judgement(source, fold, list(fold), seed=seed), output / file)
    answers: dict[str, list[Answer]] = defaultdict(list)
    thresholds: list[float] = []
    for left_out in steps(range(FOLDS), "folds"):
        learning = [product for product in fold if fold[product] != left_out]
        judgements = {
            False: learn_judgement(drawn, fold, learning, seed=seed + left_out),
            True: learn_judgement(glanced, fold, learning, seed=seed + left_out),
        }
        thresholds.append(judgements[False].refuse_below)
        for setting in SETTINGS:
            judgement = judgements[setting.glance_only]
            source = glanced if setting.glance_only else drawn
            rng = np.random.default_rng([seed, left_out, SETTINGS.index(setting)])
            measured = {product for product in fold if fold[product] == left_out}
            # Fifteen hand-held products and six more are all there are: those of other folds stand
            # beside the measured ones, unasked.
            classes = sorted(
                product for product in fold if product.startswith("gs_")
            ) if setting.held_only else sorted(measured)  # fmt: skip
            for _ in range(episodes):
                asked = source.draw(
                    classes, setting, rng, known=KNOWN,
                    strangers=sorted(measured) if setting.strangers else None,
                )  # fmt: skip
                for one, answer in zip(asked, answered(asked, judgement), strict=True):
                    if one.product in measured:
                        answers[setting.name].append(answer)
    return _report(answers, thresholds, pictures, episodes=episodes, seed=seed)


def learn_judgement(
    drawn: Episodes, fold: dict[str, int], learning: Sequence[str], *, seed: int
) -> Judgement:
    """Learn the weights on some classes, and from which score on an answer is given."""
    rng = np.random.default_rng([seed, 0x1EA])
    pools = [[one for one in learning if fold[one] == number] for number in range(FOLDS)]
    pools = [pool for pool in pools if pool]
    held = [product for product in learning if product.startswith("gs_")]
    ways: list[Callable[[], list[Asked]]] = []
    for pool in pools:
        for references in (1, 2, 5):
            ways.append(_way(drawn, pool, Setting("", references), rng))
    for references, packshot in ((1, False), (5, False), (1, True), (1, True)):
        ways.append(_way(drawn, held, Setting("", references, packshot=packshot), rng))
    stock = [ways[number % len(ways)]() for number in range(_LEARNING_EPISODES)]
    # From which score on an answer is given is set on catalogues of mixed goods; the ways for them
    # come first. A catalogue of look-alikes alone refuses less (docs/products.md).
    mixed = [asked for number, asked in enumerate(stock) if number % len(ways) < 3 * len(pools)]

    def draw(again: np.random.Generator) -> list[Question]:
        return [one.question for one in stock[int(again.integers(len(stock)))]]

    judgement = learn_weights(draw, seed=seed)
    unknown = [
        answer.score for asked in mixed for answer in answered(asked, judgement)
        if not answer.is_known
    ]  # fmt: skip
    return replace(judgement, refuse_below=round(float(np.quantile(unknown, _REFUSED_AIM)), 4))


def _way(
    drawn: Episodes, classes: Sequence[str], setting: Setting, rng: np.random.Generator
) -> Callable[[], list[Asked]]:
    # A few must stay unknown, also where there are few classes.
    most = max(1, min(KNOWN, len(classes) - UNKNOWN + 2))

    def draw() -> list[Asked]:
        known = int(rng.integers(max(1, most // 2), most + 1))
        return drawn.draw(classes, setting, rng, known=known)

    return draw


def answered(asked: Sequence[Asked], judgement: Judgement) -> list[Answer]:
    """Answer the questions of one episode."""
    # All pairs of an episode are weighed in one go.
    pairs = np.concatenate([one.question.evidence[one.question.known] for one in asked])
    odds = judgement.odds(pairs)
    answers, start = [], 0
    for one in asked:
        question = one.question
        counts = question.known.sum(axis=1)
        here = odds[start : start + int(counts.sum())]
        start += len(here)
        pooled = pooled_by_product(here[None], counts, judgement)[0].tolist()
        shares = judgement.probabilities(pooled, catalogue_size=len(pooled))
        best = int(shares[:-1].argmax())
        score = float(shares[best])
        answers.append(
            Answer(one.product, one.is_known, score, best == question.answer,
                   score - judgement.refuse_below)
        )  # fmt: skip
    return answers


def _report(
    answers: dict[str, list[Answer]], thresholds: Sequence[float], pictures: Sequence[Picture],
    *, episodes: int, seed: int,
) -> Report:  # fmt: skip
    figures: list[Figure] = []
    for name, them in answers.items():
        figures += _figures(name, them, seed=seed)
    return Report(
        measure="products",
        settings={"episodes": episodes, "known": KNOWN, "unknown": UNKNOWN, "folds": FOLDS,
                  "pictures": len(pictures), "classes": len({one.product for one in pictures}),
                  "refuse_below": " ".join(f"{value:.3f}" for value in thresholds), "seed": seed},
        figures=tuple(figures),
        notes=(
            "Intervals: classes drawn anew. References and queries share no group.",
            "Hand-held: all 21 such classes stand in one catalogue; asked are those of the fold "
            "that nothing was learnt from.",
        ),
    )  # fmt: skip


def _figures(name: str, them: Sequence[Answer], *, seed: int) -> list[Figure]:
    known = [one for one in them if one.is_known]
    unknown = [one for one in them if not one.is_known]
    # One bound for all folds, above which 15 % of the unknown products come.
    bound = float(np.quantile([one.margin for one in unknown], REFUSED_MIN))
    right = [one.right for one in known]
    figures = [
        _share("top-1, refusing", known, [one.right and one.margin >= 0 for one in known],
               name, seed),
        _share("unknown refused", unknown, [one.margin < 0 for one in unknown], name, seed),
        _share(f"top-1, at {REFUSED_MIN:.0%} refused", known,
               [one.right and one.margin > bound for one in known], name, seed),
        _share("top-1, refusing nothing", known, right, name, seed),
        Figure(name="calibration error of the score", value=_calibration_error(them), of=name,
               n=len(them)),
    ]  # fmt: skip
    alike = [one for one in known if one.product in _ALIKE]
    if alike and name.startswith("hand-held"):
        figures += [
            _share("top-1 of milks by fat content, refusing", alike,
                   [one.right and one.margin >= 0 for one in alike], name, seed),
            _share("top-1 of milks by fat content, refusing nothing", alike,
                   [one.right for one in alike], name, seed),
        ]  # fmt: skip
    return figures


def _calibration_error(them: Sequence[Answer]) -> float:
    """How far the score lies from the share that is right, mean over ten bins by their size."""
    score = np.array([one.score for one in them])
    right = np.array([one.right for one in them])
    bins = np.minimum((score * 10).astype(int), 9)
    return sum(
        abs(float(score[bins == each].mean() - right[bins == each].mean()))
        * float((bins == each).mean())
        for each in np.unique(bins)
    )


def _share(name: str, them: Sequence[Answer], counts: Sequence[bool], of: str, seed: int) -> Figure:
    by_class: dict[str, list[bool]] = defaultdict(list)
    for one, flag in zip(them, counts, strict=True):
        by_class[one.product].append(flag)
    hits = [sum(flags) for flags in by_class.values()]
    sizes = [len(flags) for flags in by_class.values()]
    low, high = ratio_interval(hits, sizes, seed=seed)
    return Figure(name=name, value=sum(hits) / max(1, sum(sizes)), of=of, low=low, high=high,
                  n=sum(sizes))  # fmt: skip
