"""What waits for the server, as coroutines: a blocking call done in a thread while the event loop goes on.

A test that is itself the webhook must not block its loop: `advance` returns when subscribers have been told, and the
subscriber could not answer. Threads, because a server that lives through many tests sees many event loops; a client
made for one of them could not be used in the next.
"""

import functools
from collections.abc import Callable, Coroutine
from typing import Any, ParamSpec, TypeVar

import anyio.to_thread

P = ParamSpec("P")
T = TypeVar("T")


def awaited(function: Callable[P, T]) -> Callable[P, Coroutine[Any, Any, T]]:
    """The same function, to be awaited, under asyncio or trio."""

    @functools.wraps(function)
    async def coroutine(*arguments: P.args, **named: P.kwargs) -> T:
        call = functools.partial(function, *arguments, **named)
        return await anyio.to_thread.run_sync(call, abandon_on_cancel=True)

    return coroutine
