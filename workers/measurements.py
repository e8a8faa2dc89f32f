"""Measurements of time and memory on a worker: what is asked, and what came of it.

Request and answer live in the store under keys with a lifetime, so that nothing has to be tidied
up whoever is killed. Whatever is read back is checked like anything else from outside.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import Any, Literal

from redis import Redis

from engine.measured import Estimate
from engine.spec.errors import SpecError, StoreError
from engine.spec.experiment import ExperimentSpec
from engine.spec.files import MAX_BYTES, build
from workers.identity import Owner
from workers.keys import Keys, is_measurement

LIFETIME = 3600  # seconds that request and answer are kept
SILENT_SECONDS = 600.0  # after which a measurement on another machine is given up

GONE = "The store no longer knows this measurement; measure again."
VANISHED = "The worker that measured this is gone; measure again."

MeasurementState = Literal["waiting", "running", "done", "failed"]


@dataclass(frozen=True)
class Measurement:
    """How far a measurement is.

    Attributes:
        state: waiting for a free worker, running, done or failed.
        estimate: what was measured, once it is done.
        worker: name of the worker that measures or has measured.
        message: what is being done, or why it failed.
    """

    state: MeasurementState
    estimate: Estimate | None = None
    worker: str = ""
    message: str = ""


def ask(connection: Redis, keys: Keys, measurement_id: str, spec: ExperimentSpec) -> None:
    """Leave the request for a worker; raises `RedisError` when the store does not answer."""
    text = json.dumps(spec.model_dump(mode="json"))
    connection.set(keys.measure_request(measurement_id), text, ex=LIFETIME)


def requested(connection: Redis, keys: Keys, measurement_id: str) -> ExperimentSpec:
    """Return the experiment that is to be measured.

    Raises:
        StoreError: there is no such request, or it is damaged.
        SpecError: it is not a valid experiment.
        RedisError: the store does not answer.
    """
    key = keys.measure_request(measurement_id)
    if int(connection.strlen(key)) > MAX_BYTES:
        raise StoreError("The request of a measurement is too long to be an experiment.")
    found: Any = connection.get(key)
    if found is None:
        raise StoreError(GONE)
    try:
        value = json.loads(found)
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise StoreError("The request of a measurement is damaged; measure again.")
    return build(value)


def tell(
    connection: Redis,
    keys: Keys,
    measurement_id: str,
    state: MeasurementState,
    *,
    worker: str,
    owner: str = "",
    message: str = "",
    estimate: Estimate | None = None,
) -> None:
    """Write down how far a measurement is; raises `RedisError` without a store."""
    answer = {
        "state": state,
        "worker": worker,
        "owner": owner,
        "message": message,
        "estimate": None if estimate is None else estimate.to_json(),
        "at": time.time(),
    }
    text = json.dumps(answer, allow_nan=False)
    connection.set(keys.measure_answer(measurement_id), text, ex=LIFETIME)


def read(connection: Redis, keys: Keys, measurement_id: str) -> Measurement:
    """Return how far a measurement is; raises `RedisError` when the store does not answer."""
    with connection.pipeline() as pipeline:
        pipeline.get(keys.measure_answer(measurement_id))
        pipeline.exists(keys.measure_request(measurement_id))
        found, asked = pipeline.execute()
    if found is None:
        return Measurement("waiting") if asked else Measurement("failed", message=GONE)
    try:
        return _measurement(json.loads(found))
    except (ValueError, TypeError, KeyError, StoreError):
        message = "The answer of this measurement is damaged; measure again."
        return Measurement("failed", message=message)


def _measurement(answer: dict[str, Any]) -> Measurement:
    worker, message = str(answer["worker"]), str(answer["message"])
    match answer["state"]:
        case "running":
            if _lost(str(answer["owner"]), float(answer["at"])):
                return Measurement("failed", worker=worker, message=VANISHED)
            return Measurement("running", worker=worker, message=message)
        case "done":
            return Measurement("done", Estimate.from_json(answer["estimate"]), worker, message)
        case "failed":
            return Measurement("failed", worker=worker, message=message)
    raise ValueError("no such state")


def _lost(owner: str, at: float) -> bool:
    process = Owner.parse(owner)
    alive = process.alive() if process else None
    if alive is None:
        return time.time() - at > SILENT_SECONDS
    return not alive


def fail_unanswered(connection: Redis, keys: Keys, measurement_id: str, message: str) -> None:
    """Mark a measurement failed whose process ended without an answer of its own."""
    found: Any = connection.get(keys.measure_answer(measurement_id))
    try:
        state = json.loads(found)["state"]
    except (TypeError, ValueError, KeyError):
        state = ""
    if state not in ("done", "failed") and connection.exists(keys.measure_request(measurement_id)):
        tell(connection, keys, measurement_id, "failed", worker="", message=message)


def forget(connection: Redis, keys: Keys, measurement_id: str) -> None:
    """Take request and answer out of the store."""
    connection.delete(keys.measure_request(measurement_id), keys.measure_answer(measurement_id))


def require_id(measurement_id: str) -> None:
    """Raise `SpecError` unless this is an id of a measurement."""
    if not is_measurement(measurement_id):
        raise SpecError("", f"`{measurement_id:.60}` is not an id of a measurement.")
