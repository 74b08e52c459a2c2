"""Files at URLs: fsspec's memory and local file systems, and an object store's server (moto)."""

import functools
import http.server
import importlib
import socket
import threading
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

import wellgram as wg
from helpers.array_files import NEEDED, write_arrays
from helpers.small_screens import plate, rxrx3_core, write_csv, write_wide
from wellgram import InputError, open_map, open_wells, read_map, read_wells, write_map
from wellgram.cli import app, main
from wellgram.io import open_blocks
from wellgram.io.places import locate, placing_folder
from wellgram.simulate import block_stack

fsspec = pytest.importorskip("fsspec")


@pytest.fixture(scope="session")
def bucket():
    """The URL of a bucket on a server of S3's protocol in this process."""
    pytest.importorskip("s3fs")
    server = pytest.importorskip("moto.server").ThreadedMotoServer(port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ACCESS_KEY_ID", "testing")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
        patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        patch.setitem(fsspec.config.conf, "s3", {"endpoint_url": f"http://{host}:{port}"})
        fsspec.filesystem("s3").mkdir("screens")
        yield "s3://screens"
    server.stop()


@pytest.fixture(params=["memory", "local", "s3"])
def root(request, tmp_path):
    """A folder of its own on each of the three."""
    if request.param == "local":
        return f"file://{tmp_path}/far"
    base = request.getfixturevalue("bucket") if request.param == "s3" else "memory://"
    return f"{base}/{tmp_path.name}"


def upload(path, root, name=None):
    """Copy a file or a store that is a folder; return where to."""
    url = f"{root}/{name or path.name}"
    fs, inside = fsspec.url_to_fs(url)
    files = [path] if path.is_file() else [p for p in path.rglob("*") if p.is_file()]
    for file in files:
        target = inside if file == path else f"{inside}/{file.relative_to(path).as_posix()}"
        fs.makedirs(target.rpartition("/")[0], exist_ok=True)
        fs.put_file(str(file), target)
    return url


@pytest.fixture
def screen(tmp_path):
    values, metadata = rxrx3_core()
    return values, metadata, write_csv(tmp_path / "m.csv", metadata)


def same(found, expected):
    pd.testing.assert_frame_equal(found.metadata, expected.metadata)
    np.testing.assert_array_equal(found.embeddings, expected.embeddings)


@pytest.mark.parametrize("suffix", [".parquet", ".csv", ".csv.gz", ".h5", ".zarr", ".npz", ".h5ad"])
@pytest.mark.parametrize("get", [read_wells, open_wells])
def test_wells_are_those_of_the_file(screen, tmp_path, root, suffix, get):
    values, metadata, described = screen
    path = tmp_path / f"e{suffix}"
    ids = metadata["well_id"].to_numpy(str)
    if suffix == ".parquet":
        write_wide(path, values, ids)
    elif "csv" in suffix:
        columns = {f"feature_{j}": column for j, column in enumerate(values.T)}
        write_csv(path, pd.DataFrame({"well_id": ids, **columns}))
    elif suffix == ".h5ad":
        anndata = pytest.importorskip("anndata")
        anndata.AnnData(values, pd.DataFrame(index=ids)).write_h5ad(path)
    else:
        write_arrays(path, embeddings=values, well_id=ids)
    expected = read_wells(path, described)
    wells = get(upload(path, root), upload(described, root))
    same(wells.read() if get is open_wells else wells, expected)


def test_a_folder_of_plates(screen, tmp_path, root):
    values, metadata, described = screen
    for k, part in enumerate((slice(0, 20), slice(20, 32))):
        plate_ = write_wide(tmp_path / f"{k}.parquet", values[part], metadata["well_id"][part])
        upload(plate_, f"{root}/gene-00{k}/Plate1", "embeddings.parquet")
    (tmp_path / "readme.md").write_text("no table")
    upload(tmp_path / "readme.md", root)
    wells = read_wells(root, upload(described, root), layout="rxrx3")
    np.testing.assert_array_equal(wells.embeddings, values)
    with pytest.raises(InputError, match=r"holds no table named like"):
        read_wells(f"{root}/gene-000", described, layout="rxrx3-core", pattern="*.csv")


@pytest.mark.parametrize("suffix", [".parquet", ".h5", ".zarr", ".npz", ".h5ad"])
def test_a_map_is_written_read_and_replaced(tmp_path, root, suffix):
    if suffix in NEEDED:
        pytest.importorskip(NEEDED[suffix])
    wells = read_wells(write_csv(tmp_path / "p.csv", plate()), layout="cell-painting")
    map_ = wg.build_map(wells, wg.CenterScale())
    url = f"{root}/map{suffix}"
    Path(f"{tmp_path}/far").mkdir()  # as on any disk: a folder must be there
    write_map(wg.PerturbationMap(map_.embeddings[:2], map_.labels[:2]), url)
    write_map(map_, url)
    back = read_map(url)
    np.testing.assert_array_equal(back.embeddings, map_.embeddings)
    pd.testing.assert_frame_equal(back.labels, map_.labels)
    assert back.provenance == map_.provenance
    opened = open_map(url)
    np.testing.assert_array_equal(opened[1:4], map_.embeddings[1:4])


def test_pairs_targets_and_sets_of_genes(tmp_path, root):
    (tmp_path / "pairs").mkdir()
    known = write_csv(
        tmp_path / "pairs" / "known.csv", pd.DataFrame({"entity1": ["A"], "entity2": ["B"]})
    )
    folder = f"{root}/pairs"
    upload(known, folder)
    for where in (folder, f"{folder}/known.csv"):
        assert wg.relationship_sources(where)["known"].to_numpy().tolist() == [["A", "B"]]
    (tmp_path / "sets.gmt").write_text("mTOR\t\tMTOR\tRPTOR\n")
    assert wg.read_gene_sets(upload(tmp_path / "sets.gmt", root)) == {"mTOR": ["MTOR", "RPTOR"]}
    columns = {"treatment": ["a"], "gene_symbol": ["B"], "nM_value": [1.5]}
    targets = write_csv(tmp_path / "t.csv", pd.DataFrame(columns))
    assert wg.read_targets(upload(targets, root)).to_dict("list") == columns


def test_the_command_line(tmp_path, root, monkeypatch, capsys):
    url = upload(write_csv(tmp_path / "plate.csv", plate()), root)
    arguments = ["--layout", "cell-painting", "--metric", "consistency"]
    command = ["wellgram", "score", url, *arguments, "--out", str(tmp_path / "out")]
    monkeypatch.setattr("sys.argv", command)
    with pytest.raises(SystemExit) as end:
        main()
    assert end.value.code == 0, capsys.readouterr().err
    assert url in (tmp_path / "out" / "summary.json").read_text()


def test_results_at_a_url(tmp_path, root, monkeypatch, capsys):
    """They come beside what is there, when all is done."""
    plates = write_csv(tmp_path / "plate.csv", plate())
    (tmp_path / "note.txt").write_text("mine")
    note = upload(tmp_path / "note.txt", f"{root}/run")
    fs, inside = fsspec.url_to_fs(f"{root}/run")
    arguments = ["--layout", "cell-painting", "--metric", "consistency", "--out", f"{root}/run"]
    monkeypatch.setattr("sys.argv", ["wellgram", "score", str(plates), *arguments])
    with pytest.raises(SystemExit) as end:
        main()
    assert end.value.code == 0, capsys.readouterr().err
    assert f"{root}/run/report.html" in capsys.readouterr().out.replace("\n", "")
    names = {path.rpartition("/")[2] for path in fs.find(inside)}
    assert {"map.parquet", "summary.json", "report.html", "note.txt"} <= names
    assert not [name for name in names if name.startswith(".")]
    assert read_map(f"{root}/run/map.parquet").embeddings.any()
    assert fs.cat_file(fsspec.url_to_fs(note)[1]) == b"mine"


def test_results_at_a_url_that_fail_leave_nothing(tmp_path, root, monkeypatch, capsys):
    Path(f"{tmp_path}/far").mkdir()
    broken = write_csv(tmp_path / "plate.csv", plate().drop(columns="Metadata_Plate"))
    arguments = ["--layout", "cell-painting", "--out", f"{root}/run"]
    monkeypatch.setattr("sys.argv", ["wellgram", "score", str(broken), *arguments])
    with pytest.raises(SystemExit) as end:
        main()
    assert end.value.code == 1, capsys.readouterr().err
    fs, inside = fsspec.url_to_fs(root)
    assert not fs.exists(inside) or not fs.find(inside)


def test_a_bucket_that_is_not_there_is_not_made(bucket, tmp_path):
    map_ = wg.PerturbationMap(np.eye(2), pd.DataFrame({"perturbation": ["a", "b"]}))
    for write in (
        lambda: write_map(map_, "s3://nowhere/map.parquet"),
        lambda: write_map(map_, "s3://nowhere/map.npz"),
        lambda: placing_folder("s3://nowhere").__enter__(),
        lambda: placing_folder("s3://nowhere/run").__enter__(),
    ):
        with pytest.raises(InputError, match=r"s3://nowhere.* there is no 'nowhere' to write into"):
            write()
    assert not fsspec.filesystem("s3").exists("nowhere")


def test_a_store_at_a_url_is_one_when_it_is_whole(bucket, tmp_path, monkeypatch):
    pytest.importorskip("zarr")
    map_ = wg.PerturbationMap(np.eye(2), pd.DataFrame({"perturbation": ["a", "b"]}))
    url = f"{bucket}/{tmp_path.name}/map.zarr"
    write_map(map_, url)
    place = locate(url)
    put = place.fs.put

    def interrupted(files, targets):
        put(files[:-1], targets[:-1])
        raise KeyboardInterrupt

    monkeypatch.setattr(place.fs, "put", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_map(map_, url)
    with pytest.raises(InputError, match=r"map\.zarr"):
        read_map(url)


def test_what_is_not_there_or_damaged(tmp_path, root):
    with pytest.raises(InputError, match=r"there is no file '.*absent.parquet'"):
        read_wells(f"{root}/absent.parquet", layout="cell-painting")
    path = write_wide(tmp_path / "e.parquet", np.ones((9, 3)), [f"w{k}" for k in range(9)])
    path.write_bytes(path.read_bytes()[:-9])
    for name, words in (("e.parquet", "truncated"), ("e.xlsx", "unknown kind")):
        with pytest.raises(InputError, match=rf"{name}.*{words}"):
            read_wells(upload(path, root, name), layout="cell-painting")


def test_a_place_that_does_not_let_us_in(bucket, monkeypatch):
    """Not the same as a file that is not there."""
    with pytest.raises(InputError, match=r"there is no file 's3://nowhere/e.parquet'"):
        read_wells("s3://nowhere/e.parquet", layout="cell-painting")
    place = locate(f"{bucket}/secret.parquet")

    def forbidden(path):
        raise PermissionError("Forbidden")

    monkeypatch.setattr(place.fs, "info", forbidden)
    with pytest.raises(
        InputError, match=r"cannot reach '.*secret.*': Forbidden; check .*credentials"
    ):
        read_wells(str(place), layout="cell-painting")


def test_what_reaches_a_url_is_not_installed(monkeypatch):
    found = importlib.import_module

    def without(name):
        if name == "fsspec":
            raise ImportError("No module named 'fsspec'")
        return found(name)

    with pytest.raises(InputError, match=r"'quantum://a/b.parquet'.*quantum"):
        read_wells("quantum://a/b.parquet", layout="cell-painting")
    monkeypatch.setattr("wellgram.io.read_errors.import_module", without)
    with pytest.raises(
        InputError, match=r"'s3://a/b.parquet' needs.*pip install 'wellgram\[cloud\]'"
    ):
        read_wells("s3://a/b.parquet", layout="cell-painting")


def test_writing_that_fails_leaves_what_was_there(root, tmp_path):
    Path(f"{tmp_path}/far").mkdir()
    wells = read_wells(write_csv(tmp_path / "p.csv", plate()), layout="cell-painting")
    map_ = wg.build_map(wells)
    write_map(map_, f"{root}/map.npz")
    with pytest.raises(TypeError):
        write_map(wg.PerturbationMap(map_.embeddings, map_.labels, {"no": {1}}), f"{root}/map.npz")
    assert read_map(f"{root}/map.npz").provenance == map_.provenance


@pytest.fixture
def web(tmp_path):
    """The address of a server of the files of a folder, which takes any query."""
    pytest.importorskip("aiohttp")
    (tmp_path / "web").mkdir()

    class Handler(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_):
            pass

    serve = functools.partial(Handler, directory=str(tmp_path / "web"))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), serve)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", tmp_path / "web"
    server.shutdown()
    server.server_close()


def run(*arguments):
    done = CliRunner().invoke(app, [*map(str, arguments)], catch_exceptions=False)
    assert done.exit_code == 0
    return done.stdout


@pytest.mark.parametrize("suffix", [".parquet", ".csv", ".CSV.gz", ".h5"])
def test_a_query_is_no_part_of_the_name(screen, web, suffix):
    values, metadata, described = screen
    address, folder = web
    ids = metadata["well_id"].to_numpy(str)
    path = folder / f"e{suffix}"
    if suffix == ".parquet":
        write_wide(path, values, ids)
    elif "csv" in suffix.lower():
        columns = {f"feature_{j}": column for j, column in enumerate(values.T)}
        frame = pd.DataFrame({"well_id": ids, **columns})
        write_csv(path, frame, compression="gzip" if "gz" in suffix else None)
    else:  # no NPZ: its end is read first, and this server sends files from their beginning alone
        write_arrays(path, embeddings=values, well_id=ids)
    (folder / "m.csv").write_bytes(described.read_bytes())
    url = f"{address}/e{suffix}?download=1&token=a/b.zip#part"
    wells = read_wells(url, f"{address}/m.csv?v=2")
    same(wells, read_wells(path, described))


def test_a_server_that_does_not_answer_is_not_a_missing_file(web):
    address, _ = web
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        closed = f"http://127.0.0.1:{unused.getsockname()[1]}/e.parquet"
    with pytest.raises(InputError, match=r"cannot reach 'http://127.*e.parquet': .*onnect"):
        read_wells(closed, layout="cell-painting")
    with pytest.raises(InputError, match=r"there is no file 'http://127.*absent.parquet'"):
        read_wells(f"{address}/absent.parquet", layout="cell-painting")


def test_a_server_that_forbids_is_not_a_missing_file(web, monkeypatch):
    address, _ = web

    def forbidden(handler):
        handler.send_error(403)

    for method in ("do_GET", "do_HEAD"):
        monkeypatch.setattr(http.server.SimpleHTTPRequestHandler, method, forbidden)
    with pytest.raises(InputError, match=r"cannot reach .*e.parquet': .*Forbidden"):
        read_wells(f"{address}/e.parquet", layout="cell-painting")


def test_blocks_at_a_url(tmp_path, root):
    stack = block_stack(3, seed=0, perturbations=12, features=16)
    stack.write(tmp_path / "stack")
    blocks = upload(tmp_path / "stack" / "blocks", root)
    about = upload(tmp_path / "stack" / "metadata.csv", root)
    here = open_blocks(tmp_path / "stack" / "blocks", tmp_path / "stack" / "metadata.csv")
    there = open_blocks(blocks, about)
    assert there.names == here.names
    assert there.keys == open_blocks(blocks, about).keys
    np.testing.assert_array_equal(there.open(1).read().embeddings, here.open(1).read().embeddings)
    command = ("blocks", blocks, "--metadata", about, "--method", "lda", "--out", tmp_path / "out")
    assert "Best of 3 blocks" in run(*command)
    assert "3 of 3 blocks had been scored before" in run(*command)


def test_an_array_of_blocks_at_a_url(tmp_path, root):
    np.save(tmp_path / "stack.npy", np.random.default_rng(0).normal(size=(2, 16, 3)))
    given = upload(tmp_path / "stack.npy", root)
    blocks = open_blocks(given, plate(), layout="cell-painting")
    np.testing.assert_array_equal(blocks.open(1).embeddings, np.load(tmp_path / "stack.npy")[1])


def test_blocks_are_scored_on_this_machine(tmp_path):
    with pytest.raises(InputError, match=r"a folder on this machine, not into 'memory://out'"):
        run("blocks", tmp_path, "--out", "memory://out")


def test_a_study_at_a_url(tmp_path, root):
    run("simulate", "--screen", "rxrx1", "--scale", 0.05, "--features", 16, "--out", tmp_path)
    given = [upload(tmp_path / f"{name}", root) for name in ("embeddings.parquet", "metadata.csv")]
    command = ("batch-study", given[0], "--metadata", given[1], "--split", "dataset")
    run(*command, "--correction", "center-scale", "--out", tmp_path / "out")
    assert pd.read_csv(tmp_path / "out" / "corrections.csv")["correction"].tolist() == [
        "center-scale"
    ]


@pytest.mark.parametrize("name", ["near.csv", "near.parquet"])
def test_neighbors_are_written_to_a_url(tmp_path, root, name):
    Path(f"{tmp_path}/far").mkdir()
    wells = read_wells(write_csv(tmp_path / "p.csv", plate()), layout="cell-painting")
    write_map(wg.build_map(wells), tmp_path / "map.parquet")
    run("neighbors", tmp_path / "map.parquet", "-k", 2, "--out", f"{root}/{name}")
    run("neighbors", tmp_path / "map.parquet", "-k", 2, "--out", tmp_path / name)
    with fsspec.open(f"{root}/{name}", "rb") as file:
        assert file.read() == (tmp_path / name).read_bytes()
    with pytest.raises(InputError, match=r"cannot write 'near.txt': name a file .parquet or .csv"):
        run("neighbors", tmp_path / "map.parquet", "--out", "memory://near.txt")


def test_hidden_files_and_plates_of_a_folder_at_a_url(tmp_path, root):
    """Names such as plate=001 give columns there too."""
    plate().drop(columns="Metadata_Plate").to_parquet(tmp_path / "x.parquet", index=False)
    for name in ("Metadata_Plate=001", "Metadata_Plate=002", "_temporary", ".trash"):
        upload(tmp_path / "x.parquet", f"{root}/{name}")
    upload(tmp_path / "x.parquet", f"{root}/Metadata_Plate=001", "._x.parquet")
    wells = read_wells(root, layout="cell-painting")
    assert wells.metadata["batch"].tolist() == ["001"] * 16 + ["002"] * 16
    chosen = read_wells(root, layout="cell-painting", pattern="*=002/*.parquet")
    assert chosen.metadata["batch"].tolist() == ["002"] * 16
