// How a kernel sees the grid it runs in. The same source is compiled for cards, by nvcc and at run
// time by CuPy, and for the processor, where blocks and threads are loops: so the very kernels are
// tested on machines without a card.
//
// A kernel is a sequence of `each`: what every thread of a block does before any goes on. What a
// thread carries from one to the next is PerThread; what threads share is SHARED. Arguments are
// pointers, i64 and double, eight bytes each, so that one call launches any kernel by name.
#pragma once

#ifndef __CUDACC__
#include <cmath>
#endif

namespace wellgram::gpu {

using s8 = signed char;
using u8 = unsigned char;
using u16 = unsigned short;
using u32 = unsigned int;
using i64 = long long;
using u64 = unsigned long long;

constexpr int THREADS = 256;

#ifdef __CUDACC__

#define KERNEL __global__ void __launch_bounds__(256)
#define DEVICE __device__ __forceinline__
#define SHARED(type, declared) __shared__ type declared
#define UNROLL _Pragma("unroll")

DEVICE i64 block_index() { return blockIdx.x; }
DEVICE i64 block_count() { return gridDim.x; }

template <class F>
DEVICE void each(F work) {
  work(static_cast<int>(threadIdx.x));
  __syncthreads();
}

template <class T>
struct PerThread {
  T value;
  DEVICE T& operator[](int) { return value; }
};

// Whole numbers only: sums that do not depend on the order of threads.
DEVICE u64 add(u64* sum, u64 value) { return atomicAdd(sum, value); }
DEVICE u32 add(u32* sum, u32 value) { return atomicAdd(sum, value); }

// Puts a value in a place; returns what was there.
DEVICE u32 exchange(u32* place, u32 value) { return atomicExch(place, value); }

DEVICE float as_float(u32 bits) { return __uint_as_float(bits); }
DEVICE u32 as_bits(float value) { return __float_as_uint(value); }
DEVICE u64 as_bits(double value) { return __double_as_longlong(value); }
DEVICE double as_double(u64 bits) { return __longlong_as_double(static_cast<i64>(bits)); }

#else

using std::exp;
using std::log;
using std::rint;
using std::sqrt;

#define KERNEL static void
#define DEVICE inline
#define SHARED(type, declared) type declared
#define UNROLL

struct Place {
  i64 index, count;
};
inline thread_local Place here;

DEVICE i64 block_index() { return here.index; }
DEVICE i64 block_count() { return here.count; }

// Every other block's threads go backwards, so that what depends on their order shows.
template <class F>
DEVICE void each(F work) {
  const bool backwards = here.index % 2 == 1;
  for (int t = 0; t < THREADS; ++t) work(backwards ? THREADS - 1 - t : t);
}

template <class T>
struct PerThread {
  T values[THREADS];
  DEVICE T& operator[](int t) { return values[t]; }
};

template <class T>
DEVICE T add(T* sum, T value) {
  const T before = *sum;
  *sum += value;
  return before;
}

DEVICE u32 exchange(u32* place, u32 value) {
  const u32 before = *place;
  *place = value;
  return before;
}

DEVICE float as_float(u32 bits) { return __builtin_bit_cast(float, bits); }
DEVICE u32 as_bits(float value) { return __builtin_bit_cast(u32, value); }
DEVICE u64 as_bits(double value) { return __builtin_bit_cast(u64, value); }
DEVICE double as_double(u64 bits) { return __builtin_bit_cast(double, bits); }

#endif

#define NOT_A_NUMBER as_double(0x7ff8000000000000)
#define MINUS_INFINITY as_double(0xfff0000000000000)

// work(i) for each i in [0, count), spread over all threads of the grid.
template <class F>
DEVICE void items(i64 count, F work) {
  each([&](int t) {
    for (i64 i = block_index() * THREADS + t; i < count; i += block_count() * THREADS) work(i);
  });
}

// A block's threads as rows of lanes: eight rows at a time, each read by 32 lanes side by side.
constexpr int LANES = 32, ROWS = THREADS / LANES;

// Sixteen bytes of a row, which begins at a multiple of that.
template <class T>
struct alignas(16) Pack {
  static constexpr int size = 16 / sizeof(T);
  T values[size];
};
template <class T>
DEVICE const Pack<T>* packs(const T* row) {
  return reinterpret_cast<const Pack<T>*>(row);
}
template <class T>
DEVICE Pack<T>* packs(T* row) {
  return reinterpret_cast<Pack<T>*>(row);
}

// The sum of the lanes' parts of each row, in an order that is always the same.
DEVICE void sum_lanes(double (&parts)[ROWS][LANES]) {
  for (int half = LANES / 2; half > 0; half /= 2)
    each([&](int t) {
      const int lane = t % LANES;
      if (lane < half) parts[t / LANES][lane] += parts[t / LANES][lane + half];
    });
}

}  // namespace wellgram::gpu
