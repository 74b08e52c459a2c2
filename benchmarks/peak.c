/* What this processor can do at best: multiply-adds on registers, and copies of memory.
 * Built once per instruction set by pairs.py: cc -O2 -DWIDTH=64 -mavx512f (or 32, -mavx2 -mfma).
 * Prints flops per second of one thread per line of THREADS in all, then bytes per second copied. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef float Vector __attribute__((vector_size(WIDTH)));
enum { CHAINS = 12, LANES = WIDTH / 4 };

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void *multiply_add(void *seconds) {
  Vector sum[CHAINS], x, y;
  for (int i = 0; i < CHAINS; ++i)
    for (int l = 0; l < LANES; ++l) sum[i][l] = (float)i;
  for (int l = 0; l < LANES; ++l) {
    x[l] = 0.9999f;
    y[l] = 1e-9f;
  }
  long steps = 0;
  const double began = now(), wanted = *(double *)seconds;
  double spent;
  do {
    for (int k = 0; k < 1000000; ++k)
#pragma GCC unroll 12
      for (int i = 0; i < CHAINS; ++i) sum[i] = sum[i] * x + y;
    steps += 1000000;
    spent = now() - began;
  } while (spent < wanted);
  volatile float used = 0;
  for (int i = 0; i < CHAINS; ++i) used += sum[i][0];
  *(double *)seconds = (double)steps * CHAINS * LANES * 2 / spent;
  return NULL;
}

int main(int argc, char **argv) {
  const int threads = argc > 1 ? atoi(argv[1]) : 1;
  pthread_t team[256];
  double flops[256], all = 0;
  for (int t = 0; t < threads; ++t) {
    flops[t] = 0.5;
    pthread_create(&team[t], NULL, multiply_add, &flops[t]);
  }
  for (int t = 0; t < threads; ++t) {
    pthread_join(team[t], NULL);
    all += flops[t];
  }
  const size_t bytes = (size_t)256 << 20;
  char *from = malloc(bytes), *to = malloc(bytes);
  memset(from, 1, bytes);
  memset(to, 1, bytes);
  double best = 1e9;
  for (int r = 0; r < 5; ++r) {
    const double began = now();
    memcpy(to, from, bytes);
    best = now() - began < best ? now() - began : best;
  }
  printf("%g %g\n", all, 2 * (double)bytes / best);
  return to[bytes / 2] != 1;
}
