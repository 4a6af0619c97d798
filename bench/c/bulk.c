/* Much content that can be told from any other: writes it, or reads it and compares every byte.

     bulk write BYTES      to standard output
     bulk check BYTES      from standard input, to its end; one line of JSON

   It is made of blocks: the number of the block, then bytes by a seed, the same in each. The rate counts from the first
   byte that came to the end, so that coming in is not in it. "lost" are bytes that are missing or too many, "wrong" those
   that are others. */
#include "common.h"

#define BLOCK 65536

static unsigned char block[BLOCK];

static void fill(void) {
  uint64_t x = 88172645463325252ull;
  for (size_t i = 0; i < BLOCK; i += 8) {
    x ^= x << 13, x ^= x >> 7, x ^= x << 17;
    memcpy(block + i, &x, 8);
  }
}

static void number(uint64_t n) { memcpy(block, &n, 8); }

static int put(long long left) {
  for (uint64_t n = 0; left > 0; n++) {
    size_t size = left < BLOCK ? (size_t)left : BLOCK;
    number(n);
    for (size_t at = 0; at < size;) {
      ssize_t sent = write(1, block + at, size - at);
      if (sent < 0) die("write");
      at += (size_t)sent;
    }
    left -= (long long)size;
  }
  return 0;
}

static int check(long long expected) {
  static unsigned char got[BLOCK];
  long long read_all = 0, wrong = 0;
  double from = 0;
  for (uint64_t n = 0;; n++) {
    size_t size = 0;
    for (ssize_t came; size < BLOCK && (came = read(0, got + size, BLOCK - size)) > 0; size += (size_t)came)
      if (from == 0) from = now_s();
    number(n);
    if (memcmp(got, block, size) != 0)
      for (size_t i = 0; i < size; i++) wrong += got[i] != block[i];
    read_all += (long long)size;
    if (size < BLOCK) break;
  }
  long long lost = read_all < expected ? expected - read_all : read_all - expected;
  printf("{\"rate\":%.3f,\"lost\":%lld,\"wrong\":%lld}\n", (double)read_all / 1e6 / (now_s() - from), lost, wrong);
  return lost != 0 || wrong != 0;
}

int main(int argc, char **argv) {
  if (argc != 3) die("usage: bulk write|check BYTES");
  fill();
  return strcmp(argv[1], "write") == 0 ? put(atoll(argv[2])) : check(atoll(argv[2]));
}
