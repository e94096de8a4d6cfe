"""Requests about the engine itself: signs of life, transfers of pictures, jobs, the model library."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Any, Dict, List

from . import request_fields as checks
from .request_fields import Request

Text = Annotated[str, checks.kind(str)]
Flag = Annotated[bool, checks.kind(bool)]
Hash = Annotated[str, checks.hashed]
Whole = Annotated[int, checks.kind(int)]


@dataclass(frozen=True)
class HelloRequest(Request):
    """Who is there."""

    verb = "hello"


@dataclass(frozen=True)
class PingRequest(Request):
    """A sign of life, with the ids of the requests that the client waits for."""

    verb = "ping"
    open: Annotated[List[str], checks.kind(list)] = field(default_factory=list)


@dataclass(frozen=True)
class ByeRequest(Request):
    """The client goes."""

    verb = "bye"


@dataclass(frozen=True)
class AbandonRequest(Request):
    """Give up a request."""

    verb = "abandon"
    request: Text


@dataclass(frozen=True)
class StatusRequest(Request):
    """Processes, memory, jobs, loaded models, disk."""

    verb = "status"
    probe: Flag = False


@dataclass(frozen=True)
class MethodsRequest(Request):
    """Methods, recipes and devices."""

    verb = "methods"


@dataclass(frozen=True)
class WarmRequest(Request):
    """Start the render worker before it is needed."""

    verb = "warm"


@dataclass(frozen=True)
class UnloadRequest(Request):
    """End an unused render worker."""

    verb = "unload"


@dataclass(frozen=True)
class ClearRequest(Request):
    """Delete cached pictures that no request is using."""

    verb = "clear"


@dataclass(frozen=True)
class ShutdownRequest(Request):
    """End the engine."""

    verb = "shutdown"


# --- pictures


@dataclass(frozen=True)
class HaveRequest(Request):
    """Which pictures or files are missing."""

    verb = "have"
    hashes: Annotated[List[str], checks.kind(list)]


@dataclass(frozen=True)
class PutRequest(Request):
    """A chunk of a picture or file."""

    verb = "put"
    upload: Text
    header: Annotated[Dict[str, Any], checks.kind(dict)]
    offset: Whole


@dataclass(frozen=True)
class HeaderRequest(Request):
    """A picture's header."""

    verb = "header"
    hash: Hash


@dataclass(frozen=True)
class GetRequest(Request):
    """A chunk of a picture or file."""

    verb = "get"
    hash: Hash
    offset: Whole
    length: Whole


# --- jobs


@dataclass(frozen=True)
class JobsRequest(Request):
    """All jobs."""

    verb = "jobs"


@dataclass(frozen=True)
class JobRequest(Request):
    """A request about one job: its id, its model's id, or its name."""

    job: Text


class WatchRequest(JobRequest):
    """Follow a job until it ends or is paused."""

    verb = "watch"


class PauseRequest(JobRequest):
    """Write a checkpoint and stop until `resume`."""

    verb = "pause"


class ResumeRequest(JobRequest):
    """Continue a paused or failed job."""

    verb = "resume"


class CancelRequest(JobRequest):
    """Stop a job and forget what it did."""

    verb = "cancel"


@dataclass(frozen=True)
class BackgroundRequest(Request):
    """Whether training goes on in the background after a draft; a choice changes that."""

    verb = "background"
    training: Annotated[str, checks.one_of("", "auto", "on", "off")] = ""


# --- the library


@dataclass(frozen=True)
class ModelsRequest(Request):
    """All models."""

    verb = "models.list"


@dataclass(frozen=True)
class ModelRequest(Request):
    """A request about one model: its id, the beginning of its id, or its name."""

    model: Text


class ShowModelRequest(ModelRequest):
    """A model's manifest and more."""

    verb = "models.show"


@dataclass(frozen=True)
class ModelFileRequest(ModelRequest):
    """One of a model's files."""

    verb = "models.file"
    file: Text


@dataclass(frozen=True)
class RenameModelRequest(ModelRequest):
    """Give a model another name."""

    verb = "models.rename"
    name: Text


class DeleteModelRequest(ModelRequest):
    """Delete a model for good."""

    verb = "models.delete"


class ExportModelRequest(ModelRequest):
    """Pack a model into a portable file."""

    verb = "models.export"


@dataclass(frozen=True)
class ImportModelRequest(Request):
    """Take a portable file into the library."""

    verb = "models.import"
    hash: Hash
