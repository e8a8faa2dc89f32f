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
import json
import os
import re
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import psutil
import websockets
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from benchmarks.page_sessions import Result, Writer, cpu_seconds, delays, served, summary
from engine.events import Events
from engine.runs import FolderSink, create_run
from engine.spec.experiment import ExperimentSpec
from workers.identity import new_owner
from workers.keys import Keys
from workers.server import EmbeddedStore
from workers.settings import Settings
from workers.store import connect
from workers.stream import RedisSink

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
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sessions", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--every", type=float, default=1.0, help="seconds between two updates")
    given = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as name:
        settings = Settings(data=Path(name, "data"), runs=Path(name, "runs"))
        store = EmbeddedStore(settings)
        url = store.start().url
        try:
            folder, owner = create_run(settings.runs, ExperimentSpec(name="Watched")), new_owner()
            folder.change_state("running", owner=str(owner))
            live = RedisSink(connect(url), Keys(settings.prefix), folder.run_id, str(owner))
            writer = Writer(folder, Events([FolderSink(folder), live]), given.every, str(owner))
            with writer, served(settings) as (address, page):
                result = asyncio.run(watch(address, f"run={folder.run_id}", given, writer, page))
        finally:
            store.stop()
    print(json.dumps(asdict(result), indent=1))
    return 0 if result.late == 0 else 1


if __name__ == "__main__":
    sys.exit(main())
