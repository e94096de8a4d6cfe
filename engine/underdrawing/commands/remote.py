"""`underdrawing engine key|allow|forbid|connect|disconnect`: keys, and engines on other machines."""

from __future__ import annotations

import json as text
import re
from typing import Annotated

import typer

from underdrawing.commands import output
from underdrawing.commands.output import Json, reports_errors

key = typer.Typer(no_args_is_help=True, help="The keys that engine and clients know each other by.")
NAME = re.compile(r"[\w .-]{1,60}\Z")


def register(app: typer.Typer) -> None:
    """Hang these commands under `underdrawing engine`."""
    app.add_typer(key, name="key")
    for command in (allow, forbid, connect, disconnect):
        app.command()(command)


@key.command("show")
@reports_errors
def show_keys(json: Json = False) -> None:
    """The public keys: of this machine's programs, of its engine, and of others that may come in."""
    from underdrawing.client import keys
    from underdrawing.client.endpoint import home, make_home, remote

    folder = make_home(home()) / "keys"
    own, engine = (keys.as_text(keys.load_pair(folder, name, create=True)[0]) for name in ("client", "engine"))
    named = {name: keys.as_text(found) for name, found in keys.named(folder).items()}
    elsewhere = remote(home())
    body = {"client": own, "engine": engine, "allowed": named, "remote": elsewhere.endpoint if elsewhere else None}
    lines = [f"this machine's programs  {own}", f"this machine's engine    {engine}"]
    lines += [f"may come in: {name}  {found}" for name, found in named.items()]
    lines += [f"The engine that is used: {elsewhere.endpoint}"] if elsewhere else []
    output.answer(body, "\n".join(lines))


@key.command()
@reports_errors
def rotate(json: Json = False) -> None:
    """Make new keys; whoever had the old ones is locked out. A running engine is restarted."""
    from underdrawing.client import keys
    from underdrawing.client.endpoint import home, make_home, remote
    from underdrawing.client.messages import EngineError

    folder = make_home(home())
    if remote(folder) is not None:  # whoever is asked to end then is not the engine whose keys are here
        text = "This machine uses an engine elsewhere, so its keys stay."
        raise EngineError("elsewhere", text, "First: underdrawing engine disconnect")
    engine = output.running()
    if engine is not None:
        with engine:
            engine.shutdown()
            if not engine.wait_for_end(30.0):
                raise EngineError("busy", "The engine does not end, so its keys stay.", "Try again in a moment.")
    keys.rotate(folder / "keys")
    if engine is not None:
        with output.engine() as again:
            again.hello()
    output.answer(
        {"rotated": True, "restarted": engine is not None},
        "New keys are made. Give the new one to the machines that use this engine: underdrawing engine key show",
    )


@reports_errors
def allow(
    public: Annotated[str, typer.Argument(metavar="KEY", help="The other machine's key (64 hexadecimal digits).")],
    name: Annotated[str, typer.Option(help="What to call that machine.")] = "another machine",
    json: Json = False,
) -> None:
    """Let another machine's programs use this engine (it must run with --listen). They may do all that you may."""
    from underdrawing.client import keys
    from underdrawing.client.endpoint import home, make_home

    folder = make_home(home()) / "keys"
    found = keys.from_text(public)
    keys.allow(folder, found, _name(name))
    engine = keys.as_text(keys.load_pair(folder, "engine", create=True)[0])
    output.answer(
        {"allowed": name, "engine": engine},
        f"{name} may come in. There: underdrawing engine connect ADDRESS:PORT {engine}",
    )


@reports_errors
def forbid(
    name: Annotated[str, typer.Argument(help="What the machine was called.")],
    json: Json = False,
) -> None:
    """Let a machine in no more. Connections that are open end when the engine is restarted."""
    from underdrawing.client.endpoint import home
    from underdrawing.client.messages import EngineError

    path = home() / "keys" / "allowed" / f"{_name(name)}.key"
    if not path.is_file():
        raise EngineError("unknown_key", f"No machine is called {name!r}.", "List them: underdrawing engine key show")
    path.unlink()
    output.answer({"forbidden": name}, f"{name} may come in no more.")


@reports_errors
def connect(
    place: Annotated[str, typer.Argument(metavar="ADDRESS:PORT", help="Where the other engine listens.")],
    public: Annotated[str, typer.Argument(metavar="KEY", help="That engine's key (64 hexadecimal digits).")],
    json: Json = False,
) -> None:
    """Use an engine on another machine from now on, in GIMP and Krita, too."""
    from underdrawing.client import endpoint, keys
    from underdrawing.client.messages import EngineError

    folder = endpoint.make_home(endpoint.home())
    keys.load_pair(folder / "keys", "client", create=True)
    told = {"endpoint": f"tcp://{place}", "public_key": keys.from_text(public).decode("ascii")}
    if not endpoint.ENDPOINT.match(told["endpoint"]):
        raise EngineError("bad_address", f"{place!r} is no address with a port.", "For example: 192.168.1.20:5577")
    endpoint.write_private(folder / endpoint.REMOTE, text.dumps(told) + "\n")
    with output.engine() as engine:
        body = engine.hello()
    output.answer({"connected": place, **body}, f"The engine on {place} answers (version {body['version']}).")


@reports_errors
def disconnect(json: Json = False) -> None:
    """Use an engine on this machine again."""
    from underdrawing.client import endpoint

    (endpoint.home() / endpoint.REMOTE).unlink(missing_ok=True)
    output.answer({"connected": None}, "An engine on this machine is used again.")


def _name(name: str) -> str:
    """A machine's name, which becomes the name of a file."""
    from underdrawing.client.messages import EngineError

    if not NAME.match(name) or name.startswith("."):
        text = "A machine's name has up to 60 letters, digits, spaces, dots and dashes."
        raise EngineError("bad_name", text, "Choose another name.")
    return name
