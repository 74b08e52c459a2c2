// Random sets and what is made of them. Draws are Philox4x32-10 (Salmon et al. 2011): the twin of
// csrc/common/philox.hpp.
#pragma once

#include "grid.hpp"

namespace wellgram::gpu {

// A whole number in [0, below): what stands at a place of a draw.
DEVICE u64 drawn_under(u64 below, u64 seed, u64 stream, u64 index, u64 place) {
  u32 a = static_cast<u32>(place / 2), b = static_cast<u32>(index);
  u32 c = static_cast<u32>(stream), d = static_cast<u32>(stream >> 32);
  u32 key = static_cast<u32>(seed), other = static_cast<u32>(seed >> 32);
  for (int round = 0; round < 10; ++round) {
    const u64 first = u64(0xD2511F53) * a, second = u64(0xCD9E8D57) * c;
    a = static_cast<u32>(second >> 32) ^ b ^ key;
    b = static_cast<u32>(second);
    c = static_cast<u32>(first >> 32) ^ d ^ other;
    d = static_cast<u32>(first);
    key += 0x9E3779B9;
    other += 0xBB67AE85;
  }
  const u64 low = place % 2 ? c : a, high = place % 2 ? d : b;
  return (high * below + ((low * below) >> 32)) >> 32;
}

// order[w] = 0, 1, ... for each worker.
KERNEL identity(u32* order, i64 pool, i64 workers) {
  items(pool * workers, [&](i64 place) { order[place] = static_cast<u32>(place % pool); });
}

// places[r] = what draw first + r takes of each stratum of a pool: the first steps of a shuffle. A
// thread is a worker, with an order of its own that it leaves as it was.
KERNEL random_subsets(const i64* strata, const i64* taken, i64 count, i64 all, i64 pool, i64 seed,
                      i64 stream, i64 first, i64 draws, u32* orders, i64 workers, i64* places) {
  items(workers, [&](i64 w) {
    u32* order = orders + w * pool;
    for (i64 r = w; r < draws; r += workers) {
      i64 place = 0, begin = 0;
      for (i64 s = 0; s < count; begin += strata[s++])
        for (i64 i = 0; i < taken[s]; ++i, ++place) {
          const i64 j =
              i + static_cast<i64>(drawn_under(strata[s] - i, seed, stream, first + r, place));
          const u32 chosen = order[begin + j];
          order[begin + j] = order[begin + i];
          order[begin + i] = chosen;
          places[r * all + place] = chosen;
        }
      place = begin = 0;
      for (i64 s = 0; s < count; begin += strata[s++])
        for (i64 i = 0; i < taken[s]; ++i, ++place) {
          const i64 j =
              i + static_cast<i64>(drawn_under(strata[s] - i, seed, stream, first + r, place));
          order[begin + i] = static_cast<u32>(begin + i);
          order[begin + j] = static_cast<u32>(begin + j);
        }
    }
  });
}

// means[q, r] = the mean cosine of all pairs of the first sizes[q] rows of set r. A block adds up
// one set at a time, in sums (blocks, d) of its own.
template <class T>
KERNEL set_means(const T* x, i64 stride, i64 d, const i64* pool, const i64* places, i64 taken,
                 i64 draws, const i64* sizes, i64 count, double* sums, double* means) {
  SHARED(double, parts[ROWS][LANES]);
  double* sum = sums + block_index() * d;
  for (i64 r = block_index(); r < draws; r += block_count()) {
    each([&](int t) {
      for (i64 k = t; k < d; k += THREADS) sum[k] = 0;
    });
    for (i64 q = 0; q < count; ++q) {
      const i64 begin = q == 0 ? 0 : sizes[q - 1];
      each([&](int t) {
        double squares = 0;
        for (i64 k = t; k < d; k += THREADS) {
          double total = sum[k];
          for (i64 p = begin; p < sizes[q]; ++p)
            total += static_cast<double>(x[pool[places[r * taken + p]] * stride + k]);
          sum[k] = total;
          squares += total * total;
        }
        parts[t / LANES][t % LANES] = squares;
      });
      sum_lanes(parts);
      each([&](int t) {
        if (t != 0) return;
        double squares = 0;
        for (int w = 0; w < ROWS; ++w) squares += parts[w][0];
        const double size = static_cast<double>(sizes[q]);
        const double mean = (squares - size) / (size * (size - 1));
        means[q * draws + r] = rint(mean * 0x1p40) / 0x1p40;
      });
    }
  }
}

// precisions[r] = the average precision of a ranking, of which `places` are the positives, or all
// but the positives where those are fewer. A worker's marks are zero before and after.
KERNEL ranking_precisions(const i64* places, i64 few, i64 draws, i64 positives, i64 total,
                          u8* all_marks, i64 workers, double* precisions) {
  items(workers, [&](i64 w) {
    u8* marks = all_marks + w * total;
    for (i64 r = w; r < draws; r += workers) {
      for (i64 p = 0; p < few; ++p) marks[places[r * few + p]] = 1;
      const u8 wanted = few == positives;
      i64 t = 0;
      double sum = 0;
      for (i64 place = 0; place < total; ++place)
        if (marks[place] == wanted)
          sum += static_cast<double>(++t) / static_cast<double>(place + 1);
      precisions[r] = sum / static_cast<double>(positives);
      for (i64 p = 0; p < few; ++p) marks[places[r * few + p]] = 0;
    }
  });
}

// times[r, item]: how often resample first + r draws an item. They are zero before.
KERNEL resample_counts(i64 items_, i64 draws, i64 seed, i64 stream, i64 first, u32* times) {
  items(draws * items_, [&](i64 cell) {
    const i64 r = cell / items_;
    const u64 item = drawn_under(items_, seed, stream, first + r, cell % items_);
    add(&times[r * items_ + item], 1u);
  });
}

// The average precision and ROC AUC of each list: see the contract.
template <class T>
KERNEL list_scores(const T* scores, i64 levels, i64 stride, const i64* positives, i64 p,
                   const i64* negatives, i64 draws, i64 q, double* precision, double* auc) {
  items(levels * draws, [&](i64 cell) {
    const T* score = scores + cell / draws * stride;
    const i64* drawn = negatives + cell % draws * q;
    i64 present = 0, others = 0;
    double total = 0, beaten = 0;
    for (i64 k = 0; k < q; ++k) others += score[drawn[k]] == score[drawn[k]];
    for (i64 a = 0; a < p; ++a) {
      const T one = score[positives[a]];
      if (one != one) continue;
      i64 among = 0, up_to = 0, above = 0;
      for (i64 b = 0; b < p; ++b) among += score[positives[b]] >= one;
      for (i64 k = 0; k < q; ++k) {
        up_to += score[drawn[k]] >= one;
        above += score[drawn[k]] > one;
      }
      ++present;
      total += static_cast<double>(among) / static_cast<double>(among + up_to);
      beaten += static_cast<double>(up_to + above) / 2;
    }
    const bool none = present == 0 || others == 0;
    precision[cell] = none ? NOT_A_NUMBER : total / static_cast<double>(present);
    auc[cell] = none ? NOT_A_NUMBER
                     : 1 - beaten / static_cast<double>(present) / static_cast<double>(others);
  });
}

}  // namespace wellgram::gpu
