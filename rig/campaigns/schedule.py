"""Tasks on the cores of this machine or of a laboratory's, by Dask, such as batches: each in a process of its own.

Dask brings a task whose worker died to another. A worker has threads, so it forks nothing: it starts the process that
does (`batch`). Not responsible for what comes out.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import CancelledError
from contextlib import ExitStack
from logging import CRITICAL, getLogger
from typing import TYPE_CHECKING, TypeVar

from pydantic import BaseModel

from rig.campaigns.apart import BATCH_MODULE, performed_apart
from rig.errors import BenchFileError, RigError

if TYPE_CHECKING:
    from distributed import Client  # most commands start without it

ANY_PORT = "127.0.0.1:0"
"""Where Dask may show what it does: the port that it takes unasked is taken while another campaign runs."""
WORKER_WITHIN_S = 10.0
"""A laboratory's scheduler must have a worker within this; without one it would be waited for, for ever."""
LOGS = ("distributed", "distributed.client", "tornado.application")
"""To these loggers Dask writes tracebacks of its own about what is raised here as well."""
RETRIES = 3
"""So often a batch begins again whose process was ended from outside."""
MISSING = "work side by side needs dask.distributed, which is not installed: pip install 'insulin-pump-rig[campaign]'"


AnyTask = TypeVar("AnyTask", bound=BaseModel)


class Crew:
    """Workers that perform tasks side by side; they are called when there is something to do, and dismissed at the end.

    Args:
        workers: processes of a cluster on this machine.
        scheduler: the address of a laboratory's, such as "tcp://10.0.0.5:8786", in place of that.
        module: what each task's process runs.
        noun: what a task is called in a sentence.
        lost: what becomes of the work when the scheduler is lost.
    """

    def __init__(
        self,
        workers: int,
        scheduler: str | None,
        *,
        module: str = BATCH_MODULE,
        noun: str = "a batch",
        lost: str = "what has come back is kept, go on with --resume",
    ) -> None:
        self._workers, self._scheduler = workers, scheduler
        self._module, self._noun, self._lost = module, noun, lost
        self._stack = ExitStack()
        self._client: Client | None = None

    def __enter__(self) -> Crew:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def perform(self, tasks: Sequence[AnyTask], done: Callable[[AnyTask, list[str]], None]) -> None:
        """Perform tasks, and hand over each with the lines that came of it as it ends.

        Raises:
            BenchFileError: no scheduler answers.
            RigError: dask.distributed is not installed, the scheduler has no worker or was lost, or a task broke off.
        """
        if not tasks:
            return
        client = self._called()
        from distributed import as_completed

        futures = {
            client.submit(
                performed_apart, task.model_dump_json(), self._module, self._noun, pure=False, retries=RETRIES
            ): task
            for task in tasks
        }
        for future in as_completed(futures):
            try:
                lines = str(future.result()).splitlines()
            except RigError:
                raise
            except CancelledError as error:
                raise RigError(
                    f"the Dask scheduler {self._scheduler or 'on this machine'} was lost; {self._lost}"
                ) from error
            except Exception as error:
                raise RigError(f"{self._noun} broke off again and again: {error}") from error
            done(futures[future], lines)

    @property
    def size(self) -> int:
        """How many workers there are; 0 before anything was performed."""
        return 0 if self._client is None else len(self._client.nthreads())

    def _called(self) -> Client:
        if self._client is not None:
            return self._client
        try:
            from distributed import Client, LocalCluster
        except ImportError as missing:
            raise RigError(MISSING) from missing
        address: object = self._scheduler
        if self._scheduler is None:
            address = self._stack.enter_context(
                LocalCluster(
                    n_workers=self._workers, threads_per_worker=1, dashboard_address=ANY_PORT, silence_logs=CRITICAL
                )
            )
        try:
            self._client = self._stack.enter_context(Client(address, timeout="10s"))
        except (OSError, ValueError) as error:
            raise BenchFileError(
                f"--scheduler: no Dask scheduler answers at {self._scheduler} ({error}); allowed is an address such "
                "as tcp://10.0.0.5:8786"
            ) from error
        for name in LOGS:  # what is lost is told once, in a sentence
            getLogger(name).setLevel(CRITICAL)
        try:
            self._client.wait_for_workers(1, timeout=WORKER_WITHIN_S)
        except TimeoutError as error:
            raise RigError(
                f"--scheduler: {self._scheduler} has no worker; start one with: dask worker {self._scheduler}"
            ) from error
        return self._client
