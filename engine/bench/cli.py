"""`python -m bench`: measurements of this machine."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bench import folder_commands
from bench.folder_commands import Options
from underdrawing.commands import output
from underdrawing.commands.output import Json, reports_errors

app = typer.Typer(no_args_is_help=True, help="Measure this machine.")
app.command()(folder_commands.meta)
app.command()(folder_commands.start)


@app.command()
@reports_errors
def engine(
    out: Annotated[Path | None, typer.Option("-o", "--out", help="Also write the table to this Markdown file.")] = None,
    json: Json = False,
) -> None:
    """Measure the engine: messages, memory, training, applying, exactness of exports (a minute or two)."""
    from bench.engine_bench import as_markdown, bench

    found = bench(output.note)
    if out is not None:
        out.write_text(as_markdown(found), encoding="utf-8")
    output.answer(found, lambda: as_markdown(found))


@app.command()
@reports_errors
def methods(json: Json = False) -> None:
    """Write the tables of published values in docs/methods.md anew, from docs/published.csv."""
    from bench.methods_page import write

    output.answer({"file": str(write())}, "docs/methods.md is written.")


@app.command()
@reports_errors
def commands(json: Json = False) -> None:
    """Write the reference in docs/commands.md anew, from the commands' help."""
    from bench.commands_page import write

    output.answer({"file": str(write())}, "docs/commands.md is written.")


@app.command()
@reports_errors
def quality(
    data: Annotated[list[Path], typer.Argument(help="Data folders: train/, and test/ or edits/.")],
    methods: Annotated[
        str, typer.Option(help="Methods to compare, separated by commas.")
    ] = "true,unchanged,draft,ours,quick",
    budgets: Annotated[str, typer.Option(help="Seconds of training, separated by commas.")] = "60",
    size: Annotated[int, typer.Option(min=32, help="Pixels of the shorter side.")] = 256,
    planes: Annotated[str, typer.Option(help="segments, edges, or both separated by a comma.")] = "segments",
    seeds: Annotated[int, typer.Option(min=1, help="Number of trainings of each; values are means.")] = 1,
    judge: Annotated[bool, typer.Option(help="Train a judge of consistency (two or three minutes).")] = True,
    crossed: Annotated[bool, typer.Option(help="Also test the layouts of the other folders' pictures.")] = False,
    out: Annotated[Path | None, typer.Option("-o", "--out", help="Also write tables, sheets and curves here.")] = None,
    json: Json = False,
) -> None:
    """Measure the quality of results on your own data; docs/quality.md explains the metrics."""
    from bench import quality as measure
    from bench.datasets import crossed as with_layouts
    from bench.datasets import read_set
    from underdrawing.client.endpoint import home
    from underdrawing.picture.files import write_picture
    from underdrawing.picture.image import Picture
    from underdrawing.weights.store import folder

    found, tables, sets = [], [], [read_set(place, size) for place in data]
    for read in [with_layouts(one, sets) for one in sets] if crossed else sets:
        output.note(f"{read.name}: {len(read.frames)} frames of {read.picture.shape[1]} x {read.picture.shape[0]}")
        how = (methods.split(","), output.all_seconds(budgets), folder(home()), planes.split(","), seeds, judge)
        rows = measure.bench(read, *how, output.note)
        table = f"{read.name}\n\n{measure.as_markdown(rows)}"
        found += [{"set": read.name, **row.public()} for row in rows]
        tables.append(table)
        if out is not None:
            out.mkdir(parents=True, exist_ok=True)
            (out / f"{read.name}.md").write_text(table, encoding="utf-8")
            write_picture(out / f"{read.name}.png", Picture(measure.contact_sheet(read, rows)))
            write_picture(out / f"{read.name}.curves.png", Picture(measure.quality_curves(rows)))
    output.answer({"rows": found}, lambda: "\n".join(tables))


@app.command()
@reports_errors
def papers(
    out: Annotated[Path, typer.Argument(help="A folder for checkpoints, models, curves, sheets and the table.")],
    everything: Annotated[bool, typer.Option("--all", help="Every published recipe.")] = False,
    only: Annotated[str, typer.Option(help="Instead: these recipes, separated by commas.")] = "",
    data: Annotated[
        Path | None,
        typer.Option(help="A folder of data folders, as for quality and generate (default: bundled pictures)."),
    ] = None,
    size: Annotated[int, typer.Option(min=16, help="Pixels of the shorter side.")] = 256,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "auto",
    iterations: Annotated[int | None, typer.Option(min=1, help="For a try: not the published length.")] = None,
    option: Options = None,
    judge: Annotated[bool, typer.Option(help="Train a judge of consistency (two or three minutes).")] = True,
    json: Json = False,
) -> None:
    """Run the published recipes at their published lengths; the same command resumes a run that was stopped."""
    from bench import papers as measure
    from underdrawing.client.endpoint import home
    from underdrawing.client.key_values import options_of
    from underdrawing.weights.store import folder

    if everything == bool(only):
        raise output.wrong("Give --all, or --only with the names of recipes.")
    out.mkdir(parents=True, exist_ok=True)
    trials = measure.trials(data or measure.bundled(out / "data"), size, folder(home()), judge)
    chosen = [trial for trial in trials if everything or trial.system.split()[1] in only.split(",")]
    if not chosen:
        known = ", ".join(sorted({trial.system.split()[1] for trial in trials}))
        raise output.wrong(f"None of these recipes is published, or the data do not suit them. There are: {known}.")
    asked = {"device": device, "iterations": iterations, "options": options_of(option or [])}
    rows = measure.run(chosen, out.absolute(), asked, output.note)
    output.answer({"rows": rows}, lambda: measure.as_markdown(rows))


@app.command()
@reports_errors
def outlines(
    data: Annotated[Path, typer.Argument(help="A data folder with true frames.")],
    minutes: Annotated[
        str, typer.Option(help="Processor minutes of training, rising, separated by commas.")
    ] = "2,5,10",
    samples: Annotated[int, typer.Option(min=2, help="Number of training samples.")] = 60,
    size: Annotated[int, typer.Option(min=32, help="Pixels of the shorter side.")] = 128,
    seed: Annotated[int, typer.Option(min=0, help="Of samples and training.")] = 0,
    out: Annotated[Path | None, typer.Option("-o", "--out", help="Also write the table to this Markdown file.")] = None,
    json: Json = False,
) -> None:
    """Measure whether a network that sees the wanted outlines paints a draft better (docs/quality.md)."""
    from dataclasses import asdict

    from bench import outline_painter as measure
    from bench.datasets import read_set
    from underdrawing.client.endpoint import home
    from underdrawing.weights.store import folder

    points: list[measure.OutlinePoint] = []
    wanted = [float(part) for part in minutes.split(",")]
    for point in measure.curve(read_set(data, size), folder(home()), samples, wanted, seed, output.note):
        points.append(point)
        if out is not None:  # Hours, perhaps: what has been measured stays if the rest is given up.
            out.write_text(measure.as_markdown(points), encoding="utf-8")
    output.answer({"points": [asdict(point) for point in points]}, lambda: measure.as_markdown(points))


@app.command()
@reports_errors
def draft(
    data: Annotated[list[Path], typer.Argument(help="Folders with train/, or of pictures without an underdrawing.")],
    things: Annotated[int, typer.Option(min=1, help="Number of objects to edit in each picture, largest first.")] = 3,
    size: Annotated[int, typer.Option(min=64, help="Maximum pixels of the longer side.")] = 512,
    out: Annotated[Path | None, typer.Option("-o", "--out", help="Also write the table and sheets here.")] = None,
    json: Json = False,
) -> None:
    """Measure drafts of edited objects: what changes beyond the edit, and the quality of fills."""
    from bench import draft_edits as measure
    from underdrawing.client.endpoint import home
    from underdrawing.picture.files import write_picture
    from underdrawing.picture.image import Picture
    from underdrawing.weights.store import folder

    cases = [case for place in data for case in measure.read(place, size)]
    try:
        found, made = measure.bench(cases, things, folder(home()), output.note)
    except FileNotFoundError:
        text = "LPIPS cannot be measured: its weights are not installed. Run: underdrawing weights fetch"
        raise output.wrong(text) from None
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
        (out / "draft.md").write_text(measure.as_markdown(found), encoding="utf-8")
        if made is not None:
            write_picture(out / "draft.png", Picture(made))
    rows = [{"edit": kind, **tally.public()} for kind, tally in found.items()]
    output.answer({"rows": rows}, lambda: measure.as_markdown(found))


@app.command()
@reports_errors
def generate(
    data: Annotated[list[Path], typer.Argument(help="Folders of pictures; see bench/generate.py for their contents.")],
    recipes: Annotated[str, typer.Option(help="Recipes for variations, separated by commas.")] = "vary,singan",
    seeds: Annotated[int, typer.Option(min=1, help="Number of trainings of each.")] = 1,
    budget: Annotated[str | None, typer.Option(metavar="TIME", help="Training time: 90s, 2m … each time.")] = None,
    iterations: Annotated[int | None, typer.Option(min=1, help="… or for this many iterations.")] = None,
    option: Options = None,
    out: Annotated[Path | None, typer.Option("-o", "--out", help="Also write tables and sheets here.")] = None,
    json: Json = False,
) -> None:
    """Measure pictures without an underdrawing: pasted objects, rough edits, variations (docs/generate.md)."""
    from bench import generate as measure
    from underdrawing.client.key_values import options_of
    from underdrawing.picture.files import write_picture
    from underdrawing.picture.image import Picture

    if budget is not None and iterations is not None:
        raise output.wrong("Give --budget or --iterations, not both.")
    asked = {"budget": output.seconds(budget), "iterations": iterations, "options": options_of(option or [])}
    given = {key: value for key, value in asked.items() if value}
    found, tables = [], []
    with measure.own_engine() as engine:
        for place in data:
            cases, alone = measure.read(place)
            changed, first = measure.changed(engine, cases, seeds, given, output.note)
            varied, second = measure.varied(engine, alone, recipes.split(","), seeds, given, output.note)
            table = f"{place.name}\n\n{measure.as_markdown([*changed, *varied])}"
            found += [{"set": place.name, **row.public()} for row in (*changed, *varied)]
            tables.append(table)
            if out is not None:
                out.mkdir(parents=True, exist_ok=True)
                (out / f"{place.name}.md").write_text(table, encoding="utf-8")
                for name, pictures in (("changed", first), ("varied", second)):
                    if pictures is not None:
                        write_picture(out / f"{place.name}.{name}.png", Picture(pictures))
    output.answer({"rows": found}, lambda: "\n".join(tables))


@app.command()
@reports_errors
def areas(
    data: Annotated[Path, typer.Argument(help="Folder of labelled sets: NAME/train/image.png and labels.png.")],
    clicks: Annotated[Path, typer.Argument(help='JSON: {"points": [{"set": NAME, "x": 0, "y": 0}]}.')],
    json: Json = False,
) -> None:
    """Measure automatic areas and picks: covering of labelled pictures, and what one click finds."""
    from bench.areas import measure
    from underdrawing.render.onnx_sessions import SessionStore
    from underdrawing.render.pretrained import outline_network, prompted_network, subject_network
    from underdrawing.weights.store import folder

    place, sessions = folder(), SessionStore()
    networks = outline_network(place, sessions), subject_network(place, sessions), prompted_network(place, sessions)
    found = measure(data, clicks, *networks)
    output.answer(found, lambda: "\n".join(f"{name}: {value:.3f}" for name, value in found.items()))


@app.command()
@reports_errors
def wishes(
    edits: Annotated[Path, typer.Argument(help='JSON: {"edits": [{"picture": PATH, "wish": TEXT}]}.')],
    clicks: Annotated[Path, typer.Argument(help="JSON: a list of the clicks for each, as of bench.wishes.Wish.")],
    pictures: Annotated[Path, typer.Argument(help="The folder that the pictures' paths start from.")],
    out: Annotated[Path, typer.Option("-o", "--out", help="The folder for the sheets.")],
    only: Annotated[str, typer.Option(help="Numbers of wishes, separated by commas; else all.")] = "",
    json: Json = False,
) -> None:
    """Do edits by clicks and lifts, and write a sheet for each: before, the lifted thing, after."""
    from bench.wishes import read_wishes, write_sheets
    from underdrawing.render.onnx_sessions import SessionStore
    from underdrawing.render.pretrained import outline_network, subject_network
    from underdrawing.weights.store import folder

    sessions = SessionStore()
    wanted = read_wishes(edits, clicks)
    chosen = {int(number) for number in only.split(",")} if only else set(range(1, len(wanted) + 1))
    networks = outline_network(folder(), sessions), subject_network(folder(), sessions)
    done = write_sheets({number: wanted[number - 1] for number in sorted(chosen)}, pictures, out, *networks)
    lines = [f"{one['file']}: {one['clicks']} clicks, {one['share']:.1%}: {one['wish']}" for one in done]
    output.answer({"wishes": done}, "\n".join(lines))
