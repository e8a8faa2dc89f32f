"""A reader of the pickle format that keeps data and runs nothing, made for files of gigabytes.

A pickle is a program. The standard library's disassembler (`pickletools.genops`, which executes
nothing) turns it into instructions one by one; this machine obeys those that put numbers, texts
and containers together, knows a handful of names for what official benchmark files contain, and
refuses everything else. No name is ever imported and nothing is ever called.

The usual reader keeps all objects until the end, since a later instruction may refer to any of
them. Here a dictionary with a given key completes a record; then what was remembered during the
record is forgotten, except short texts, which records do share. Should an instruction refer to
something forgotten, the machine notes its number in `missed`, and a second reading with these
numbers as `wanted` is exact.

Only the standard library is imported here: `nats_child` loads this file in a bare interpreter.
"""

from __future__ import annotations

import pickletools
import struct
from collections.abc import Callable
from functools import partial
from typing import Any, BinaryIO

LONGEST_KEPT = 200  # characters of a text that outlives its record


class Refused(Exception):
    """The pickle asks for something that the official files never need."""


class Name:
    """A name from a module, as an instruction gives it; never looked up anywhere."""

    def __init__(self, module: str, name: str) -> None:
        self.parts = module, name


class NumberType:
    """The code of a numpy number type, such as `f8`."""

    def __init__(self, code: object) -> None:
        self.code = code


OPAQUE = object()
"""Stands for trained weights, which no table needs."""
MISSED = object()
"""Stands for what was forgotten; only while numbers are collected for a second reading."""

_PUSHED = (
    "BININT",
    "BININT1",
    "BININT2",
    "LONG1",
    "LONG4",
    "INT",
    "LONG",
    "FLOAT",
    "BINFLOAT",
    "BINUNICODE",
    "SHORT_BINUNICODE",
    "BINUNICODE8",
    "BINSTRING",
    "SHORT_BINSTRING",
    "BINBYTES",
    "SHORT_BINBYTES",
    "BINBYTES8",
)
_CONSTANTS = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False}
_WEIGHTS = {
    ("torch._utils", "_rebuild_tensor_v2"),
    ("torch._utils", "_rebuild_parameter"),
    ("torch.storage", "_load_from_bytes"),
}
_NUMBER_FORMATS = {"f8": "<d", "f4": "<f", "i8": "<q", "i4": "<i", "b1": "<?"}


class Machine:
    """Reads one or more pickles that stand one after the other.

    Args:
        stream: where they stand.
        on_dict: called whenever entries were put into a dictionary; it may shorten it.
        record_key: a dictionary with this key completes a record; None: nothing is forgotten.
        wanted: numbers of remembered objects that must outlive their record.
    """

    def __init__(
        self,
        stream: BinaryIO,
        on_dict: Callable[[dict[Any, Any]], None] = lambda entries: None,
        record_key: str | None = None,
        wanted: frozenset[int] = frozenset(),
    ) -> None:
        self._stream = _Bare(stream)
        self._on_dict = on_dict
        self._record_key = record_key
        self._wanted = wanted
        self.missed: set[int] = set()
        self._stack: list[Any] = []
        self._push = self._stack.append
        self._start()
        self._do: dict[str, Callable[[Any], None]] = {
            name.removeprefix("_do_"): getattr(self, name)
            for name in dir(self)
            if name.startswith("_do_")
        }
        self._do |= dict.fromkeys(_PUSHED, self._push)
        self._do |= dict.fromkeys(("BINPUT", "LONG_BINPUT"), self._do_PUT)
        self._do |= dict.fromkeys(("BINGET", "LONG_BINGET"), self._do_GET)
        self._do |= dict.fromkeys(("PROTO", "FRAME"), lambda argument: None)
        self._do |= {name: partial(self._do_constant, value) for name, value in _CONSTANTS.items()}

    def load(self) -> Any:
        """Return the data of the next pickle.

        Raises:
            Refused: it asks for something else than data.
            Exception: almost any other where it is damaged.
        """
        self._start()
        for instruction, argument, _ in pickletools.genops(self._stream):  # type: ignore[arg-type]
            name = instruction.name
            if name == "STOP":
                return self._stack.pop()
            work = self._do.get(name)
            if work is None:
                raise Refused(f"the instruction {name}")
            work(argument)
        raise EOFError

    def _start(self) -> None:
        self._stack.clear()
        self._marks: list[int] = []
        self._fresh: dict[int, Any] = {}
        self._kept: dict[int, Any] = {}
        self._last = -1  # highest number under which anything was remembered

    def _do_constant(self, value: object, _: None) -> None:
        self._push(value)

    def _since_mark(self) -> list[Any]:
        mark = self._marks.pop()
        items = self._stack[mark:]
        del self._stack[mark:]
        return items

    # -- memory --------------------------------------------------------------------------
    def _do_PUT(self, number: int) -> None:
        self._fresh[number] = self._stack[-1]
        self._last = max(self._last, number)

    def _do_MEMOIZE(self, _: None) -> None:
        self._do_PUT(self._last + 1)

    def _do_GET(self, number: int) -> None:
        if number in self._fresh:
            self._push(self._fresh[number])
        elif number in self._kept:
            self._push(self._kept[number])
        elif number > self._last:
            raise ValueError("a reference to nothing")
        else:
            self.missed.add(number)
            self._push(MISSED)

    def _forget(self) -> None:
        for number, value in self._fresh.items():
            if number in self._wanted or _outlives(value):
                self._kept[number] = value
        self._fresh.clear()

    # -- containers ----------------------------------------------------------------------
    def _do_MARK(self, _: None) -> None:
        self._marks.append(len(self._stack))

    def _do_POP(self, _: None) -> None:
        self._stack.pop()

    def _do_POP_MARK(self, _: None) -> None:
        self._since_mark()

    def _do_EMPTY_LIST(self, _: None) -> None:
        self._push([])

    def _do_EMPTY_DICT(self, _: None) -> None:
        self._push({})

    def _do_EMPTY_SET(self, _: None) -> None:
        self._push(set())

    def _do_EMPTY_TUPLE(self, _: None) -> None:
        self._push(())

    def _do_LIST(self, _: None) -> None:
        self._push(self._since_mark())

    def _do_TUPLE(self, _: None) -> None:
        self._push(tuple(self._since_mark()))

    def _do_TUPLE1(self, _: None) -> None:
        self._stack[-1:] = [tuple(self._stack[-1:])]

    def _do_TUPLE2(self, _: None) -> None:
        self._stack[-2:] = [tuple(self._stack[-2:])]

    def _do_TUPLE3(self, _: None) -> None:
        self._stack[-3:] = [tuple(self._stack[-3:])]

    def _do_FROZENSET(self, _: None) -> None:
        self._push(frozenset(self._since_mark()))

    def _do_DICT(self, _: None) -> None:
        items = self._since_mark()
        self._push({})
        self._fill(items)

    def _do_APPEND(self, _: None) -> None:
        self._extend([self._stack.pop()])

    def _do_APPENDS(self, _: None) -> None:
        self._extend(self._since_mark())

    def _do_ADDITEMS(self, _: None) -> None:
        items, target = self._since_mark(), self._stack[-1]
        if type(target) is set:
            target.update(items)
        elif target is not MISSED:
            raise ValueError("items for something that is no set")

    def _do_SETITEM(self, _: None) -> None:
        pair = self._stack[-2:]
        del self._stack[-2:]
        self._fill(pair)

    def _do_SETITEMS(self, _: None) -> None:
        self._fill(self._since_mark())

    def _extend(self, items: list[Any]) -> None:
        target = self._stack[-1]
        if type(target) is list:
            target.extend(items)
        elif target is not MISSED:
            raise ValueError("items for something that is no list")

    def _fill(self, items: list[Any]) -> None:
        target = self._stack[-1]
        if type(target) is not dict:
            if target is not MISSED:
                raise ValueError("entries for something that is no dictionary")
            return
        target.update(zip(items[::2], items[1::2], strict=True))
        complete = self._record_key is not None and self._record_key in target
        # Once something was missed, this reading only collects what a second one must keep.
        if not self.missed:
            self._on_dict(target)
        if complete:
            self._forget()

    # -- names ---------------------------------------------------------------------------
    def _do_GLOBAL(self, argument: str) -> None:
        module, _, name = argument.partition(" ")
        self._push(known(module, name))

    def _do_STACK_GLOBAL(self, _: None) -> None:
        name, module = self._stack.pop(), self._stack.pop()
        self._push(known(str(module), str(name)))

    def _do_BINPERSID(self, _: None) -> None:
        self._stack[-1] = OPAQUE

    def _do_REDUCE(self, _: None) -> None:
        arguments, name = self._stack.pop(), self._stack.pop()
        if type(name) is not Name or type(arguments) is not tuple:
            raise Refused("a call of something that is no name")
        self._push(_made(name.parts, arguments))

    def _do_BUILD(self, _: None) -> None:
        state, target = self._stack.pop(), self._stack[-1]
        if type(target) is NumberType:
            if type(state) is not tuple or state[1] not in ("<", "|"):
                raise Refused("numbers in an unusual format")
        elif type(target) is not dict and target is not OPAQUE:  # a dict's: notes of torch
            raise Refused("an object with a state of its own")


class _Bare:
    """A stream without `tell`, which the disassembler would otherwise call at every step."""

    def __init__(self, stream: BinaryIO) -> None:
        self.read = stream.read
        self.readline = stream.readline


def _outlives(value: object) -> bool:
    if type(value) is str:
        # `x-valid@17` and the like are made anew for every record, by the million.
        return len(value) <= LONGEST_KEPT and "@" not in value
    return type(value) in (Name, NumberType)


def known(module: str, name: str) -> Name:
    """Return a name that official files contain.

    Raises:
        Refused: any other.
    """
    parts = module, name
    storage = module == "torch" and name.endswith("Storage")
    if parts not in _MAKERS and parts not in _WEIGHTS and not storage:
        raise Refused(f"the name {f'{module}.{name}'[:100]!r}")
    return Name(module, name)


def _made(parts: tuple[str, str], arguments: tuple[Any, ...]) -> Any:
    if parts in _WEIGHTS:
        return OPAQUE
    maker = _MAKERS.get(parts)
    if maker is None:
        raise Refused(f"a call of {parts[0]}.{parts[1]}")
    return maker(*arguments)


def _dictionary(pairs: Any = ()) -> dict[Any, Any]:
    return {key: value for key, value in pairs}


def _scalar(kind: object, data: object) -> Any:
    code = kind.code if type(kind) is NumberType else None
    if code not in _NUMBER_FORMATS or type(data) is not bytes:
        raise Refused("a numpy object that is no number")
    return struct.unpack(_NUMBER_FORMATS[str(code)], data)[0]


def _encoded(text: object, encoding: object) -> bytes:
    if type(text) is not str or encoding != "latin1":
        raise Refused("a text in an unusual encoding")
    return text.encode("latin1")


def _number_type(code: object, *flags: object) -> NumberType:
    return NumberType(code)


def _set(items: Any = ()) -> set[Any]:
    return set(items)


_MAKERS: dict[tuple[str, str], Callable[..., Any]] = {
    ("collections", "OrderedDict"): _dictionary,
    ("numpy.core.multiarray", "scalar"): _scalar,
    ("numpy._core.multiarray", "scalar"): _scalar,
    ("numpy", "dtype"): _number_type,
    ("_codecs", "encode"): _encoded,
    ("builtins", "set"): _set,
    ("__builtin__", "set"): _set,
}
