"""Text that is not UTF-8: read where its encoding is known, else an error that names the line."""

import gzip
import io
import random

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from helpers.small_screens import plate
from wellgram import (
    InputError,
    open_map,
    open_wells,
    read_gene_sets,
    read_map,
    read_targets,
    read_wells,
)
from wellgram import relationship_sources as sources_of
from wellgram.cli import app
from wellgram.io import text_encodings
from wellgram.io.text_encodings import check_text

OPTIONS = {"layout": "columns", "perturbation": "name", "control": "c", "features": "f*"}
NAMES = ["c", "Müller", "a", "c"]
SCREEN = "name,note,f0,f1\n" + "".join(f"{name},µ{k},{k}.5,2\n" for k, name in enumerate(NAMES))
PAIRS = "entity1,entity2\na,b\na,Müller\n"
TARGETS = "treatment,gene_symbol,nM_value\na,B,3\nMüller,C,4\n"
SETS = "one\tof a\tA\tB\ntwo\tof Müller\tA\tC\n"


def wells_of(path, **options):
    return read_wells(path, columns=["note"], **OPTIONS, **options).metadata


def streamed(path, **options):
    return open_wells(path, columns=["note"], **OPTIONS, **options).metadata


def joined(path, **options):
    x = pd.DataFrame(np.arange(8.0).reshape(4, 2), columns=["f0", "f1"]).assign(note=NOTES)
    roles = OPTIONS | {"well_id": "note"}
    return read_wells(x, path, **roles, **options).metadata


NOTES = [f"µ{k}" for k in range(4)]
READERS = {
    "wells": (wells_of, "p.csv", SCREEN, 2),
    "stream": (streamed, "p.csv", SCREEN, 2),
    "metadata": (joined, "p.csv", SCREEN, 2),
    "tabs": (wells_of, "p.tsv", SCREEN.replace(",", "\t"), 2),
    "pairs": (lambda path, **o: sources_of(path, **o)["p"], "p.csv", PAIRS, 3),
    "targets": (read_targets, "p.csv", TARGETS, 3),
    "gmt": (read_gene_sets, "p.gmt", SETS.replace("two", "Müller"), 2),
    "sets": (read_gene_sets, "p.txt", "one\tA B\nMüller\tA C\n", 2),
}


@pytest.fixture(params=READERS)
def reader(request):
    return READERS[request.param]


@pytest.fixture(params=["", ".gz"], ids=["plain", "gz"])
def write(request, tmp_path):
    """Write bytes to a file, compressed or not."""

    def written(name, content):
        path = tmp_path / f"{name}{request.param}"
        path.write_bytes(gzip.compress(content) if request.param else content)
        return path

    return written


def same(first, second):
    if isinstance(first, pd.DataFrame):
        pd.testing.assert_frame_equal(first, second)
    else:
        assert first == second


@pytest.mark.parametrize("encoding", ["cp1252", "latin-1", "mac_roman", "utf-16-le", "utf-16-be"])
def test_an_encoding_that_is_named_is_read(reader, write, encoding):
    read, name, text, _ = reader
    wanted = read(write(name, text.encode()))
    path = write(name, text.encode(encoding))
    same(read(path, encoding=encoding), wanted)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32"])
@pytest.mark.parametrize("named", [None, "cp1252"])
def test_a_mark_at_the_beginning_says_the_encoding(reader, write, encoding, named):
    read, name, text, _ = reader
    wanted = read(write(name, text.encode()))
    same(read(write(name, text.encode(encoding)), encoding=named), wanted)


def test_what_is_no_utf_8_is_an_error_with_its_line(reader, write):
    read, name, text, line = reader
    path = write(name, text.encode("cp1252"))
    with pytest.raises(InputError) as problem:
        read(path)
    message = str(problem.value)
    assert f"{path.name} is not text of UTF-8 but, by the looks of it, of cp1252" in message
    assert f"(line {line}: '" in message
    assert message.endswith("save the file as UTF-8, or name its encoding (encoding='cp1252')")
    assert message.isprintable()


@pytest.mark.parametrize("read", [read_map, open_map])
@pytest.mark.parametrize("text", ["perturbation,embedding\nMüller,1.5\n", "µ,embedding\na,1.5\n"])
def test_a_function_without_an_encoding_does_not_advise_one(tmp_path, read, text):
    path = tmp_path / "map.csv"
    path.write_bytes(text.encode("cp1252"))
    with pytest.raises(
        InputError, match=r"looks of it, of cp1252 \(line .*; save the file as UTF-8$"
    ):
        read(path)


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf_16_without_a_mark_is_an_error(reader, write, encoding):
    read, name, text, _ = reader
    with pytest.raises(InputError, match=rf"of {encoding} \(line 1: .*encoding='{encoding}'"):
        read(write(name, text.encode(encoding)))


@pytest.mark.parametrize("encoding", ["nonsense", "base64", "", 7, "undefined"])
def test_what_is_no_encoding_is_an_error(reader, write, encoding):
    read, name, text, _ = reader
    with pytest.raises(InputError, match=f"no encoding {encoding!r}"):
        read(write(name, text.encode()), encoding=encoding)


@pytest.mark.parametrize("encoding", ["ascii", "utf-16"])
def test_text_that_is_not_of_the_encoding_that_is_named(reader, write, encoding):
    read, name, text, _ = reader
    content = text.encode() if encoding == "ascii" else text.encode("utf-16") + b"\0"
    with pytest.raises(InputError, match=rf"not text of {encoding.upper()} \(line \d"):
        read(write(name, content), encoding=encoding)


def test_a_line_in_the_middle_of_a_large_file(tmp_path):
    rows = [f"gene{k},x,{k}.5,2" for k in range(200_000)]
    rows[123_456] = "Müller,x,1.5,2"
    path = tmp_path / "p.csv"
    path.write_bytes("\r\n".join(["name,note,f0,f1", *rows]).encode("latin-1"))
    with pytest.raises(InputError, match=r"\(line 123458: 'Müller,x,1.5,2'\)"):
        read_wells(path, **OPTIONS)


def test_names_of_columns_have_their_line(tmp_path):
    path = tmp_path / "p.csv"
    path.write_bytes(b"\n\n" + SCREEN.replace("note", "µM").encode("cp1252"))
    with pytest.raises(InputError, match=r"names of columns in p.csv are not .*\(line 3: 'name,µM"):
        read_wells(path, **OPTIONS)


def test_damage_in_text_of_utf_8_is_not_called_another_encoding(tmp_path):
    path = tmp_path / "p.csv"
    path.write_bytes(SCREEN.encode() + b"M\xfcller,x,1.5,2\n")
    with pytest.raises(
        InputError, match=r"not text of UTF-8 \(line 6: 'M\\\\xfcller.*\(encoding=\)"
    ):
        read_wells(path, **OPTIONS)


def test_a_column_that_is_not_asked_for_may_hold_anything(tmp_path):
    path = tmp_path / "p.csv"
    path.write_bytes(SCREEN.replace("Müller", "b").encode("cp1252"))
    assert len(read_wells(path, **OPTIONS)) == 4


def test_lines_are_counted_as_editors_count_them(monkeypatch):
    """Whatever ends a line, wherever blocks end."""
    draw = random.Random(0)
    bad = {"utf-8": b"\xff", "utf-16-le": b"\x00\xd8\x00\x00", "cp1252": b"\x81"}
    for _ in range(2000):
        encoding = draw.choice(list(bad))
        text = "".join(draw.choices(["a", "é", "\n", "\r", "\r\n"], k=draw.randrange(20)))
        monkeypatch.setattr(text_encodings, "_BLOCK_BYTES", draw.choice([1, 2, 3, 7, 64]))
        line = len(text.replace("\r\n", "\n").replace("\r", "\n").split("\n"))
        content = io.BytesIO(text.encode(encoding) + bad[encoding] + "x".encode(encoding))
        with pytest.raises(InputError, match=rf"p.csv is .*\(line {line}: "):
            check_text(content.read, encoding, "p.csv is")


def test_the_command_line_takes_an_encoding(tmp_path):
    path, sets, out = tmp_path / "p.csv", tmp_path / "s.gmt", tmp_path / "out"
    frame = plate().assign(Metadata_note="µ").replace({"Metadata_broad_sample": {"A": "Müller"}})
    frame.to_csv(path, index=False, encoding="cp1252")
    sets.write_bytes(SETS.encode("cp1252"))
    command = ["score", str(path), "--layout", "cell-painting", "--align", "none"]
    command += ["--gene-sets", str(sets), "--metric", "consistency", "--out", str(out)]
    with pytest.raises(InputError, match="cp1252"):
        CliRunner().invoke(app, command, catch_exceptions=False)
    done = CliRunner().invoke(app, [*command, "--encoding", "cp1252"], catch_exceptions=False)
    assert done.exit_code == 0
    assert "Müller" in (out / "consistency.csv").read_text(encoding="utf-8")


def test_text_of_bytes_in_an_npz(tmp_path):
    np.savez(tmp_path / "p.npz", embeddings=np.ones((4, 2)), name=np.array([b"c", b"M\xfc"] * 2))
    roles = {"layout": "columns", "perturbation": "name", "control": "c"}
    with pytest.raises(InputError, match=r"'name' of p.npz holds b'M\\xfc', which is not text"):
        read_wells(tmp_path / "p.npz", **roles)
