"""`python -m bench meta` and `start`: what a folder's model is worth."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from underdrawing.commands import output
from underdrawing.commands.output import Json, reports_errors

Options = Annotated[list[str] | None, typer.Option(metavar="KEY=VALUE", help="Change hyperparameters of the recipes.")]


@reports_errors
def meta(
    data: Annotated[Path, typer.Argument(help="A folder of pictures; every fifth is excluded from training.")],
    model: Annotated[
        Path | None, typer.Option(help="A folder model already trained on the others (.underdrawing).")
    ] = None,
    training: Annotated[str, typer.Option(metavar="TIME", help="Otherwise, training time for the folder.")] = "30m",
    recipes: Annotated[str, typer.Option(help="Recipes for one picture, separated by commas.")] = "vary,meta-single",
    budget: Annotated[str, typer.Option(metavar="TIME", help="Training time of each.")] = "60s",
    refine: Annotated[
        str | None, typer.Option(metavar="TIME", help="Also refine models made by the folder model for this long.")
    ] = None,
    most: Annotated[int, typer.Option(min=1, help="Pictures of each kind, trained on and excluded.")] = 3,
    seeds: Annotated[int, typer.Option(min=1, help="Number of runs of each.")] = 1,
    out: Annotated[Path | None, typer.Option("-o", "--out", help="Also write tables and sheets here.")] = None,
    json: Json = False,
) -> None:
    """Compare models made by a folder model with models trained on one picture (docs/meta.md)."""
    from bench import generate as single
    from bench import meta as measure
    from underdrawing.commands.train import followed
    from underdrawing.picture.files import write_picture
    from underdrawing.picture.folder import reduced, sheet_of
    from underdrawing.picture.image import Picture
    from underdrawing.store.frame_codec import frame_of

    more = output.seconds(refine)
    halves = measure.Halves.read(data)
    with single.own_engine() as engine:
        if model is not None:
            writer = str(engine.import_model(model)["id"])
        else:
            small = [reduced(picture) for _, picture in halves.trained]
            frames, sheet = [frame_of(picture) for picture in small], frame_of(sheet_of(small))
            started = engine.train(sheet, {}, pictures=frames, method="meta", budget=output.seconds(training))
            followed(engine, str(started["job"]))
            writer = str(started["model"])
        options = {"budget": output.seconds(budget)}
        chosen = [name for name in recipes.split(",") if name]
        rows, made = measure.bench(
            engine, halves, writer, chosen, most, seeds, options=options, refine=more, note=output.note
        )
        pairs = list(zip(halves.unseen[::2], halves.unseen[1::2], strict=False))[:most]
        smooth = measure.smoothness(engine, writer, [(one, two) for (_, one), (_, two) in pairs])
        way = measure.interpolations(engine, writer, pairs[:2])
        trained = engine.model(writer)["manifest"]["figures"]
    table = f"{trained['pictures']} pictures, {trained['iterations']} iterations in {trained['seconds']:.0f} s\n\n"
    table += single.as_markdown(rows)
    table += "\n".join(f"{name}: {' '.join(str(v) for v in values)}" for name, values in smooth.items()) + "\n"
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
        (out / f"{data.name}.meta.md").write_text(table, encoding="utf-8")
        for name, picture in (("meta", made), ("between", way)):
            if picture is not None:
                write_picture(out / f"{data.name}.{name}.png", Picture(picture))
    found = [row.public() for row in rows]
    output.answer({"rows": found, "smoothness": smooth}, lambda: table)


@reports_errors
def start(
    trained: Annotated[Path, typer.Argument(help="A folder of pictures to pretrain on.")],
    data: Annotated[
        Path, typer.Argument(help="A folder of other pictures, each trained with and without pretrained weights.")
    ],
    training: Annotated[str, typer.Option(metavar="TIME", help="Pretraining time.")] = "4m",
    budgets: Annotated[str, typer.Option(help="Seconds of training per picture, separated by commas.")] = "10,20,50",
    option: Options = None,
    out: Annotated[Path | None, typer.Option("-o", "--out", help="Also write the table here.")] = None,
    json: Json = False,
) -> None:
    """Measure whether weights pretrained on other pictures shorten the training of `vary` (docs/meta.md)."""
    from dataclasses import asdict

    from bench import generate as single
    from bench import warm_start as measure
    from underdrawing.client.key_values import options_of
    from underdrawing.train.device import choose
    from underdrawing.train.methods.consingan.recipes import VARY

    figures = VARY.with_options(options_of(option or [])).figures
    device = choose("cpu", 1)
    pictures = {place: single.read(place)[1] for place in (trained, data)}
    if not all(pictures.values()):
        raise output.wrong("Both folders must hold pictures in which nothing was pasted or edited.")
    output.note(f"the start, out of {len(pictures[trained])} pictures")
    made = measure.made_by([p.to_float() for _, p in pictures[trained]], figures, device, output.seconds(training) or 0)
    points = []
    for name, picture in pictures[data]:
        for known in (None, made):
            output.note(f"{name}, {'with' if known else 'without'} the start")
            points += measure.curve(name, picture.to_float(), figures, device, output.all_seconds(budgets), known)
            if out is not None:  # Long budgets take hours: what has been measured stays if the rest is given up.
                out.mkdir(parents=True, exist_ok=True)
                (out / f"{data.name}.start.md").write_text(measure.as_markdown(points), encoding="utf-8")
    output.answer({"points": [asdict(point) for point in points]}, lambda: measure.as_markdown(points))
