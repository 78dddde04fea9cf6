"""The page around tables, plots and samples: one file that needs nothing else."""

import base64
from html import escape
from typing import Any

from .tables import Table, text

STYLE = """
:root { color-scheme: light dark; --page: #fbfaf8; --card: #fff; --ink: #1d1c1a; --soft: #6a6762; --line: #e4e1db;
  --seen: #2a6fc9; --held: #d9662b; --ceiling: #8a8780; --right: #1c7f4d; --wrong: #b23b3b; }
@media (prefers-color-scheme: dark) { :root { --page: #161615; --card: #1f1f1d; --ink: #eceae5; --soft: #a29f98;
  --line: #363532; --seen: #6aa5f2; --held: #f0905a; --ceiling: #8f8c85; --right: #5cc48d; --wrong: #ee8585; } }
* { box-sizing: border-box }
body { margin: 0; background: var(--page); color: var(--ink); font: 16px/1.5 system-ui, sans-serif }
main { max-width: 860px; margin: 0 auto; padding: 40px 20px 80px }
h1 { font-size: 28px; line-height: 1.2; margin: 0 0 6px } h2 { font-size: 20px; margin: 44px 0 4px }
p { margin: 4px 0 12px; color: var(--soft) } section > p { max-width: 70ch }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(180px, 1fr)); gap: 12px; margin: 24px 0 8px }
.tile { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 12px 14px }
.tile b { display: block; font-size: 24px; font-weight: 600; line-height: 1.25 }
.tile span { display: block; font-size: 13px; line-height: 1.35; color: var(--soft) }
.scroll { overflow-x: auto }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums }
th, td { text-align: right; padding: 7px 10px; border-bottom: 1px solid var(--line); white-space: nowrap }
th:first-child, td:first-child { text-align: left; padding-left: 0; width: 100% }
th { font-weight: 500; color: var(--soft); font-size: 14px } td { min-width: 124px }
td small { color: var(--soft); margin-left: 6px; display: inline-block; min-width: 52px; text-align: left }
figure { margin: 18px 0; background: var(--card); border: 1px solid var(--line); border-radius: 10px;
  padding: 12px 14px }
figcaption { font-size: 14px; color: var(--soft); display: flex; flex-wrap: wrap; gap: 4px 18px;
  justify-content: space-between }
svg { display: block; width: 100%; min-width: 520px; height: auto; font: 13px system-ui, sans-serif }
svg text { fill: var(--ink) } svg .axis { fill: var(--soft); font-size: 12px } svg .grid { stroke: var(--line) }
.whisker { stroke-width: 2.5; opacity: .45; stroke-linecap: round } .dot { fill: var(--seen); opacity: .55 }
.median { stroke: var(--ink); stroke-width: 2 }
.seen circle, .seen i { fill: var(--seen); background: var(--seen) } .seen .whisker { stroke: var(--seen) }
.held circle, .held i { fill: var(--held); background: var(--held) } .held .whisker { stroke: var(--held) }
.ceiling circle, .ceiling i { fill: var(--ceiling); background: var(--ceiling) }
.ceiling .whisker { stroke: var(--ceiling) }
.keys { display: flex; flex-wrap: wrap; gap: 4px 14px } .key { display: inline-flex; align-items: center; gap: 6px }
.key i { width: 9px; height: 9px; border-radius: 50% }
.turns { display: grid; gap: 10px }
.turn { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 10px 14px;
  display: grid; grid-template-columns: 1fr 1fr; gap: 2px 20px }
.turn h3 { grid-column: 1 / -1; font-size: 13px; font-weight: 500; color: var(--soft); margin: 0 }
.turn div { min-width: 0; overflow-wrap: anywhere } q { quotes: none }
.turn small { color: var(--soft); display: block }
audio { width: 100%; height: 34px; margin-top: 6px }
.right { color: var(--right) } .wrong { color: var(--wrong) }
.pictures { display: grid; grid-template-columns: repeat(auto-fill, minmax(124px, 1fr)); gap: 12px }
.pictures div { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 10px;
  font-size: 13px; line-height: 1.35; overflow-wrap: anywhere }
.pictures img { width: 100%; aspect-ratio: 1; object-fit: contain; border-radius: 6px; display: block;
  margin-bottom: 6px }
.pieces { display: grid; grid-template-columns: repeat(auto-fill, minmax(250px, 1fr)); gap: 12px }
.pieces div { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 10px;
  font-size: 14px; line-height: 1.4; overflow-wrap: anywhere }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 2px 16px; margin: 8px 0; font-size: 14px }
dt { color: var(--soft) } dd { margin: 0; overflow-wrap: anywhere }
@media (max-width: 560px) { .turn { grid-template-columns: 1fr } th, td { padding: 7px 6px; font-size: 14px } }
"""


def uri(kind: str, content: bytes) -> str:
    """A file inside the page."""
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"


def table(made: Table) -> str:
    """A table with its heading."""
    head = "".join(f"<th>{escape(column)}</th>" for column in made.columns)
    rows = []
    for name, cells in made.rows:
        shown = [text(cell) for cell in cells]
        rows.append(
            f"<tr><td>{escape(name)}</td>"
            + "".join(
                f"<td>{escape(value)}{f'<small>{interval}</small>' if interval else ''}</td>"
                for value, interval in shown
            )
            + "</tr>"
        )
    return (
        f"<h2>{escape(made.title)}</h2><p>{escape(made.note)}</p>"
        f'<div class="scroll"><table><tr><th></th>{head}</tr>{"".join(rows)}</table></div>'
    )


def tile(value: str, words: str) -> str:
    """A number that stands for much."""
    return f'<div class="tile"><b>{escape(value)}</b><span>{escape(words)}</span></div>'


def facts(pairs: dict[str, Any]) -> str:
    """Names and values."""
    return "<dl>" + "".join(f"<dt>{escape(k)}</dt><dd>{escape(str(v))}</dd>" for k, v in pairs.items()) + "</dl>"


def page(title: str, body: str) -> str:
    """The whole file."""
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{STYLE}</style><main>{body}</main></html>\n"
    )
