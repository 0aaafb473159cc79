"""Lines: reliability, least confidence, severities of a corruption, deletion and insertion, cosine histograms."""

from __future__ import annotations

import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from analysis.figures.theme import BLUE, GREEN, NEUTRAL, VERMILION, colours_of, new_figure, plain, template
from analysis.heat_maps.attribution import RANDOM_MODEL, RANDOM_ORDER

_DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")
_SYMBOLS = ("circle", "square", "diamond", "triangle-up", "x", "cross")


def reliability_diagram(bins: pd.DataFrame) -> go.Figure:
    """Draw accuracy against probability per bin, with the number of entities in each below.

    Args:
        bins: series ("before", "after"), confidence, accuracy, accuracy_low, accuracy_high, n, low, high; empty bins
            have missing values.
    """
    figure = make_subplots(rows=2, cols=1, shared_xaxes=True, row_heights=[0.75, 0.25], vertical_spacing=0.06)
    figure.update_layout(template=template("light"), height=470, barmode="group")
    diagonal = {"color": NEUTRAL, "dash": "dot"}
    figure.add_scatter(x=[0, 1], y=[0, 1], mode="lines", line=diagonal, name="as sure as right", hoverinfo="skip")
    looks = ((BLUE, "circle", "solid"), (VERMILION, "square", "dash"))
    for (name, rows), (colour, symbol, dash) in zip(bins.groupby("series", sort=False), looks, strict=False):
        known = rows[rows["n"] > 0]
        interval = {
            "type": "data",
            "array": (known["accuracy_high"] - known["accuracy"]).to_numpy(),
            "arrayminus": (known["accuracy"] - known["accuracy_low"]).to_numpy(),
        }
        figure.add_scatter(
            x=known["confidence"], y=known["accuracy"], error_y=interval, customdata=known["n"],
            mode="lines+markers", name=plain(name), legendgroup=plain(name),
            line={"color": colour, "dash": dash, "width": 1.5}, marker={"color": colour, "symbol": symbol, "size": 8},
            hovertemplate="probability %{x:.2f}, right %{y:.2f}<br>%{customdata} entities<extra></extra>",
        )  # fmt: skip
        figure.add_bar(
            x=(rows["low"] + rows["high"]) / 2, y=rows["n"], marker_color=colour, legendgroup=plain(name),
            showlegend=False, name=plain(name), row=2, col=1,
        )  # fmt: skip
    figure.update_yaxes(range=[-0.02, 1.02], title_text="share right", row=1, col=1)
    figure.update_yaxes(title_text="entities", row=2, col=1, nticks=4)
    figure.update_xaxes(range=[-0.02, 1.02])
    return figure.update_xaxes(title_text="probability", row=2, col=1)


def threshold_curves(table: pd.DataFrame) -> go.Figure:
    """Draw precision, recall and F1 against the least confidence of an entity that is kept.

    Args:
        table: threshold, precision, recall, f1, low, high (of F1), f1_at_random, kept.
    """
    figure = new_figure(height=420)
    edge = {"x": table["threshold"], "mode": "lines", "line": {"width": 0}, "hoverinfo": "skip", "showlegend": False}
    figure.add_scatter(y=table["high"], **edge)
    figure.add_scatter(y=table["low"], fill="tonexty", fillcolor="rgba(0,158,115,0.18)", **edge)
    looks = (("precision", BLUE, "solid"), ("recall", VERMILION, "dash"), ("f1", GREEN, "solid"))
    names = {"f1": "F1", "f1_at_random": "F1, as many dropped at random"}
    for column, colour, dash in (*looks, ("f1_at_random", NEUTRAL, "dot")):
        name = names.get(column, column)
        figure.add_scatter(
            x=table["threshold"], y=table[column], customdata=table["kept"], mode="lines", name=name,
            line={"color": colour, "dash": dash, "width": 2 if column != "f1_at_random" else 1.5},
            hovertemplate=f"{name} %{{y:.3f}}, least confidence %{{x:.2f}}<br>%{{customdata}} entities kept"
            "<extra></extra>",
        )  # fmt: skip
    figure.update_xaxes(title_text="least confidence of an entity that is kept", range=[-0.02, 0.97])
    return figure.update_yaxes(range=[-0.02, 1.02])


def severity_lines(table: pd.DataFrame) -> go.Figure:
    """Draw the difference of F1 to text only against the severity of each corruption.

    Args:
        table: corruption, severity (0: photo as it is), difference, low, high.
    """
    lines = []
    names = list(dict.fromkeys(table["corruption"]))
    colours = colours_of(names)
    for i, name in enumerate(names):
        rows = table[table["corruption"] == name]
        interval = {
            "type": "data",
            "array": (rows["high"] - rows["difference"]).astype(float).to_numpy(),
            "arrayminus": (rows["difference"] - rows["low"]).astype(float).to_numpy(),
            "thickness": 0.8,
        }
        # Side by side by a little, or the whiskers of six curves hide each other.
        lines.append(
            go.Scatter(
                name=plain(name), mode="lines+markers", x=rows["severity"] + 0.06 * (i - (len(names) - 1) / 2),
                y=rows["difference"], error_y=interval, customdata=rows["severity"],
                line={"color": colours[name], "dash": _DASHES[i % len(_DASHES)], "width": 1.8},
                marker={"symbol": _SYMBOLS[i % len(_SYMBOLS)], "size": 7, "color": colours[name]},
                hovertemplate=f"{plain(name)}, severity %{{customdata}}: %{{y:+.3f}} F1<extra></extra>",
            )
        )  # fmt: skip
    figure = new_figure(*lines, height=420)
    figure.add_hline(y=0, line={"color": NEUTRAL, "dash": "dot"})
    figure.update_xaxes(title_text="severity (0: photo as it is)", tickmode="linear", dtick=1)
    return figure.update_yaxes(title_text="F1 minus F1 of text only", tickformat="+.2f")


def deletion_curves(table: pd.DataFrame) -> go.Figure:
    """Draw the mean probability as the hottest cells are deleted (above) or inserted (below), over a random band.

    Args:
        table: kind ("deletion", "insertion"), method, share, value, low, high; the method "random order" is drawn as
            a line with the band from low to high, a method's map of a randomly initialised model, named with the
            suffix " (random model)", thin in the method's colour.
    """
    titles = ("deletion: hottest cells covered first", "insertion: hottest cells shown first")
    figure = make_subplots(rows=2, cols=1, shared_xaxes=True, vertical_spacing=0.1, subplot_titles=titles)
    figure.update_layout(template=template("light"), height=580, legend_y=1.07)
    figure.update_annotations(font_size=12)
    methods = [method for method in dict.fromkeys(table["method"]) if method != RANDOM_ORDER]
    maps = list(dict.fromkeys(method.removesuffix(RANDOM_MODEL) for method in methods))
    colours = colours_of(maps)
    for row, kind in enumerate(("deletion", "insertion"), start=1):
        of_kind = table[table["kind"] == kind]
        random = of_kind[of_kind["method"] == RANDOM_ORDER]
        edge = {"mode": "lines", "line": {"width": 0}, "hoverinfo": "skip", "showlegend": False}
        figure.add_scatter(x=random["share"], y=random["high"], row=row, col=1, **edge)
        figure.add_scatter(
            x=random["share"], y=random["low"], fill="tonexty", fillcolor="rgba(123,135,148,0.25)", row=row, col=1,
            **edge,
        )  # fmt: skip
        figure.add_scatter(
            x=random["share"], y=random["value"], name=RANDOM_ORDER, mode="lines", legendgroup=RANDOM_ORDER,
            line={"color": NEUTRAL, "dash": "dot"}, showlegend=row == 1, row=row, col=1,
        )  # fmt: skip
        for method in methods:
            rows, name = of_kind[of_kind["method"] == method], method.removesuffix(RANDOM_MODEL)
            dash, width = ("dot", 1) if name != method else (_DASHES[maps.index(name) % len(_DASHES)], 2)
            figure.add_scatter(
                x=rows["share"], y=rows["value"], name=plain(method), legendgroup=plain(method), mode="lines",
                line={"color": colours[name], "dash": dash, "width": width}, showlegend=row == 1,
                row=row, col=1,
            )  # fmt: skip
    figure.update_yaxes(title_text="probability")
    return figure.update_xaxes(title_text="share of the cells", tickformat=".0%", row=2, col=1)


def cosine_histogram(table: pd.DataFrame) -> go.Figure:
    """Draw histograms of the cosines of matched and of mismatched pairs.

    Args:
        table: pairs ("matched", "mismatched"), low, high (bounds of the bin), share.
    """
    traces = []
    for (name, rows), colour in zip(table.groupby("pairs", sort=False), (BLUE, VERMILION), strict=False):
        edges = [*rows["low"], rows["high"].iloc[-1]]
        traces.append(
            go.Scatter(
                name=plain(name), x=edges, y=[*rows["share"], rows["share"].iloc[-1]], mode="lines", fill="tozeroy",
                line={"color": colour, "shape": "hv", "width": 1.8, "dash": "solid" if name == "matched" else "dash"},
                hovertemplate=f"{plain(name)}, cosine %{{x:.2f}}: %{{y:.1%}}<extra></extra>",
            )
        )  # fmt: skip
    figure = new_figure(*traces, height=340)
    figure.update_xaxes(title_text="cosine of text and image")
    return figure.update_yaxes(title_text="share of the pairs", tickformat=".0%", rangemode="tozero")
