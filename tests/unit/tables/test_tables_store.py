"""Imported tables on disk: what is written comes back, and nothing else is accepted."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from table_cases import CELLS, benchmark, write_bz2

from engine.core.architecture import Architecture
from engine.spaces import get_space
from engine.spec.errors import TableError
from engine.tables.arrays import Finder, Texts, digest
from engine.tables.builder import TableBuilder
from engine.tables.columns import Column
from engine.tables.header import Origin, read_header
from engine.tables.importing import KINDS, SpaceChoice, default_name, import_table
from engine.tables.lookup import CsvLookup, TableLookup, check_source, open_lookup
from engine.tables.store import Table, imported, open_table, save
from engine.tables.table_stats import table_stats

NB201, SIZE = get_space("nb201"), get_space("nats_size")
ORIGIN = Origin("nats_size", {}, "csv", "x.csv", "0" * 64)
SIZES = st.tuples(*[st.integers(0, 7)] * 5).map(lambda i: Architecture("nats_size", i))
VALID, TIME = Column.of("valid", "percent", "cifar10", 12), Column.of("time", "seconds")


@settings(max_examples=30, deadline=None)
@given(
    rows=st.dictionaries(
        SIZES,
        st.lists(
            st.fixed_dictionaries(
                {VALID: st.floats(0, 100)}, optional={TIME: st.floats(-1e6, 1e6)}
            ),
            min_size=1,
            max_size=3,
        ),
        min_size=1,
        max_size=12,
    )
)
def test_what_is_saved_comes_back(
    rows: dict[Architecture, list[dict[Column, float]]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    home = tmp_path_factory.mktemp("home")
    builder = TableBuilder("x.csv")
    for architecture, trainings in rows.items():
        for numbers in trainings:
            builder.add(SIZE.to_text(architecture), numbers)
    save(home, "sizes", builder.finish(SIZE), ORIGIN)
    table = open_table(home, "sizes")
    assert len(table) == len(rows)
    for row, (architecture, trainings) in enumerate(rows.items()):
        assert table.find(SIZE, architecture) == row
        assert table.texts[row] == SIZE.to_text(architecture)
        mean = float(np.mean([numbers[VALID] for numbers in trainings]))
        assert table.values("cifar10/valid@12")[row] == pytest.approx(mean, abs=1e-6)
        times = [numbers[TIME] for numbers in trainings if TIME in numbers]
        if times:
            assert table.values("time")[row] == pytest.approx(float(np.mean(times)))
        elif any(TIME in one for some in rows.values() for one in some):
            assert np.isnan(table.values("time")[row])
    assert table.header.columns[-1].most <= 3
    assert read_header(table.folder) == table.header


def test_one_architecture_under_two_names_is_refused() -> None:
    builder = TableBuilder("x.csv")
    builder.add("8:8:8:8:8", {VALID: 50.0})
    builder.add(" 8:8:8:8:8", {VALID: 60.0})
    with pytest.raises(TableError, match="x.csv has the architecture 8:8:8:8:8 twice"):
        builder.finish(SIZE)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.text(max_size=20)), st.text(max_size=20))
def test_texts_are_found(texts: list[str], other: str) -> None:
    coded = [text.encode() for text in texts]
    ends = np.cumsum([len(one) for one in coded], dtype=np.int64)
    packed = Texts(np.frombuffer(b"".join(coded), np.uint8), ends)
    finder = Finder.of([digest(text) for text in texts])
    assert [packed[row] for row in range(len(packed))] == texts
    for text in [*texts, other]:
        found = finder.first(text, lambda row, text=text: packed[row] == text)
        assert found == (texts.index(text) if text in texts else None)


def test_equal_digests_are_told_apart() -> None:
    finder = Finder.of([7, digest("a"), digest("a"), 9])
    assert finder.first("a", lambda row: row == 2) == 2
    assert finder.first("a", lambda row: False) is None


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Return a data folder with the table `small`: the first and the third of CELLS."""
    path = write_bz2(tmp_path / "small.pickle.pbz2", benchmark((CELLS[0], CELLS[2])))
    import_table("nats_tss", path, tmp_path / "home")
    return tmp_path / "home"


def test_equal_networks_answer_for_each_other(home: Path) -> None:
    first, same, other = map(NB201.parse, CELLS)
    assert NB201.canonical(first) == NB201.canonical(same) != NB201.canonical(other)
    table = open_table(home, "small")
    assert [table.find(NB201, one) for one in (first, same, other)] == [0, 0, 1]
    assert table.find(NB201, Architecture("nb201", (0,) * 6)) is None


# -- names and damage ---------------------------------------------------------------------------
def test_names(home: Path, tmp_path: Path) -> None:
    path = tmp_path / "small.pickle.pbz2"
    assert imported(home) == ["small"]
    with pytest.raises(TableError, match="There is a table `small` already"):
        import_table("nats_tss", path, home)
    for name in ("", ".x", "a/b", "x.csv", "ä", "x" * 81):
        with pytest.raises(TableError, match="--name: a table's name has"):
            import_table("nats_tss", path, home, name)
    import_table("nats_tss", path, home, "second_1")
    assert imported(home) == ["second_1", "small"]
    assert default_name(Path("a/NATS-tss-v1_0-3ffb9-full.pickle.pbz2")) == (
        "NATS-tss-v1_0-3ffb9-full"
    )
    assert default_name(Path("my table.csv.gz")) == "my-table"
    with pytest.raises(TableError, match="no imported table `none`; there are: second_1, small"):
        open_table(home, "none")


def test_nothing_is_half_imported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = tmp_path / "home"
    path = write_bz2(tmp_path / "x.pickle.pbz2", benchmark())
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(TableError):
        import_table("nats_tss", path, home)
    assert not home.exists()
    write_bz2(path, benchmark())

    def full(*args: object, **words: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("numpy.savez_compressed", full)
    with pytest.raises(TableError, match="Cannot write .* No space left on device"):
        import_table("nats_tss", path, home)
    assert imported(home) == [] and list((home / "tables").iterdir()) == []


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"format": 99}, "another version of this program (format 99; this one reads 1)"),
        ({"rows": 0}, "is damaged (`rows`"),
        ({"rows": "3"}, "is damaged (`rows`"),
        ({"columns": [{"name": "x", "unit": "inch"}]}, "unknown unit `inch`"),
        ({"columns": [{"name": 3, "unit": "percent"}]}, "is damaged"),
        ({"columns": None}, "is damaged"),
        ({"probe": "x"}, "is damaged"),
        ({"space": 3}, "is damaged (`space`"),
        ({"more": 3}, "is damaged"),
        ({"arrays": "0" * 64}, "its arrays are not those that were imported"),
    ],
)
def test_a_wrong_header_is_a_sentence(change: dict[str, object], words: str, home: Path) -> None:
    path = home / "tables" / "small" / "table.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(TableError) as caught:
        open_table(home, "small")
    assert words in str(caught.value) and str(path.parent) in str(caught.value)


def test_damaged_files_are_a_sentence(home: Path) -> None:
    folder = home / "tables" / "small"
    arrays = (folder / "arrays.npz").read_bytes()
    (folder / "arrays.npz").write_bytes(arrays[:-10])
    with pytest.raises(TableError, match="is damaged .its arrays"):
        Table(folder)
    (folder / "arrays.npz").unlink()
    with pytest.raises(TableError, match="is damaged .No such file"):
        Table(folder)
    (folder / "table.json").write_text("{")
    with pytest.raises(TableError, match="is damaged"):
        Table(folder)
    (folder / "table.json").unlink()
    with pytest.raises(TableError, match="There is no table in"):
        Table(folder)


def test_a_space_that_writes_differently(home: Path) -> None:
    path = home / "tables" / "small" / "table.json"
    header = json.loads(path.read_text())
    header["probe"][1] = "another canonical form"
    path.write_text(json.dumps(header))
    table = open_table(home, "small")
    with pytest.raises(TableError, match="wrote its architectures in another way; delete"):
        table.find(NB201, NB201.parse(CELLS[0]))
    with pytest.raises(TableError, match="is about the space `nb201`, not about `nats_size`"):
        table.find(SIZE, SIZE.parse("8:8:8:8:8"))


# -- importing ----------------------------------------------------------------------------------
def test_kinds(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text(f"arch,val\n{CELLS[0]},90\n")
    with pytest.raises(TableError, match="no kind of table `nb999`; there are csv, nb201,"):
        import_table("nb999", path, tmp_path)
    with pytest.raises(TableError, match="There is no file or folder"):
        import_table("csv", tmp_path / "none", tmp_path)
    with pytest.raises(TableError, match="--space: say whose architectures"):
        import_table("csv", path, tmp_path)
    with pytest.raises(TableError, match="`darts` are always about `darts`"):
        import_table("darts", path, tmp_path, space=SpaceChoice("nb201"))
    for kind in ("csv", "nb201"):
        with pytest.raises(TableError, match="is a folder; give the file itself"):
            import_table(kind, tmp_path, tmp_path, "x", SpaceChoice("nb201"))
    assert set(KINDS) >= {"csv", "nb201", "nats_tss", "nats_sss", "nb101", "darts"}


def test_what_was_imported_is_known(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text(f"arch,val\n{CELLS[0]},90\n{CELLS[2]},80\n")
    seen: list[str] = []
    header = import_table(
        "csv",
        path,
        tmp_path,
        space=SpaceChoice("nb201"),
        progress=lambda what, done, total: seen.append(what),
    )
    assert (header.kind, header.source, header.space) == ("csv", "x.csv", "nb201")
    assert (header.rows, header.sha256) == (2, hashlib.sha256(path.read_bytes()).hexdigest())
    assert list(dict.fromkeys(seen)) == [
        "Checking",
        "Reading",
        "Finding equal networks",
        "Writing",
    ]


def test_a_genotype_column(tmp_path: Path) -> None:
    space = get_space("darts")
    architecture = space.sample(np.random.default_rng(0))
    path = tmp_path / "x.csv"
    path.write_text(f'genotype,val_acc\n"{space.to_text(architecture)}",95\n')
    import_table("darts", path, tmp_path)
    assert open_table(tmp_path, "x").find(space, architecture) == 0


# -- lookups and statistics ---------------------------------------------------------------------
def test_lookups_agree(home: Path, tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text(f"arch,a,b\n{CELLS[0]},61,40\n{CELLS[2]},62,41\n")
    columns = ["cifar10-valid/x-valid@5", "cifar10-valid/x-valid@3"]
    table = open_lookup("small", NB201, columns, home)
    plain = open_lookup(str(path), NB201, ["a", "b"], home)
    assert isinstance(table, TableLookup) and isinstance(plain, CsvLookup)
    for text in CELLS:
        assert table.get(NB201.parse(text)) == plain.get(NB201.parse(text)) is not None
    assert table.get(Architecture("nb201", (0,) * 6)) is None
    assert plain.get(Architecture("nb201", (0,) * 6)) is None
    assert table.everything() == plain.everything() == [61.0, 62.0]
    assert table.architectures() == plain.architectures()


def test_a_missing_value_is_no_value(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text(f"arch,val,test\n{CELLS[0]},61,\n{CELLS[2]},62,41\n")
    import_table("csv", path, tmp_path, space=SpaceChoice("nb201"))
    table = open_lookup("t", NB201, ["test", "val"], tmp_path)
    assert table.get(NB201.parse(CELLS[0])) is None
    assert table.get(NB201.parse(CELLS[2])) == (41.0, 62.0)
    assert table.everything() == [41.0]


@pytest.mark.parametrize(
    ("source", "column", "words"),
    [
        ("small", "none", "The table `small` has no column `none`; it has cifar10-valid/"),
        ("small", "cifar10-valid/params", "is in parameters; accuracies are: cifar10-valid/"),
        (
            "nothing",
            "x",
            "no imported table `nothing`, and no file of this name; imported are:",
        ),
        ("no/file.csv", "x", "there is no file no/file.csv."),
    ],
)
def test_sources_are_checked_before_they_are_read(
    source: str, column: str, words: str, home: Path
) -> None:
    with pytest.raises(TableError) as caught:
        check_source(source, NB201, [column], home)
    assert words in str(caught.value)


def test_a_source_of_another_space(home: Path) -> None:
    with pytest.raises(TableError, match="`small` is about the space `nb201`, not about `darts`"):
        check_source("small", get_space("darts"), (), home)
    with pytest.raises(TableError, match="is about the space `nb201`, not about `darts`"):
        open_lookup("small", get_space("darts"), ["cifar10-valid/x-valid@5"], home)


def test_statistics(tmp_path: Path) -> None:
    texts = [f"{8 * n}:8:8:8:8" for n in range(1, 6)]
    numbers = [(50, 1, 7), (60, 2, 7), (55, "", 7), (70, 5, 7), (65, 4, 7)]
    rows = [f"{text},{a},{b},{c}" for text, (a, b, c) in zip(texts, numbers, strict=True)]
    path = tmp_path / "t.csv"
    path.write_text("\n".join(["arch,val,test,n", *rows]))
    options = {"space": SpaceChoice("nats_size")}
    import_table("csv", path, tmp_path, **options)  # type: ignore[arg-type]
    found = table_stats(open_table(tmp_path, "t"))
    assert found["columns"]["val"] == {
        "unit": "percent",
        "n": 5,
        "min": 50.0,
        "mean": 60.0,
        "max": 70.0,
        "best": texts[3],
    }
    assert found["columns"]["test"]["n"] == 4
    # Ranks of the four that have both: val 1 2 4 3, test 1 2 4 3.
    assert found["spearman"] == [{"columns": ["val", "test"], "spearman": 1.0, "n": 4}]
    alone = table_stats(open_table(tmp_path, "t"), ["test"])
    assert list(alone["columns"]) == ["test"] and alone["spearman"] == []
    with pytest.raises(TableError, match="has no column `x`"):
        table_stats(open_table(tmp_path, "t"), ["x"])
