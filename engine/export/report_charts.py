"""The charts of a report, from a run's story."""

from __future__ import annotations

from engine.export import report_words as say
from engine.export.report_chart import Series, chart, disorder
from engine.export.report_story import Story

CORRELATIONS = ("sparse_kendall_tau", "kendall_tau", "spearman")


def ranking_charts(story: Story) -> str:
    """Return correlations over epochs, scatter and rank disorder."""
    if not story.rankings:
        return ""
    epochs = [float(event["epoch"]) for event in story.rankings]
    curves = [
        Series(
            say.title(name), epochs, [event["metrics"].get(name) for event in story.rankings],
            look, symbol=symbol,
        )
        for look, (name, symbol) in enumerate(
            zip(CORRELATIONS, ("circle", "square", "triangle"), strict=True)
        )
    ]  # fmt: skip
    drawn = []
    if any(one.points() for one in curves):
        last = say.metric("sparse_kendall_tau", story.rankings[-1]["metrics"].get(CORRELATIONS[0]))
        said = f"Sparse Kendall τ is {last} at epoch {epochs[-1]:.0f}"
        drawn.append(chart(curves, "epoch", "rank correlation (−1 to 1)", said))
    return _grid([*drawn, *_newest(story)])


def _newest(story: Story) -> list[str]:
    newest = story.rankings[-1]
    truth, scores = newest.get("truth") or [], newest.get("scores") or []
    if len(truth) < 2 or len(truth) != len(scores):
        return []
    texts = [one["text"] for one in story.sample]
    hints = texts if len(texts) == len(scores) else [""] * len(scores)
    clouds = [Series("Sampled architectures", truth, scores, 0, False, "circle", hints)]
    marked = story.landmarks.values()
    of_landmarks = newest.get("landmark_scores") or []
    known = [(one["value"], score, one["text"]) for one, score in
             zip(marked, of_landmarks, strict=False)]  # fmt: skip
    if known:
        values, points, names = (list(column) for column in zip(*known, strict=True))
        clouds.append(Series("Landmarks", values, points, 4, False, "diamond", names))
    tau = say.metric("kendall_tau", newest["metrics"].get("kendall_tau"))
    said = f"The super-net orders {len(truth)} architectures with Kendall τ = {tau}"
    return [
        chart(clouds, "stand-alone accuracy (%)", "super-net accuracy (%)", said),
        disorder(truth, scores),
    ]


def training_charts(story: Story) -> str:
    """Return loss, accuracy, and the landmark term where there is one."""
    if not story.epochs:
        return ""
    epochs = [float(event["epoch"]) for event in story.epochs]
    last = story.epochs[-1]["epoch"]
    drawn = []
    for names, unit, said in (
        (("loss",), "cross-entropy (nats)", f"The training loss over {last} epochs"),
        (("accuracy",), "training accuracy (%)", f"The training accuracy over {last} epochs"),
        (("landmark_loss",), "landmark term", "How much the order of the landmarks is violated"),
        (("learning_rate",), "learning rate", "The learning rate over the epochs"),
    ):
        series = [
            Series(name.replace("_", " ").capitalize(), epochs, story.column(name), look)
            for look, name in enumerate(names)
        ]
        if any(one.points() for one in series):
            drawn.append(chart(series, "epoch", unit, said))
    return _grid(drawn)


def search_charts(story: Story) -> str:
    """Return the best super-net accuracy found so far, per searcher."""
    curves = []
    for look, (name, events) in enumerate(story.searches.items()):
        best, so_far = float("-inf"), []
        for event in events:
            score = event.get("best_score")
            best = best if score is None else max(best, score)
            so_far.append(best)
        evaluated = [float(event["evaluated"]) for event in events]
        curves.append(Series(say.searcher(name), evaluated, so_far, look, symbol="circle"))
    if not any(one.points() for one in curves):
        return ""
    said = "The best super-net accuracy that each search had found so far"
    return _grid([chart(curves, "architectures evaluated", "super-net accuracy (%)", said)])


def _grid(drawn: list[str]) -> str:
    return f'<div class="charts">{"".join(drawn)}</div>' if drawn else ""
