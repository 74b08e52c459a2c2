// Ranking, in three steps: a tally of the bins, which waits for memory and is made beside products;
// picking out what is near a key; and finding it its place among the keys of a line.
#pragma once

#include "cpu/simd/lanes.hpp"

namespace wellgram::WELLGRAM_ISA {
namespace {

// Grows with the value because each operation does, rounded.
template <class T>
inline void bins_of(Vector<T> values, const RankGrid<T>& grid, std::int32_t* out) {
  using Whole = typename Lanes<T>::Whole;
  const auto zero = broadcast(T(0)), one = broadcast(T(1)), half = broadcast(grid.half);
  const auto z = (values - broadcast(grid.centre)) * broadcast(grid.rate);
  const auto far = z < zero ? -z : z;
  const auto rest = one / (one + far * (one + far + far));
  const auto share = one - rest * rest;
  const auto place = (one + (z < zero ? -share : share)) * half;
  const auto end = half + half + one;
  const Whole whole = __builtin_convertvector(place < end ? place : end, Whole);
  __builtin_memcpy(out, &whole, sizeof whole);
}

template <class T>
void find_bins(const T* v, Index count, const RankGrid<T>& grid, std::int32_t* bins) {
  for (Index k = 0; k < count; k += Lanes<T>::count) bins_of(load(v + k), grid, bins + k);
}

// A vector of values as integers of the same order; NaN as the largest.
template <class T>
inline void order(Vector<T> values, Ordered<T>* out) {
  using Integers = typename Lanes<T>::OrderedVector;
  const Integers all = Integers{} + std::numeric_limits<Ordered<T>>::max();
  const Integers bits = reinterpret_cast<Integers>(values + T(0));
  const auto number = reinterpret_cast<Integers>(values == values);
  const Integers keys = ((bits ^ ((bits < 0) & all)) & number) | (all & ~number);
  __builtin_memcpy(out, &keys, sizeof keys);
}

// How many of the keys of a line are less than a value.
template <class Key>
inline int keys_below(const Key* keys, Key value) {
  int below = 0;
  for (int k = 0; k < line_keys; ++k) below += keys[k] < value;
  return below;
}
#if defined(__AVX2__)
template <>
inline int keys_below(const std::int32_t* keys, std::int32_t value) {
  const __m256i all = _mm256_load_si256(reinterpret_cast<const __m256i*>(keys));
  const __m256i less = _mm256_cmpgt_epi32(_mm256_set1_epi32(value), all);
  return __builtin_popcount(static_cast<unsigned>(_mm256_movemask_ps(_mm256_castsi256_ps(less))));
}
#endif

// Makes a tally step by step: every bin is sent for some steps ahead of its turn.
template <class T>
struct TallySteps {
  static constexpr Index cells = Tile<T>::rows * Tile<T>::columns, ahead = 16;
  static constexpr Index count = cells + ahead;
  const Tally tally;

  [[gnu::always_inline]] void step(Index s) const {
    if (s < cells) __builtin_prefetch(tally.bins + tally.places[s], 1);
    if (s < ahead) return;
    std::uint8_t& bin = tally.bins[tally.places[s - ahead]];
    bin = static_cast<std::uint8_t>(bin + (bin < full_bin));
    tally.notes[s - ahead] = bin;
  }
};

template <class T>
void tally(const Tally& tally) {
  const TallySteps<T> steps{tally};
  for (Index s = 0; s < steps.count; ++s) steps.step(s);
}

// The upper bits of 8 notes as the bits of a byte (little-endian, as all sets are).
inline std::uint64_t upper_bits(const std::uint8_t* notes) {
  std::uint64_t eight;
  __builtin_memcpy(&eight, notes, sizeof eight);
  return (eight >> 7 & 0x0101010101010101) * 0x0102040810204080 >> 56;
}

template <class T>
void pick(const T* v, Index count, const Tally& tally, KeyWork<T>& work) {
  Picked<T> near = work.near, full = work.full;
  near.count = full.count = 0;
  for (Index first = 0; first < count; first += 64) {
    std::uint64_t bits = 0;
    for (Index k = 0; k < 64 && first + k < count; k += 8)
      bits |= upper_bits(tally.notes + first + k) << k;
    if (count - first < 64) bits &= (std::uint64_t(1) << (count - first)) - 1;
    for (; bits != 0; bits &= bits - 1) {
      const Index k = first + __builtin_ctzll(bits);
      __builtin_prefetch(&work.lines[tally.places[k] >> line_bins_log2], 1);
      // Written to both and kept by moving on: a branch would often go the way not foreseen.
      const bool is_near = tally.notes[k] == keyed_bin;
      near.values[near.count] = full.values[full.count] = v[k];
      near.places[near.count] = full.places[full.count] = tally.places[k];
      near.count += is_near;
      full.count += !is_near;
    }
  }
  work.near = near;
  work.full = full;
}

// The place among all keys, where a line has too many.
template <class T>
[[gnu::noinline]] std::uint32_t search(const KeyWork<T>& work, Ordered<T> key, Index line) {
  std::uint32_t first = work.first_key[line], end = work.first_key[line + 1];
  while (first < end) {
    const std::uint32_t middle = first + (end - first) / 2;
    if (work.keys[middle] < key)
      first = middle + 1;
    else
      end = middle;
  }
  return first;
}

// Moves a full counter of a line to that of the key.
template <class T>
[[gnu::noinline]] void empty(const KeyWork<T>& work, Index line, int slot) {
  std::uint16_t& count = work.lines[line].counts[slot];
  const std::uint16_t start = count < full_count ? kept_count : 0;
  work.counts[work.first_key[line] + slot] += static_cast<std::uint16_t>(count - start);
  count = start;
}

// Counts a value so many times; returns whether it is to be kept.
template <class T>
inline bool count_one(const KeyWork<T>& work, Ordered<T> value, std::int32_t place,
                      std::uint16_t times) {
  const Index line = place >> line_bins_log2;
  RankLine<T>& keys = work.lines[line];
  const int slot = keys_below(keys.keys, value);
  if (slot == line_keys) [[unlikely]] {
    const std::uint32_t key = search(work, value, line);
    work.counts[key] += times;
    work.equal[key] += work.keys[key] == value;
    return work.keeps[key];
  }
  const std::uint16_t before = keys.counts[slot], after = before + times;
  keys.counts[slot] = after;
  if ((before ^ after) & full_count) [[unlikely]]
    empty(work, line, slot);
  const std::uint16_t same = keys.keys[slot] == value;
  keys.equal[slot] += same;
  if (keys.equal[slot] < same) [[unlikely]]
    work.equal[work.first_key[line] + slot] += 1 << 16;
  return before / full_count;
}

template <class T>
void count_by_key(const KeyWork<T>& work) {
  Ordered<T> value[max_tile];
  const auto order_all = [&](const Picked<T>& some) {
    for (Index k = 0; k < some.count; k += Lanes<T>::count)
      order<T>(load(some.values + k), value + k);
  };
  order_all(work.near);
  Kept<T> kept = *work.kept;
  for (Index k = 0; k < work.near.count; ++k) {
    kept.values[kept.count] = work.near.values[k];  // and kept by moving on, as above
    kept.count += count_one(work, value[k], work.near.places[k], 1) & kept.more;
  }
  *work.kept = kept;
  // The value that filled a bin stands for all in it. Others may have come before it was emptied.
  order_all(work.full);
  for (Index k = 0; k < work.full.count; ++k) {
    std::uint8_t& bin = work.bins[work.full.places[k]];
    const bool is_full = bin == full_bin;
    if (is_full) bin = 0;
    count_one(work, value[k], work.full.places[k], is_full ? full_bin : 1);
  }
}

}  // namespace
}  // namespace wellgram::WELLGRAM_ISA
