"""Bars and dots with intervals: scores, error classes, image conditions, shares, outcomes, slices."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import plotly.graph_objects as go

from analysis.figures.theme import BLUE, NEUTRAL, VERMILION, colours_of, new_figure, plain
from analysis.palette import text_colour

_ROW = 24  # pixels per row of a horizontal figure, enough for its label


def score_bars(table: pd.DataFrame) -> go.Figure:
    """Draw F1 per language, one bar per entity type, with intervals.

    Args:
        table: language, type, f1, low, high, n_gold, n_predicted, one row each; an undefined F1 has no bar.
    """
    types = _in_order(table["type"])
    colours = colours_of(types, [t for t in types if t != "all"])
    bars = []
    for entity_type in types:
        rows = table[table["type"] == entity_type]
        bars.append(
            go.Bar(
                name=plain(entity_type),
                x=[plain(language) for language in rows["language"]],
                y=rows["f1"],
                error_y=_whiskers(rows, "f1"),
                marker_color=colours[entity_type],
                customdata=rows[["n_gold", "n_predicted"]],
                hovertemplate=f"%{{x}}, {plain(entity_type)}: F1 %{{y:.3f}}<br>%{{customdata[0]}} gold, "
                "%{customdata[1]} predicted<extra></extra>",
            )
        )
    figure = new_figure(*bars, barmode="group", bargroupgap=0.05)
    return figure.update_yaxes(range=[0, 1.02], title_text="F1").update_xaxes(type="category")


def taxonomy_bars(table: pd.DataFrame) -> go.Figure:
    """Draw the error classes of each language as shares of its groups, one row per language.

    Args:
        table: language, kind, n_groups, share; one row per language and kind.
    """
    languages = [plain(language) for language in _in_order(table["language"])]
    kinds = _in_order(table["kind"])
    colours = colours_of(kinds)
    bars = []
    for kind in kinds:
        rows = table[table["kind"] == kind]
        bars.append(
            go.Bar(
                name=plain(kind),
                orientation="h",
                y=[plain(language) for language in rows["language"]],
                x=rows["share"],
                customdata=rows["n_groups"],
                marker_color=colours[kind],
                texttemplate="%{x:.0%}",
                textposition="inside",
                insidetextfont_color=text_colour(colours[kind]),
                insidetextanchor="middle",
                textangle=0,
                hovertemplate=f"%{{y}}: {plain(kind)} %{{x:.1%}} (%{{customdata}})<extra></extra>",
            )
        )
    figure = new_figure(*bars, barmode="stack", height=150 + 2 * _ROW * len(languages))
    figure.update_layout(uniformtext={"minsize": 10, "mode": "hide"}, legend_traceorder="normal")
    figure.update_xaxes(range=[0, 1], tickformat=".0%", ticklabeloverflow="allow").update_layout(margin_r=24)
    return figure.update_yaxes(type="category", categoryarray=languages[::-1], categoryorder="array")


def modality_bars(table: pd.DataFrame, names: dict[str, str], against: str = "text only") -> go.Figure:
    """Draw by how much F1 under each condition differs from that of a baseline, with paired intervals.

    Args:
        table: condition, language, difference, low, high, n_gold.
        names: condition to what it is called, in the order from top to bottom.
        against: what the baseline is called.
    """
    languages = _in_order(table["language"])
    colours = colours_of(languages)
    bars = []
    for language in languages:
        rows = table[(table["language"] == language) & table["condition"].isin(list(names))]
        bars.append(
            go.Bar(
                name=plain(language),
                orientation="h",
                y=[plain(names[condition]) for condition in rows["condition"]],
                x=rows["difference"],
                error_x=_whiskers(rows, "difference"),
                marker_color=colours[language],
                customdata=rows["n_gold"],
                hovertemplate=f"%{{y}}, {plain(language)}: %{{x:+.3f}} F1<br>%{{customdata}} gold entities"
                "<extra></extra>",
            )
        )
    # The axis is turned round so that the first condition is on top, and within it the first language.
    figure = new_figure(*bars, barmode="group", height=140 + _ROW * len(names) * max(2, len(languages)) * 2 // 3)
    figure.update_layout(legend_traceorder="normal")
    figure.update_xaxes(title_text=f"F1 minus F1 of {against}", tickformat="+.2f")
    order = [plain(name) for name in names.values()]
    return figure.update_yaxes(type="category", categoryorder="array", categoryarray=order, autorange="reversed")


def shapley_bars(table: pd.DataFrame, players: Sequence[str]) -> go.Figure:
    """Draw the players' mean shares of the gold entities' probability, stacked, with the total as a dot.

    Args:
        table: label, quantity ("total", "share_..."), value, low, high.
        players: in the order of the stack, as in ``share_...``.
    """
    labels = [plain(label) for label in _in_order(table["label"])]
    colours = colours_of(list(players))
    traces: list[go.Bar | go.Scatter] = []
    for player in players:
        rows = table[table["quantity"] == f"share_{player}"]
        traces.append(
            go.Bar(
                name=plain(player),
                orientation="h",
                y=[plain(label) for label in rows["label"]],
                x=rows["value"],
                marker_color=colours[player],
                hovertemplate=f"%{{y}}: {plain(player)} %{{x:+.3f}}<extra></extra>",
            )
        )
    total = table[table["quantity"] == "total"]
    at = [plain(label) for label in total["label"]]
    # The whiskers are those of a bar without length, in the ink of the scheme: no one grey stands out from every bar.
    whiskers = {"base": total["value"], "x": [0.0] * len(at), "error_x": _whiskers(total, "value")}
    traces.append(go.Bar(orientation="h", y=at, **whiskers, marker_line_width=0, showlegend=False, hoverinfo="skip"))
    traces.append(
        go.Scatter(
            name="total",
            mode="markers",
            y=at,
            x=total["value"],
            marker={"color": NEUTRAL, "symbol": "diamond", "size": 10, "line_width": 1.5},
            hovertemplate="%{y}: total %{x:+.3f}<extra></extra>",
        )
    )
    figure = new_figure(*traces, barmode="relative", height=130 + 32 * len(labels))
    figure.update_xaxes(title_text="share of the gold entity's probability")
    return figure.update_yaxes(type="category", categoryorder="array", categoryarray=labels, autorange="reversed")


def outcome_bars(table: pd.DataFrame) -> go.Figure:
    """Draw how many entities B fixed (to the right) and broke (to the left) per language.

    Args:
        table: language, fixed, broken; one row per language.
    """
    labels = [plain(language) for language in table["language"]]
    sides = (("fixed", table["fixed"], BLUE), ("broken", -table["broken"], VERMILION))
    bars = [
        go.Bar(
            name=name,
            orientation="h",
            y=labels,
            x=values,
            text=values.abs(),
            textposition="outside",
            cliponaxis=False,
            marker_color=colour,
            hovertemplate=f"%{{y}}: %{{text}} {name}<extra></extra>",
        )
        for name, values, colour in sides
    ]
    figure = new_figure(*bars, barmode="relative", height=110 + 38 * len(labels))
    # Both sides count entities: the left one is no negative number.
    widest = max(1, int(table[["fixed", "broken"]].to_numpy().max(initial=1)))
    figure.update_xaxes(range=[-1.25 * widest, 1.25 * widest], showticklabels=False, title_text="broken ← → fixed")
    return figure.update_yaxes(type="category", categoryorder="array", categoryarray=labels, autorange="reversed")


def slice_dots(table: pd.DataFrame, overall: float | None) -> go.Figure:
    """Draw F1 with interval per slice, under a heading per attribute, against the F1 of everything.

    Args:
        table: heading, label, f1, low, high, n_gold; rows of one heading follow each other. A line break in a heading
            or label is kept.
        overall: F1 of all entities, None where undefined.
    """
    order: list[str] = []
    ticks: list[str] = []
    places = []
    for i, (heading, label) in enumerate(zip(table["heading"], table["label"], strict=True)):
        if heading and (i == 0 or heading != table["heading"].iloc[i - 1]):
            order.append(f"heading {i}")
            ticks.append(f"<b>{_lines(heading)}</b>")
        places.append(f"row {i}")
        order.append(places[-1])
        ticks.append(_lines(label))
    dots = go.Scatter(
        mode="markers",
        x=table["f1"],
        y=places,
        error_x=_whiskers(table, "f1"),
        # Hollow where the sentences are too few for an interval.
        marker={
            "size": 9,
            "symbol": ["circle-open" if missing else "circle" for missing in table["low"].isna()],
            "line_width": [2.0 if missing else 0.5 for missing in table["low"].isna()],
        },
        customdata=[[plain(label), n] for label, n in zip(table["label"], table["n_gold"], strict=True)],
        hovertemplate="%{customdata[0]}: F1 %{x:.3f}<br>%{customdata[1]} gold entities<extra></extra>",
        showlegend=False,
        cliponaxis=False,
    )
    # All rows are equally high, so the label of most lines says how high.
    more_lines = max((label.count("\n") for label in table["label"]), default=0)
    headings = sum(tick.count("<br>") for tick in ticks if tick.startswith("<b>"))
    figure = new_figure(dots, height=70 + (_ROW + 14 * more_lines) * len(order) + 16 * headings)
    if overall is not None:
        figure.add_vline(x=overall, line={"color": NEUTRAL, "dash": "dot", "width": 1.5})
    figure.update_xaxes(range=[-0.02, 1.02], title_text="F1")
    return figure.update_yaxes(
        type="category", categoryorder="array", categoryarray=order, range=[len(order) - 0.5, -0.5],
        tickmode="array", tickvals=order, ticktext=ticks,
    )  # fmt: skip


def _whiskers(rows: pd.DataFrame, value: str) -> dict[str, object]:
    """Return asymmetric error bars, without a whisker where there is no interval."""
    return {
        "type": "data",
        "symmetric": False,
        "array": (rows["high"] - rows[value]).astype(float).to_numpy(),
        "arrayminus": (rows[value] - rows["low"]).astype(float).to_numpy(),
    }


def _lines(text: str) -> str:
    return plain(text).replace("\n", "<br>")


def _in_order(column: pd.Series) -> list[str]:
    return list(dict.fromkeys(column.tolist()))
