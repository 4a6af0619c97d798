/* What the load generators share: connecting, reading the clock, sorting latencies into buckets. */
#ifndef COMMON_H
#define COMMON_H
#define _GNU_SOURCE
#include <errno.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include <fcntl.h>

static void die(const char *what) {
  fprintf(stderr, "%s: %s\n", what, strerror(errno));
  exit(2);
}

__attribute__((unused)) static double now_s(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

__attribute__((unused)) static uint64_t now_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

__attribute__((unused)) static double cpu_s(void) {
  struct rusage u;
  getrusage(RUSAGE_SELF, &u);
  return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) + (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

/* Connects with blocking calls, then makes the socket non-blocking. */
__attribute__((unused)) static int dial(const char *host, const char *port) {
  struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICHOST}, *info;
  if (getaddrinfo(host, port, &hints, &info) != 0) die("cannot read the address");
  int fd = socket(info->ai_family, SOCK_STREAM, 0), one = 1;
  if (fd < 0 || connect(fd, info->ai_addr, info->ai_addrlen) != 0) die("cannot connect");
  freeaddrinfo(info);
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  fcntl(fd, F_SETFL, O_NONBLOCK);
  return fd;
}

/* Latencies: 64 buckets for each power of two of nanoseconds, so a value is off by 1.6 % at most. */
#define BUCKETS (64 * 64)
static uint64_t buckets[BUCKETS], bucketed;

__attribute__((unused)) static void note_latency(uint64_t ns, uint64_t times) {
  int power = ns < 64 ? 6 : 63 - __builtin_clzll(ns);
  buckets[power * 64 + (int)((ns >> (power - 6)) & 63)] += times;
  bucketed += times;
}

__attribute__((unused)) static double latency_us(double share) {
  uint64_t wanted = (uint64_t)((double)bucketed * share), seen = 0;
  for (int i = 0; i < BUCKETS; i++) {
    seen += buckets[i];
    if (seen > wanted) return (double)((uint64_t)(64 + i % 64) << (i / 64 - 6)) / 1e3;
  }
  return 0;
}
#endif
