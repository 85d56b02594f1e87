"""Which jobs an application knows: those of its features, and one a delivery after a commit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter, ValidationError

from mainstay.core.events import EventHub, delivery_job
from mainstay.core.jobs import Job, PermanentJobError
from mainstay.core.registry import AssemblyError, Registry
from mainstay.features.jobs.models import MAX_NAME

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from mainstay.core.events import Event, Subscriber
    from mainstay.core.jobs import JobRun
    from mainstay.core.ports import Ports


class UnknownJobError(LookupError):
    """No enabled feature declares a job of this name."""


class JobKinds:
    """The known jobs by name.

    Raises:
        AssemblyError: two have the same name, or a name is too long.
    """

    def __init__(self, jobs: Iterable[Job]) -> None:
        self._jobs: dict[str, Job] = {}
        for job in jobs:
            if job.name in self._jobs:
                msg = f'Two jobs or subscribers are called "{job.name}". Rename one of them.'
                raise AssemblyError(msg)
            if len(job.name) > MAX_NAME:
                msg = f'The name of the job "{job.name}" is longer than {MAX_NAME} characters.'
                raise AssemblyError(msg)
            self._jobs[job.name] = job

    @classmethod
    def of(cls, ports: Ports) -> JobKinds:
        """Collect the jobs of an application's features."""
        return cls(_declared(ports[Registry], ports[EventHub]))

    @property
    def names(self) -> tuple[str, ...]:
        """The names, in the order of the features."""
        return tuple(self._jobs)

    @property
    def periodic(self) -> tuple[Job, ...]:
        """The jobs that run again and again."""
        return tuple(job for job in self._jobs.values() if job.every is not None)

    def find(self, name: str) -> Job | None:
        """Give the job, or None for an unknown one."""
        return self._jobs.get(name)

    def __getitem__(self, name: str) -> Job:
        """Give the job.

        Raises:
            UnknownJobError: there is none of this name.
        """
        job = self._jobs.get(name)
        if job is None:
            msg = f'No enabled feature declares the job "{name}".'
            raise UnknownJobError(msg)
        return job


def _declared(registry: Registry, hub: EventHub) -> Iterator[Job]:
    for feature in registry.features:
        yield from feature.jobs
        for subscriber in feature.subscribers:
            if subscriber.after_commit:
                yield _delivery(subscriber, hub)


def _delivery(subscriber: Subscriber, hub: EventHub) -> Job:
    async def deliver(payload: dict[str, Any], run: JobRun) -> None:
        await subscriber.handler(rebuild(payload, hub), run.session, run.ports)

    return Job(name=delivery_job(subscriber), handler=deliver)


def rebuild(payload: dict[str, Any], hub: EventHub) -> Event:
    """Make the event again from what ``core.events.dump`` gave.

    Raises:
        PermanentJobError: the event is unknown, or has changed its form since.
    """
    name = str(payload.get("event"))
    kind = hub.event_class(name)
    if kind is None:
        msg = f'The event "{name}" is not known any more.'
        raise PermanentJobError(msg)
    try:
        return TypeAdapter(kind).validate_python(payload.get("values"))
    except ValidationError as error:
        wrong = ", ".join(sorted({str(part) for e in error.errors() for part in e["loc"][:1]}))
        msg = f'The event "{name}" was written in another form: {wrong or "all of it"}.'
        raise PermanentJobError(msg) from None
