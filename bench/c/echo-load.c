/* Load for an echo server. Every byte that comes back is compared.
 *   echo-load HOST PORT stream|trips CONNECTIONS SECONDS WARMUP BYTES
 * stream: blocks of BYTES, up to 1 MiB under way on each connection. trips: one message of BYTES at a time.
 * Prints one JSON object; exit status 1 when a byte was wrong, missing or a connection ended. */
#include "common.h"

#define IN_FLIGHT (1 << 20)
#define PATTERN 999983 /* prime, so that it never lines up with blocks */

typedef struct {
  int fd, wants_write;
  uint64_t sent, received;
  double since;
} Connection;

static unsigned char *pattern; /* PATTERN bytes, then enough of it again to read on past the end */
static unsigned char inbox[1 << 18];
static int poller;
static uint64_t wrong, ended, total_bytes, total_trips;
static double started, until;

static void want(Connection *c, int write) {
  if (c->wants_write == write) return;
  struct epoll_event e = {.events = EPOLLIN | (write ? EPOLLOUT : 0), .data.ptr = c};
  epoll_ctl(poller, EPOLL_CTL_MOD, c->fd, &e);
  c->wants_write = write;
}

/* Sends up to `limit` bytes beyond what has been received, in blocks. */
static void send_more(Connection *c, uint64_t limit, uint64_t block) {
  while (c->sent < c->received + limit) {
    uint64_t room = c->received + limit - c->sent;
    ssize_t n = send(c->fd, pattern + c->sent % PATTERN, room < block ? room : block, MSG_NOSIGNAL);
    if (n < 0) {
      if (errno == EAGAIN) return want(c, 1);
      ended++;
      return;
    }
    c->sent += (uint64_t)n;
  }
  want(c, 0);
}

static ssize_t receive(Connection *c) {
  ssize_t n = recv(c->fd, inbox, sizeof inbox, 0);
  if (n < 0 && errno == EAGAIN) return 0;
  if (n <= 0) {
    ended++;
    epoll_ctl(poller, EPOLL_CTL_DEL, c->fd, NULL);
    return -1;
  }
  if (memcmp(inbox, pattern + c->received % PATTERN, (size_t)n) != 0) wrong++;
  c->received += (uint64_t)n;
  return n;
}

int main(int argc, char **argv) {
  if (argc != 8) return fprintf(stderr, "usage: echo-load HOST PORT stream|trips CONNECTIONS SECONDS WARMUP BYTES\n"), 64;
  int is_stream = strcmp(argv[3], "stream") == 0, count = atoi(argv[4]);
  double seconds = atof(argv[5]), warmup = atof(argv[6]);
  uint64_t size = (uint64_t)atoll(argv[7]), limit = is_stream ? IN_FLIGHT : size;
  pattern = malloc(PATTERN + (1 << 20));
  uint32_t state = 2463534242u;
  for (int i = 0; i < PATTERN; i++) {
    state ^= state << 13, state ^= state >> 17, state ^= state << 5;
    pattern[i] = (unsigned char)state;
  }
  for (int i = 0; i < 1 << 20; i++) pattern[PATTERN + i] = pattern[i % PATTERN];
  poller = epoll_create1(0);
  Connection *all = calloc((size_t)count, sizeof *all);
  for (int i = 0; i < count; i++) {
    all[i].fd = dial(argv[1], argv[2]);
    struct epoll_event e = {.events = EPOLLIN, .data.ptr = &all[i]};
    epoll_ctl(poller, EPOLL_CTL_ADD, all[i].fd, &e);
  }
  double begun = now_s(), cpu = 0;
  started = begun + warmup, until = started + seconds;
  for (int i = 0; i < count; i++) all[i].since = begun, send_more(&all[i], limit, size);
  int is_measuring = 0, is_over = 0;
  uint64_t under_way = 1;
  for (double now = begun; under_way > 0 && ended == 0 && now < until + 5;) {
    struct epoll_event events[512];
    int n = epoll_wait(poller, events, 512, 100);
    now = now_s();
    if (!is_measuring && now >= started) is_measuring = 1, started = now, cpu = cpu_s();
    if (!is_over && now >= until) is_over = 1, until = now, cpu = cpu_s() - cpu;
    for (int i = 0; i < n; i++) {
      Connection *c = events[i].data.ptr;
      ssize_t got = events[i].events & ~(uint32_t)EPOLLOUT ? receive(c) : 0;
      if (got < 0) continue;
      if (is_measuring && !is_over) total_bytes += (uint64_t)got;
      if (is_stream) {
        if (!is_over) send_more(c, limit, size);
      } else if (got > 0 && c->received == c->sent && c->sent % size == 0) {
        double at = now_s();
        if (is_measuring && !is_over) total_trips++, note_latency((uint64_t)((at - c->since) * 1e9), 1);
        c->since = at;
        if (!is_over) send_more(c, limit, size);
      } else if (c->wants_write) {
        send_more(c, limit, size);
      }
    }
    if (is_over) {
      under_way = 0;
      for (int i = 0; i < count; i++) under_way += all[i].sent - all[i].received;
    }
  }
  double span = until - started;
  printf("{\"rate\":%.1f,\"p50Us\":%.1f,\"p99Us\":%.1f,\"wrong\":%llu,\"lost\":%llu,\"ended\":%llu,\"seconds\":%.3f,\"cpuSeconds\":%.3f,\"totalCpuSeconds\":%.3f}\n",
         is_stream ? (double)total_bytes / 1e6 / span : (double)total_trips / span, latency_us(0.5), latency_us(0.99),
         (unsigned long long)wrong, (unsigned long long)under_way, (unsigned long long)ended, span, cpu, cpu_s());
  return wrong + under_way + ended > 0;
}
