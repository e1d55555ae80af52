"""Poster: the bare loop that presenced's deliveries are held against: aiohttp posts given bodies, one after the other.

    python -m benchmarks.deliveries.poster URL FILE

FILE is a msgpack list of bodies. Each line on stdin has it post them all once; it answers with a line when it has.
"""

import asyncio
import sys
from pathlib import Path

import aiohttp
import msgspec
import uvloop

_HEADERS = {"Content-Type": "application/json; charset=utf-8"}


async def post_all(url: str, bodies: list[bytes]) -> None:
    loop = asyncio.get_running_loop()
    async with aiohttp.ClientSession() as session:
        print("ready", flush=True)
        while await loop.run_in_executor(None, sys.stdin.readline):
            for body in bodies:
                async with session.post(url, data=body, headers=_HEADERS) as answer:
                    assert answer.status == 202
            print("done", flush=True)


if __name__ == "__main__":
    uvloop.run(post_all(sys.argv[1], msgspec.msgpack.decode(Path(sys.argv[2]).read_bytes(), type=list[bytes])))
