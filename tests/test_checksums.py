"""Check sums of inputs."""

import hashlib
import time

import pytest

from wellgram.checksums import checksum


def test_a_checksum_is_that_of_the_usual_tool(tmp_path):
    (tmp_path / "a.csv").write_bytes(b"abc")
    found = checksum(tmp_path / "a.csv")
    assert found.bytes == 3
    assert found.sha256 == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_a_checksum_of_a_folder_follows_names_and_contents(tmp_path):
    for folder in ("one", "two"):
        (tmp_path / folder / "sub").mkdir(parents=True)
        (tmp_path / folder / "sub" / "x").write_text("1")
        (tmp_path / folder / "sub.y").write_text("22")
    shares = []
    found = checksum(tmp_path / "one", shares.append)
    assert found == checksum(tmp_path / "two")
    assert found.bytes == 3
    assert shares == sorted(shares)
    assert shares[-1] == 1
    lines = (
        f"{hashlib.sha256(b'22').hexdigest()}  sub.y\n{hashlib.sha256(b'1').hexdigest()}  sub/x\n"
    )
    assert found.sha256 == hashlib.sha256(lines.encode()).hexdigest()
    (tmp_path / "two" / "sub" / "x").rename(tmp_path / "two" / "sub" / "z")
    assert checksum(tmp_path / "two") != found


def test_what_interrupts_ends_all_readers(tmp_path, monkeypatch):
    """However much is left to read: each block takes a tenth of a second, and there are 10,000."""
    monkeypatch.setattr("wellgram.checksums._CHUNK_BYTES", 1 << 10)
    for k in range(40):
        (tmp_path / f"{k}").write_bytes(bytes(1 << 18))
    blocks = []

    class Slow:
        def update(self, block):
            blocks.append(len(block))
            time.sleep(0.1)

        def hexdigest(self):
            return ""

    monkeypatch.setattr(hashlib, "sha256", Slow)

    class Stop(BaseException):
        """Like Ctrl-C: no Exception."""

    def stop(share):
        raise Stop

    with pytest.raises(Stop):
        checksum(tmp_path, stop)
    read = len(blocks)
    time.sleep(0.3)
    assert len(blocks) == read < 1000  # no reader goes on
