/* Coming in over the line protocol: how many a second are let in, and told so.
 *   login-load HOST PORT CLIENTS RAMP
 * RAMP of them are under way at once; whoever is in stays, and says nothing. One is in when it has read the server's
 * whole greeting: "Connected with", and the help up to its blank line. Prints one JSON object; exit status 1 when
 * something was wrong. */
#include "common.h"

#define MAX_GREETING 16384
#define LIMIT_S 60

typedef struct {
  int fd;
  uint64_t since;
  size_t length;
  char *greeting; /* until it is whole */
} Client;

static int poller, in;
static uint64_t wrong, ended;

static void begin(Client *c, int index, const char *host, const char *port) {
  char name[32];
  int length = sprintf(name, "login%06d\n", index);
  c->since = now_ns();
  c->fd = dial(host, port);
  c->greeting = malloc(MAX_GREETING + 1);
  struct epoll_event e = {.events = EPOLLIN, .data.ptr = c};
  epoll_ctl(poller, EPOLL_CTL_ADD, c->fd, &e);
  if (send(c->fd, name, (size_t)length, MSG_NOSIGNAL) != length) die("cannot say a name");
}

static void on_readable(Client *c) {
  if (c->greeting == NULL) { /* nothing was to come any more */
    char byte;
    if (recv(c->fd, &byte, 1, 0) == 1) wrong++;
    else ended++;
    epoll_ctl(poller, EPOLL_CTL_DEL, c->fd, NULL);
    return;
  }
  ssize_t n = recv(c->fd, c->greeting + c->length, MAX_GREETING - c->length, 0);
  if (n < 0 && errno == EAGAIN) return;
  if (n <= 0) {
    ended++;
    epoll_ctl(poller, EPOLL_CTL_DEL, c->fd, NULL);
    return;
  }
  c->length += (size_t)n;
  c->greeting[c->length] = '\0';
  if (strstr(c->greeting, "\nFormat: ") == NULL || strcmp(c->greeting + c->length - 2, "\n\n") != 0) return;
  if (strncmp(c->greeting, "Connected with ", 15) != 0) wrong++;
  note_latency(now_ns() - c->since, 1);
  free(c->greeting);
  c->greeting = NULL;
  in++;
}

int main(int argc, char **argv) {
  if (argc != 5) return fprintf(stderr, "usage: login-load HOST PORT CLIENTS RAMP\n"), 64;
  int count = atoi(argv[3]), ramp = atoi(argv[4]), opened = 0;
  struct rlimit files;
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  poller = epoll_create1(0);
  Client *all = calloc((size_t)count, sizeof *all);
  double begun = now_s();
  while (in < count && ended == 0 && now_s() < begun + LIMIT_S) {
    for (; opened < count && opened - in < ramp; opened++) begin(&all[opened], opened, argv[1], argv[2]);
    struct epoll_event events[512];
    int n = epoll_wait(poller, events, 512, 100);
    for (int i = 0; i < n; i++) on_readable(events[i].data.ptr);
  }
  double span = now_s() - begun;
  printf("{\"rate\":%.1f,\"p50Us\":%.1f,\"p99Us\":%.1f,\"wrong\":%llu,\"lost\":%d,\"ended\":%llu,\"seconds\":%.3f,\"totalCpuSeconds\":%.3f}\n",
         (double)in / span, latency_us(0.5), latency_us(0.99), (unsigned long long)wrong, count - in,
         (unsigned long long)ended, span, cpu_s());
  return wrong + ended > 0 || in < count;
}
