"""`python3 installer …`: makes the environment, and whatever else a copy of Underdrawing needs on this machine.

Starts with Python 3.9 or newer and the standard library alone. Python runs this folder without a package: the files in
it are imported by their own names (ud_…), never relatively.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import ud_doctor
import ud_engine_register
import ud_host_install
import ud_host_probe
import ud_lock
import ud_package
import ud_profiles
import ud_remove
import ud_test
import ud_update
import ud_wizard
from ud_env import Environment
from ud_hardware import ROOT, folder_megabytes
from ud_hosts import HOSTS
from ud_pip import Pip, Where
from ud_plugins import digest, installed
from ud_report import InstallError, Reporter, plain_output

EPILOGUE = """examples:
  python3 installer demo        install, and edit bundled pictures
  python3 installer engine      install (or go on with an interrupted installation)
  python3 installer gimp        the same, and put the plug-in into your GIMP 3
  python3 installer krita       the same, and put the docker into your Krita
  python3 installer test        run the tests
  python3 installer update      after a new release: bring everything to it, or go back
  python3 installer doctor      what works here, and what does not
  python3 installer remove      take the environment away again"""


def _common(default: str | None) -> argparse.ArgumentParser:
    """The options of every command. default: argparse.SUPPRESS, or None."""
    common = argparse.ArgumentParser(add_help=False, argument_default=default)
    common.add_argument("--venv", type=Path, metavar="DIR", help="the environment's folder (default: .venv)")
    kind = common.add_mutually_exclusive_group()
    kind.add_argument("--cpu", dest="kind", action="store_const", const="cpu", help="without CUDA, whatever is here")
    kind.add_argument("--cuda", dest="kind", action="store_const", const="cuda", help="with CUDA, whatever is here")
    common.add_argument("--offline", type=Path, metavar="DIR", help="take every file from this folder")
    common.add_argument("--mirror", metavar="URL", help="a package index in place of the configured one")
    common.add_argument("--torch-index", metavar="URL", help="a package index for torch alone")
    common.add_argument("--yes", action="store_true", default=default or False, help="ask nothing")
    return common


def _service(default: str | None) -> argparse.ArgumentParser:
    """The option of the commands that install the engine. default: as above."""
    parser = argparse.ArgumentParser(add_help=False, argument_default=default)
    parser.add_argument(
        "--service",
        action=argparse.BooleanOptionalAction,
        help="let the engine run as a service of yours, or no more (a GIMP or Krita in a sandbox needs one)",
    )
    return parser


def arguments() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="python3 installer",
        parents=[_common(None), _service(None)],
        description="Without a command: shows what is here and what it would do, asks, and does it.",
        epilog=EPILOGUE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    # What stands before the command must not be overwritten by what does not stand after it.
    common, service = _common(argparse.SUPPRESS), _service(argparse.SUPPRESS)
    verbs = parser.add_subparsers(dest="verb", metavar="COMMAND")
    verbs.add_parser("engine", parents=[common, service], help="install the engine")
    demo = verbs.add_parser("demo", parents=[common, service], help="install, and edit bundled pictures")
    demo.add_argument("--out", type=Path, default=ROOT / "demo", help="where the demo's pictures go (default: demo)")
    for host, spec in HOSTS.items():
        plugin = verbs.add_parser(
            host, parents=[common, service], help=f"install, and put the plug-in into {spec.title}"
        )
        plugin.add_argument("--to", type=Path, metavar="DIR", help=f"{spec.name}'s folder of plug-ins (default: found)")
        plugin.add_argument("--program", type=Path, metavar="FILE", help=f"the {spec.console} (default: found)")
    test = verbs.add_parser("test", parents=[common], help="run the tests (what follows -- goes to pytest)")
    test.add_argument("--only", choices=ud_test.SUITES, help="one suite alone")
    test.add_argument(
        "--quick", nargs="?", const="", metavar="FOLDER", help="the linters and a minute of one folder's tests"
    )
    test.add_argument("--long", action="store_true", help="the tests that take minutes, too")
    test.add_argument("--without-hosts", action="store_true", help="without those that need GIMP or Krita")
    doctor = verbs.add_parser("doctor", parents=[common], help="check everything and show what to do")
    doctor.add_argument("--report", type=Path, metavar="FILE", help="also write it to a file that others may see")
    verbs.add_parser("update", parents=[common], help="bring environment and plug-ins to this copy's release")
    remove = verbs.add_parser("remove", parents=[common], help="take away what was installed")
    remove.add_argument("--models", action="store_true", help="your models and the weights, too")
    package = verbs.add_parser("package", parents=[common], help="the plug-ins as archives, and the wheel with both")
    package.add_argument("--to", type=Path, default=ROOT / "dist", metavar="DIR", help="where they go (default: dist)")
    lock = verbs.add_parser("lock", parents=[common], help="make the lock files anew (maintainers)")
    lock.add_argument("--upgrade", action="store_true", help="move to the newest versions")
    return parser


def where_from(options: argparse.Namespace) -> Where:
    """Where packages come from, by the command line."""
    if options.offline is not None and not options.offline.is_dir():
        raise InstallError(f"There is no folder {options.offline}.", "Give --offline a folder with the files.")
    offline = options.offline.resolve() if options.offline else None
    return Where(offline, options.mirror, options.torch_index)


def engine(environment: Environment, options: argparse.Namespace, report: Reporter, tests: bool = False) -> None:
    """Make the environment, the weights included, and note for the clients where the engine's Python is."""
    before = environment.state().get("verified")
    kind = environment.ensure(options.kind, tests)
    if options.kind and environment.ours():
        environment.record(asked=True)
    if before != environment.state().get("verified") or not environment.ours():
        report.say(f"Ready: {environment.folder} ({kind}, {folder_megabytes(environment.folder)} MB)")


def install(environment: Environment, options: argparse.Namespace, report: Reporter) -> int:
    """The verb `engine`."""
    engine(environment, options, report)
    ud_engine_register.register(environment)
    weights(environment, report)
    ud_engine_register.serve(environment, getattr(options, "service", None), report)
    return 0


def weights(environment: Environment, report: Reporter) -> None:
    """Fetch the default weights; without them Underdrawing works, less well, which a warning explains."""
    report.step("Pretrained weights (123 MB, fetched once)")
    why = environment.fetch_weights().why
    if why:
        report.warn(f"{why}.")
        report.warn("Without them, areas follow colours alone, training is softer. Later: underdrawing weights fetch")


def demo(environment: Environment, options: argparse.Namespace, report: Reporter) -> int:
    """The verb `demo`."""
    install(environment, options, report)
    return environment.run(["-P", "-m", "underdrawing", "demo", "--out", str(options.out)])


def plugin(environment: Environment, options: argparse.Namespace, report: Reporter) -> int:
    """The verbs `gimp` and `krita`."""
    install(environment, options, report)
    home = environment.home()
    pip = Pip(environment.python, report, environment.where)
    code = ud_host_install.install(
        options.verb, report, to=options.to, named=options.program, engine_home=home, pip=pip
    )
    if options.to is None:
        ud_host_install.about_flatpaks([options.verb], environment, options.service, report)
    return code


def test(environment: Environment, options: argparse.Namespace, report: Reporter, more: list[str]) -> int:
    """The verb `test`."""
    engine(environment, options, report, tests=True)
    if options.quick is not None:
        return ud_test.quick(environment, report, options.quick, more)
    return ud_test.test(
        environment,
        report,
        only=options.only,
        long=options.long,
        without_hosts=options.without_hosts,
        more=more,
    )


def update(environment: Environment, options: argparse.Namespace, report: Reporter) -> int:
    """The verb `update`: the environment first, as the plug-ins need an engine that speaks with them."""
    changed = ud_update.renew(environment, options.kind, report)
    home = environment.home()
    if home is not None and ud_engine_register.registered(home):
        # An engine of the former release would go on serving until the machine is switched off.
        ud_engine_register.end_engine(environment)
    ud_engine_register.register(environment)
    ud_engine_register.serve(environment, None, report, afresh=True)
    for host in HOSTS:
        folders = ud_profiles.with_plugin(host, Path.home())
        if folders:
            changed |= any((installed(host, folder) or {}).get("digest") != digest(host) for folder in folders)
            ud_profiles.put(host, report, folders=folders)
            ud_host_probe.still_open(host, report)
    report.say("Everything is up to date." if not changed else "Updated.")
    return 0


def everything(environment: Environment, options: argparse.Namespace, report: Reporter) -> int:
    """No verb: what is here is shown, and what would be done; after a yes, it is done."""
    made = ud_wizard.plan(environment, options.kind, Path.home())
    ud_wizard.show(made, report)
    if not options.yes and not ud_wizard.agreed("Go on?", report, default=True):
        report.say("Nothing was done.   python3 installer --help   lists the single commands.")
        return 1
    install(environment, options, report)
    failed = False
    pip = Pip(environment.python, report, environment.where)
    for host in made.hosts:
        try:
            failed |= ud_host_install.install(host, report, engine_home=environment.home(), pip=pip) != 0
        except InstallError as error:
            # The other one is served all the same.
            report.fail(error)
            failed = True
    ud_host_install.about_flatpaks(made.hosts, environment, options.service, report)
    if not made.hosts:
        report.say("Neither GIMP 3 nor Krita is here yet: install one, and run this again. Until then there is")
        report.say("the command line:")
    report.say(
        "A first look:   python3 installer demo   (two bundled pictures, and where to click; a quarter of a minute)"
    )
    return 1 if failed else 0


def main(words: list[str]) -> int:
    """Run one command; its exit code."""
    plain_output()
    more: list[str] = []
    if "--" in words:
        more = words[words.index("--") + 1 :]
        words = words[: words.index("--")]
    parser = arguments()
    options = parser.parse_args(words)
    report = Reporter()
    try:
        report.open_log(ROOT / ".cache" / "installer" / f"{options.verb or 'everything'}.log")
    except OSError as error:
        report.fail(
            InstallError(f"{ROOT} cannot be written ({error.strerror}).", "Use a copy in a folder of your own.")
        )
        return 1
    environment = Environment((options.venv or ROOT / ".venv").absolute(), report)
    try:
        environment.where = where_from(options)
        if options.verb != "lock":
            ud_update.settle(environment, report)
        if options.verb is None:
            return everything(environment, options, report)
        if options.verb == "test":
            return test(environment, options, report, more)
        if options.verb == "doctor":
            return ud_doctor.doctor(environment, report, options.report)
        if options.verb == "package":
            engine(environment, options, report)
            ud_package.package(environment, options.to.absolute(), report)
            return 0
        if options.verb == "lock":
            ud_lock.lock(report, environment.python, options.upgrade)
            return 0
        verbs = {
            "engine": install,
            "demo": demo,
            "remove": ud_remove.remove,
            "gimp": plugin,
            "krita": plugin,
            "update": update,
        }
        return verbs[options.verb](environment, options, report)
    except InstallError as error:
        report.fail(error)
        return 1
    except KeyboardInterrupt:
        report.fail(InstallError("Stopped.", "Run the same command again: it goes on where this one stopped."))
        return 130
    except OSError as error:
        place = f" ({error.filename})" if error.filename else ""
        report.fail(InstallError(f"{error.strerror or error}{place}.", "Is the disk full, or the folder read-only?"))
        return 1
