"""Loops of the Numba backend, compiled at their first call and kept on disk.

No fast-math: a dot product is one chain of multiply and add over k, so that it has the same bits in
a tile and for a single pair. Threads share a loop only where each writes to places of its own.
"""

import math

import numpy as np
from numba import njit, prange

ROWS, COLUMNS = 512, 1024
"""How many rows and others a tile of products has at most"""

_TOGETHER = 64
"""How many draws a thread makes with one copy of the pool"""

_parallel = njit(parallel=True, cache=True, nogil=True)
_inline = njit(cache=True, nogil=True)


@_parallel
def row_faults(x, faults):
    """faults[i] = 1 where a row is not finite, 2 where it is zero."""
    for i in prange(len(x)):
        finite, zero = True, True
        for k in range(x.shape[1]):
            finite = finite and np.isfinite(x[i, k])
            zero = zero and x[i, k] == 0
        faults[i] = 2 if zero else 0 if finite else 1


@_parallel
def group_sums(x, codes, sums):
    """sums[codes[i]] += x[i], one row after another; threads share the columns."""
    d = x.shape[1]
    step = 64
    for part in prange((d + step - 1) // step):
        last = min(d, (part + 1) * step)
        for i in range(len(x)):
            if codes[i] >= 0:
                for k in range(part * step, last):
                    sums[codes[i], k] += x[i, k]


@_parallel
def group_medians(x, order, bounds, medians):
    """medians[g, k] = the median of column k of rows order[bounds[g]:bounds[g + 1]]."""
    groups = len(bounds) - 1
    for k in prange(x.shape[1]):
        for g in range(groups):
            size = bounds[g + 1] - bounds[g]
            values = np.empty(size)
            bad = size == 0
            for r in range(size):
                values[r] = x[order[bounds[g] + r], k]
                bad = bad or np.isnan(values[r])
            medians[g, k] = np.nan if bad else np.median(values)


@_parallel
def unit_rows(x, unit, zero):
    """unit[i] = x[i] / |x[i]|, scaled by a power of two before, so that nothing overflows."""
    for i in prange(len(x)):
        largest, finite = 0.0, True
        for k in range(x.shape[1]):
            finite = finite and np.isfinite(x[i, k])
            largest = max(largest, abs(np.float64(x[i, k])))
        zero[i] = finite and largest == 0
        if not finite or largest == 0:
            unit[i] = 0.0 if finite else np.nan
            continue
        _, exponent = math.frexp(largest)
        squares = 0.0
        for k in range(x.shape[1]):
            squares += math.ldexp(np.float64(x[i, k]), -exponent) ** 2
        length = math.sqrt(squares)
        for k in range(x.shape[1]):
            unit[i, k] = math.ldexp(np.float64(x[i, k]), -exponent) / length


@_parallel
def distances_apart(x, y, wanted, distances):
    """distances[i, j] = |x[i] - y[j]| of wanted pairs, from differences of values of any size."""
    for i in prange(len(x)):
        for j in range(len(y)):
            if not wanted[i, j]:
                continue
            largest, squares = 0.0, 0.0
            for k in range(x.shape[1]):
                difference = abs(np.float64(x[i, k]) - np.float64(y[j, k]))
                squares += difference**2
                largest = max(largest, difference)
            distances[i, j] = math.sqrt(squares)
            if largest == 0 or 2.0**-900 < squares < 2.0**900:
                continue
            if not np.isfinite(largest):
                distances[i, j] = largest
                continue
            _, exponent = math.frexp(largest)
            squares = 0.0
            for k in range(x.shape[1]):
                difference = np.float64(x[i, k]) - np.float64(y[j, k])
                squares += math.ldexp(difference, -exponent) ** 2
            distances[i, j] = math.ldexp(math.sqrt(squares), exponent)


@_parallel
def pair_dots(x, y, i, j, out):
    """out[p] = the product of rows i[p] of x and j[p] of y."""
    for p in prange(len(i)):
        total = x.dtype.type(0)
        for k in range(x.shape[1]):
            total += x[i[p], k] * y[j[p], k]
        out[p] = total


@_parallel
def pack(y, panels):
    """panels[q, k, c] = y[q * COLUMNS + c, k]; what is missing is zero."""
    for q in prange(len(panels)):
        present = min(COLUMNS, len(y) - q * COLUMNS)
        for c in range(COLUMNS):
            for k in range(y.shape[1]):
                panels[q, k, c] = y[q * COLUMNS + c, k] if c < present else 0


@_inline
def _four(x, first, panel, out):
    """out[:4] = the products of four rows of x, from the first on, with those of a panel.

    Four steps of each chain at a time, so that sums are loaded and stored a fourth as often.
    """
    out[:4] = 0
    d, whole = x.shape[1], x.shape[1] // 4 * 4
    for k in range(0, whole, 4):
        for r in range(4):
            a, b = x[first + r, k], x[first + r, k + 1]
            c, e = x[first + r, k + 2], x[first + r, k + 3]
            for j in range(panel.shape[1]):
                total = out[r, j] + a * panel[k, j]
                total = total + b * panel[k + 1, j]
                total = total + c * panel[k + 2, j]
                out[r, j] = total + e * panel[k + 3, j]
    for k in range(whole, d):
        for r in range(4):
            for j in range(panel.shape[1]):
                out[r, j] += x[first + r, k] * panel[k, j]


@_inline
def _one(x, row, panel, out):
    out[:] = 0
    for k in range(x.shape[1]):
        a = x[row, k]
        for j in range(panel.shape[1]):
            out[j] += a * panel[k, j]


@_parallel
def products(x, panel, tile):
    """tile[i] = the products of row i of x with those of a panel."""
    rows = len(x)
    for four in prange((rows + 3) // 4):
        if 4 * four + 4 <= rows:
            _four(x, 4 * four, panel, tile[4 * four : 4 * four + 4])
        else:
            for i in range(4 * four, rows):
                _one(x, i, panel, tile[i])


@_inline
def _below(values, first, last, one):
    """Return how many of ascending values, from the first to the last, are below one."""
    low, high = first, last
    while low < high:
        middle = (low + high) // 2
        if values[middle] < one:
            low = middle + 1
        else:
            high = middle
    return low - first


@_parallel
def search(keys, values, places):
    """places[p] = how many keys are below values[p]; all of them for NaN."""
    for p in prange(len(values)):
        value = values[p]
        places[p] = len(keys) if np.isnan(value) else _below(keys, 0, len(keys), value)


@_parallel
def count_above(tile, first, columns, starts, values, own, other, absolute, counts):
    """Count the cells of each row that are above so many of its values, at the last of those."""
    for i in prange(len(tile)):
        begin, end = starts[i], starts[i + 1]
        if begin == end:
            continue
        for j in range(columns):
            apart = True
            for kind in range(len(own)):
                apart = apart and own[kind, i] != other[kind, first + j]
            if apart:
                cell = abs(tile[i, j]) if absolute else tile[i, j]
                above = _below(values, begin, end, np.float64(cell))
                if above:
                    counts[begin + above - 1] += 1


@_inline
def nearest(tile, row, column, symmetric, sign, partners, cosines):
    """Take in the cells of a tile: the best of each row, the better first, then the smaller."""
    for i in range(tile.shape[0]):
        for j in range(tile.shape[1]):
            a, b = row + i, column + j
            if symmetric and b <= a:
                continue
            value = np.float64(tile[i, j])
            _admit(partners, cosines, a, b, value, sign)
            if symmetric:
                _admit(partners, cosines, b, a, value, sign)


@_inline
def _admit(partners, cosines, row, partner, value, sign):
    place = partners.shape[1]
    if np.isnan(value):
        return
    while place > 0:
        held = cosines[row, place - 1]
        better = np.isnan(held) or sign * value > sign * held
        tie = value == held and partner < partners[row, place - 1]
        if not (better or tie):
            break
        place -= 1
    if place == partners.shape[1]:
        return
    for k in range(partners.shape[1] - 1, place, -1):
        partners[row, k], cosines[row, k] = partners[row, k - 1], cosines[row, k - 1]
    partners[row, place], cosines[row, place] = partner, value


@_inline
def row_moments(tile, row, column, symmetric, sums):
    """Add the cells of a tile to the counts, sums and sums of squares of their rows."""
    fixed = 2.0**40
    for i in range(tile.shape[0]):
        for j in range(tile.shape[1]):
            a, b = row + i, column + j
            if symmetric and b <= a:
                continue
            value = np.float64(tile[i, j])
            one, two = np.int64(np.rint(value * fixed)), np.int64(np.rint(value * value * fixed))
            sums[0, a] += 1
            sums[1, a] += one
            sums[2, a] += two
            if symmetric:
                sums[0, b] += 1
                sums[1, b] += one
                sums[2, b] += two


@_inline
def _under(below, seed, stream, index, place):
    """Return the number at a place of a draw, in [0, below): see `backends.philox`."""
    low32 = np.uint64(0xFFFFFFFF)
    half = np.uint64(32)
    a, b = np.uint64(place // 2), np.uint64(index)
    c, d = stream & low32, stream >> half
    key, other = seed & low32, seed >> half
    for _ in range(10):
        first, second = a * np.uint64(0xD2511F53), c * np.uint64(0xCD9E8D57)
        a, b, c, d = (
            (second >> half) ^ b ^ key,
            second & low32,
            (first >> half) ^ d ^ other,
            first & low32,
        )
        key, other = (key + np.uint64(0x9E3779B9)) & low32, (other + np.uint64(0xBB67AE85)) & low32
    low, high = (c, d) if place % 2 else (a, b)
    wide = np.uint64(below)
    return np.int64((high * wide + ((low * wide) >> half)) >> half)


@_inline
def _draw(order, strata, taken, seed, stream, index, chosen, swapped):
    """Make the first steps of a shuffle of each stratum; note what they bring forward."""
    drawn, begin = 0, 0
    for s in range(len(strata)):
        for i in range(taken[s]):
            j = i + _under(strata[s] - i, seed, stream, index, drawn)
            order[begin + i], order[begin + j] = order[begin + j], order[begin + i]
            swapped[drawn], chosen[drawn] = begin + j, order[begin + i]
            drawn += 1
        begin += strata[s]


@_inline
def _undo(order, strata, taken, swapped):
    drawn, begin = len(swapped), len(order)
    for s in range(len(strata) - 1, -1, -1):
        begin -= strata[s]
        for i in range(taken[s] - 1, -1, -1):
            drawn -= 1
            j = swapped[drawn]
            order[begin + i], order[j] = order[j], order[begin + i]


@_parallel
def random_subsets(pool, strata, taken, seed, stream, first, places):
    """places[r] = what draw first + r takes of each stratum of the pool."""
    draws = len(places)
    for chunk in prange((draws + _TOGETHER - 1) // _TOGETHER):
        order, swapped = pool.copy(), np.empty(places.shape[1], np.int64)
        for r in range(chunk * _TOGETHER, min(draws, (chunk + 1) * _TOGETHER)):
            _draw(order, strata, taken, seed, stream, first + r, places[r], swapped)
            _undo(order, strata, taken, swapped)


@_parallel
def set_means(x, sets, sizes, means):
    """means[q, r] = the mean cosine of all pairs of the first sizes[q] rows of a set."""
    for r in prange(len(sets)):
        total = np.zeros(x.shape[1])
        done = 0
        for q in range(len(sizes)):
            for p in range(done, sizes[q]):
                for k in range(x.shape[1]):
                    total[k] += x[sets[r, p], k]
            done = sizes[q]
            squares = 0.0
            for k in range(x.shape[1]):
                squares += total[k] * total[k]
            size = np.float64(sizes[q])
            mean = (squares - size) / (size * (size - 1))
            means[q, r] = np.rint(mean * 2.0**40) / 2.0**40


@_parallel
def ranking_precisions(places, positives, total, precisions):
    """precisions[r] = the average precision of the positives, or of all but the negatives."""
    few = places.shape[1]
    for r in prange(len(places)):
        marked = np.zeros(total, np.bool_)
        for p in range(few):
            marked[places[r, p]] = True
        want = few == positives
        t, value = 0, 0.0
        for place in range(total):
            if marked[place] == want:
                t += 1
                value += t / (place + 1)
        precisions[r] = value / positives


@_parallel
def resample_counts(first, seed, stream, times):
    """times[r, i] = how often resample first + r draws item i."""
    items = times.shape[1]
    for r in prange(len(times)):
        times[r] = 0
        for place in range(items):
            times[r, _under(items, seed, stream, first + r, place)] += 1


@_parallel
def list_scores(scores, positives, negatives, precision, auc):
    """Score the lists of each draw of negatives, at each level."""
    for draw in prange(len(negatives)):
        for level in range(len(scores)):
            p, n, total, beaten = 0, 0, 0.0, 0.0
            for k in range(negatives.shape[1]):
                n += not np.isnan(scores[level, negatives[draw, k]])
            for a in range(len(positives)):
                one = scores[level, positives[a]]
                if np.isnan(one):
                    continue
                p += 1
                among, up_to, above = 0, 0, 0
                for b in range(len(positives)):
                    among += scores[level, positives[b]] >= one
                for k in range(negatives.shape[1]):
                    other = scores[level, negatives[draw, k]]
                    up_to += other >= one
                    above += other > one
                total += among / (among + up_to)
                beaten += (up_to + above) / 2
            none = p == 0 or n == 0
            precision[level, draw] = np.nan if none else total / p
            auc[level, draw] = np.nan if none else 1 - beaten / p / n
