"""Damage to the bytes of a file: each kind of it is a function of the bytes and a generator."""

import re
import struct
from collections.abc import Callable
from random import Random

Damage = Callable[[bytes, Random], bytes]

_BAD_UTF_8 = (b"\xff\xfe", b"\xe9", b"\xed\xa0\x80", b"\xc0\xaf", b"\xf5\x80\x80\x80", b"\x80")
_NUMBERS = (0, 1, -1, 127, 255, 2**15, 2**31 - 1, 2**31, 2**32 - 1, 2**63 - 1, -(2**63))
_TEXTS = (b"", b'"', b"\0", b"\r", b"\t", b",", b"nan", b"-1", b"1e999", b"=1+1", b"a" * 70_000)
_HEADER = 96
"""Bytes at either end of a file: NPZ and parquet have their directory at the end"""


def _range(data: bytes, random: Random) -> tuple[int, int]:
    """Return where a range of a few bytes, or of much of the file, begins and ends."""
    start = random.randrange(len(data) + 1)
    most = random.choice((4, 64, max(1, len(data) // 3)))
    return start, min(len(data), start + random.randint(1, most))


def flip_bit(data: bytes, random: Random) -> bytes:
    """Flip one bit."""
    return _flipped(data, random.randrange(len(data)), random)


def flip_bits(data: bytes, random: Random) -> bytes:
    """Flip two to nine bits."""
    for _ in range(random.randint(2, 9)):
        data = flip_bit(data, random)
    return data


def flip_header(data: bytes, random: Random) -> bytes:
    """Flip one bit near the beginning or the end."""
    place = random.randrange(min(_HEADER, len(data)))
    return _flipped(data, random.choice((place, len(data) - 1 - place)), random)


def _flipped(data: bytes, place: int, random: Random) -> bytes:
    changed = bytearray(data)
    changed[place] ^= 1 << random.randrange(8)
    return bytes(changed)


def truncate(data: bytes, random: Random) -> bytes:
    """Cut the end off."""
    return data[: random.randrange(len(data))]


def zero(data: bytes, random: Random) -> bytes:
    """Put zeros in place of a range."""
    start, stop = _range(data, random)
    return data[:start] + bytes(stop - start) + data[stop:]


def overwrite(data: bytes, random: Random) -> bytes:
    """Put random bytes in place of a range."""
    start, stop = _range(data, random)
    return data[:start] + random.randbytes(stop - start) + data[stop:]


def swap(data: bytes, random: Random) -> bytes:
    """Swap two ranges."""
    a, b, c, d = sorted(random.randrange(len(data) + 1) for _ in range(4))
    return data[:a] + data[c:d] + data[b:c] + data[a:b] + data[d:]


def duplicate(data: bytes, random: Random) -> bytes:
    """Write a range twice."""
    start, stop = _range(data, random)
    return data[:stop] + data[start:]


def delete(data: bytes, random: Random) -> bytes:
    """Leave a range out."""
    start, stop = _range(data, random)
    return data[:start] + data[stop:]


def append(data: bytes, random: Random) -> bytes:
    """Write more after the end: random bytes, or the file once again."""
    return data + random.choice((random.randbytes(random.randint(1, 99)), data))


def edit_length(data: bytes, random: Random) -> bytes:
    """Put an extreme number in place of a word of 2, 4 or 8 bytes, as if it were a length."""
    size, kind = random.choice(((2, "H"), (4, "I"), (8, "Q")))
    if len(data) < size:
        return data
    start = random.randrange(len(data) - size + 1)
    (word,) = struct.unpack_from(f"<{kind}", data, start)
    number = random.choice((*_NUMBERS, word + 1, word - 1, 2 * word))
    return data[:start] + struct.pack(f"<{kind}", number % 256**size) + data[start + size :]


def edit_json(data: bytes, random: Random) -> bytes:
    """Put another number, word or value in place of one in JSON, or of a number anywhere."""
    tokens = [*re.finditer(rb'"[\w./ -]{1,40}"|-?\d+(?:\.\d+)?|true|false|null', data)]
    if not tokens:
        return data
    token = random.choice(tokens)
    new = random.choice(
        [str(number).encode() for number in _NUMBERS]
        + [b"null", b"true", b"[]", b"{}", b'""', b'"x"', b"1.5", b"NaN", b"", token[0] + b"0"]
        + [random.choice(tokens)[0]]
    )
    if random.random() < 0.5:  # where lengths count, damage of the same length goes further
        new = new[: len(token[0])].ljust(len(token[0]))
    return data[: token.start()] + new + data[token.end() :]


def edit_lines(data: bytes, random: Random) -> bytes:
    """Swap, leave out, repeat or join lines, or put a strange text into one."""
    lines = data.splitlines(keepends=True)
    k, m = random.randrange(len(lines)), random.randrange(len(lines))
    what = random.randrange(5)
    if what == 0:
        lines[k], lines[m] = lines[m], lines[k]
    elif what == 1:
        del lines[k]
    elif what == 2:
        lines.insert(m, lines[k])
    elif what == 3:
        lines[k] = lines[k].rstrip(b"\r\n")
    else:
        cells = re.split(rb"([,\t ])", lines[k])
        cells[random.randrange(len(cells))] = random.choice(_TEXTS)
        lines[k] = b"".join(cells)
    return b"".join(lines)


def break_utf_8(data: bytes, random: Random) -> bytes:
    """Put bytes into the file that no UTF-8 has, or write it in another encoding."""
    if random.random() < 0.2:
        encoding = random.choice(("utf-16", "utf-16-le", "utf-8-sig", "utf-32"))
        return data.decode("latin-1").encode(encoding)
    place = random.randrange(len(data) + 1)
    stop = place + random.choice((0, 1, 2))
    return data[:place] + random.choice(_BAD_UTF_8) + data[stop:]


DAMAGES: dict[str, Damage] = {
    damage.__name__: damage
    for damage in (
        flip_bit, flip_bits, flip_header, truncate, zero, overwrite, swap, duplicate, delete,
        append, edit_length, edit_json, edit_lines, break_utf_8,
    )
}  # fmt: skip


def damaged(files: dict[str, bytes], random: Random) -> tuple[dict[str, bytes], str]:
    """Return the files of a folder (or one file alone) with damage, and what the damage is.

    What would change nothing is tried again.
    """
    while True:
        changed, what = _damaged_once(dict(files), random)
        if changed != files:
            return changed, what


def _damaged_once(files: dict[str, bytes], random: Random) -> tuple[dict[str, bytes], str]:
    name = random.choice(sorted(files))
    if len(files) > 1 and random.random() < 0.1:
        other = random.choice(sorted(files))
        if random.random() < 0.5:
            files[name], files[other] = files[other], files[name]
            return files, f"{name} and {other} swapped"
        del files[name]
        return files, f"{name} removed"
    # Single bits are what disks and memory flip, and what only a checksum finds.
    (damage,) = random.choices([*DAMAGES], [4 if "flip" in name else 1 for name in DAMAGES])
    if files[name]:
        files[name] = DAMAGES[damage](files[name], random)
    return files, f"{damage} of {name}"
