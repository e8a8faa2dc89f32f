"""Settings that belong to one registered part: checked by its own model, named at its field."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from engine.spec.errors import SpecError

Model = TypeVar("Model", bound=BaseModel)


class NoSettings(BaseModel):
    """A part without settings of its own."""

    model_config = ConfigDict(extra="forbid")


def validate_settings(
    model: type[Model], values: Mapping[str, Any], field: str, owner: str
) -> Model:
    """Fill in defaults and check the settings of a part.

    Args:
        model: the part's own model.
        values: what the experiment file gives.
        field: section of the experiment file, such as `settings`.
        owner: registered name of the part, for messages.

    Raises:
        SpecError: an unknown or wrong setting, at its field.
    """
    try:
        return model.model_validate(dict(values))
    except ValidationError as error:
        item = error.errors(include_url=False)[0]
        path = ".".join([field, *map(str, item["loc"])])
        known = ", ".join(model.model_fields) or "none"
        message = str(item["msg"]).removeprefix("Value error, ")
        raise SpecError(path, f"{message}; settings of `{owner}` are: {known}.") from None
