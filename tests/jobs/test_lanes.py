"""The loop that lanes of a worker share."""

import asyncio
import time

from hongyan.jobs.lanes import keep_turning, rest


async def test_turns_follow_each_other_while_there_is_work_and_end_when_asked() -> None:
    stop, left, asked = asyncio.Event(), 3, 0
    loop = asyncio.get_running_loop()

    def turn() -> bool:
        nonlocal left, asked
        asked += 1
        if left == 0:
            loop.call_soon_threadsafe(stop.set)  # while it rests
            return False
        left -= 1
        return True

    await asyncio.wait_for(keep_turning(turn, stop, rest_s=60), 10)
    assert (left, asked) == (0, 4)


async def test_it_looks_again_after_a_rest() -> None:
    stop, asked = asyncio.Event(), 0
    loop = asyncio.get_running_loop()

    def turn() -> int:
        nonlocal asked
        asked += 1
        if asked == 3:
            loop.call_soon_threadsafe(stop.set)
        return 0

    await asyncio.wait_for(keep_turning(turn, stop, rest_s=0.01), 10)
    assert asked == 3


async def test_a_rest_has_an_end() -> None:
    began = time.monotonic()
    await rest(asyncio.Event(), 0.01)
    assert time.monotonic() - began >= 0.01
