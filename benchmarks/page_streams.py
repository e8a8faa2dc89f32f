"""Many sessions watch one run over the wire: how late does the server tell each an update?
`python -m benchmarks.page_streams [--sessions 20] [--seconds 60] [--every 1.0]`.

As `benchmarks.page_sessions`, but the viewers are web sockets that speak Streamlit's protocol, as
browsers on other machines do, instead of browsers that share this machine's cores: each opens the
run, chooses the Training tab, and asks for the live part whenever the server told it to. The delay
is the moment at which the chart with the newest epoch has arrived, minus the event's own time.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import re
import sys
import time
from collections.abc import Sequence

import psutil
import websockets
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from benchmarks.page_sessions import (
    Result,
    Writer,
    arguments_of,
    cpu_seconds,
    delays,
    summary,
    told,
    watched_run,
)

CHART = b"training-loss"
TAB = "Training"
_LAST_EPOCH = re.compile(rb'"x": ?\[[0-9, ]*?(\d+)\]')
SETTLE_SECONDS = 5.0

Seen = list[tuple[int, float]]


class Session:
    """One viewer.

    Args:
        address: of the page's server.
        query: of the run's page, such as `run=ID`.
    """

    def __init__(self, address: str, query: str) -> None:
        self._address, self._query = address, query
        self._tab = ""
        self._live: dict[str, float] = {}
        self.seen: Seen = []

    async def watch(self, until: asyncio.Event) -> None:
        """Connect, open the tab, and take what comes until told to end."""
        target = self._address.replace("http", "ws", 1) + "/_stcore/stream"
        async with websockets.connect(
            target, subprotocols=["streamlit"], max_size=None, origin=self._address
        ) as socket:
            await socket.send(self._ask())
            timer = asyncio.create_task(self._refresh(socket))
            while not until.is_set():
                try:
                    self._take(await asyncio.wait_for(socket.recv(), 1.0))
                except TimeoutError:
                    continue
            timer.cancel()

    async def _refresh(self, socket: websockets.ClientConnection) -> None:
        while True:
            for fragment, seconds in list(self._live.items()):
                await socket.send(self._ask(fragment))
                await asyncio.sleep(seconds)
            if not self._live:
                await asyncio.sleep(0.1)

    def _ask(self, fragment: str = "") -> bytes:
        message = BackMsg()
        state = message.rerun_script
        state.query_string, state.page_name = self._query, "experiment"
        state.fragment_id, state.is_auto_rerun = fragment, bool(fragment)
        if self._tab:
            state.widget_states.widgets.add(id=self._tab, string_value=TAB)
        return message.SerializeToString()

    def _take(self, data: bytes | str) -> None:
        assert isinstance(data, bytes), "Streamlit sends binary messages"
        now, message = time.time(), ForwardMsg.FromString(data)
        kind = message.WhichOneof("type")
        if kind == "auto_rerun":
            self._live = {message.auto_rerun.fragment_id: message.auto_rerun.interval}
        elif kind == "delta":
            found = message.delta.add_block.tab_container.id
            self._tab = found or self._tab
            epochs = _LAST_EPOCH.findall(data) if CHART in data else []
            if epochs:
                self.seen.append((int(epochs[0]), now))


async def watch(address: str, query: str, given: argparse.Namespace, writer: Writer,
                page: psutil.Process) -> Result:  # fmt: skip
    """Let all sessions watch, and gather what they were told."""
    ends = asyncio.Event()
    sessions = [Session(address, query) for _ in range(given.sessions)]
    tasks = [asyncio.create_task(one.watch(ends)) for one in sessions]
    while not all(one.seen for one in sessions):
        await asyncio.sleep(0.2)
        for task in tasks:
            if task.done():
                task.result()
    writer.begin()
    await asyncio.sleep(SETTLE_SECONDS)
    start, before = time.time(), [cpu_seconds([page]), sum(psutil.Process().cpu_times()[:2])]
    await asyncio.sleep(given.seconds)
    end = time.time()
    spent = [cpu_seconds([page]) - before[0], sum(psutil.Process().cpu_times()[:2]) - before[1]]
    await asyncio.sleep(SETTLE_SECONDS)
    times = {epoch: at for epoch, at in writer.times.items() if at < end}
    ends.set()
    await asyncio.gather(*tasks)
    found = [delays(one.seen, times, start) for one in sessions]
    return summary(found, [value / (end - start) for value in spent], os.getloadavg()[0])


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print; ends with 1 where an update was later than the limit."""
    given = arguments_of(__doc__, arguments)
    with watched_run(given.every) as (address, run_id, writer, page):
        result = asyncio.run(watch(address, f"run={run_id}", given, writer, page))
    return told(result)


if __name__ == "__main__":
    sys.exit(main())
