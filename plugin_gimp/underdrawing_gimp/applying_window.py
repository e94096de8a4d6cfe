"""t"""
from . import applying
from .applying import Options
from .service import connected
def run(call):
    return _apply(call, Options())
def run_options(call):
    return _apply(call, Options(**call.values))
def _apply(call, options):
    with connected("Applying the edit") as service:
        made, found = applying.apply(service, call.image, options)
    return made[0], len(made), "\n".join(found[0].unseen), "\n".join(found[0].notes)
