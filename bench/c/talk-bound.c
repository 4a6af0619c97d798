/* The least a chat server can do here: one thread, epoll, an outbox for each client, one send for each in a turn.
 *   talk-bound PORT      listens on both families; the line protocol as far as talk-load speaks it to all */
#include "common.h"
#include <netinet/in.h>

#define MAX_CLIENTS 4096
#define MAX_REST 65536

typedef struct {
  int fd, index, is_dirty, wants_write;
  size_t rest_length, out_length, out_size;
  char name[32], *rest, *out;
} Client;

static Client *all[MAX_CLIENTS], *dirty[MAX_CLIENTS];
static int count, dirty_count, poller;
static char bytes[MAX_REST + (1 << 18)], date[32];

static void watch(Client *c, int operation) {
  struct epoll_event e = {.events = EPOLLIN | (c->wants_write ? EPOLLOUT : 0u), .data.ptr = c};
  epoll_ctl(poller, operation, c->fd, &e);
}

static void flush(Client *c) {
  ssize_t sent = c->out_length > 0 ? send(c->fd, c->out, c->out_length, MSG_NOSIGNAL) : 0;
  if (sent < 0) sent = 0; /* what broke shows when it is read */
  c->out_length -= (size_t)sent;
  memmove(c->out, c->out + sent, c->out_length);
  int wants_write = c->out_length > 0;
  if (wants_write == c->wants_write) return;
  c->wants_write = wants_write;
  watch(c, EPOLL_CTL_MOD);
}

static void put(Client *c, const char *text, size_t length) {
  if (c->out_length + length > c->out_size) c->out = realloc(c->out, c->out_size = (c->out_length + length) * 2);
  memcpy(c->out + c->out_length, text, length);
  c->out_length += length;
  if (!c->is_dirty) c->is_dirty = 1, dirty[dirty_count++] = c;
}

static void on_line(Client *c, const char *line, size_t length) {
  static char said[MAX_REST + 128];
  if (c->name[0] == '\0') {
    memcpy(c->name, line, length < sizeof c->name - 1 ? length : sizeof c->name - 1);
  } else if (length > 9 && memcmp(line, "send all ", 9) == 0) {
    size_t size = (size_t)sprintf(said, "%s\n%s (broadcasted) : ", date, c->name);
    memcpy(said + size, line + 9, length - 9);
    size += length - 9;
    said[size++] = '\n';
    for (int i = 0; i < count; i++) if (all[i] != c) put(all[i], said, size);
  } else if (length == 8 && memcmp(line, "get_list", 8) == 0) {
    for (int i = 0; i < count; i++) put(c, all[i]->name, strlen(all[i]->name)), put(c, i + 1 < count ? " " : "\n", 1);
  }
}

static void drop(Client *c) {
  close(c->fd);
  all[c->index] = all[--count];
  all[c->index]->index = c->index;
  for (int i = 0; i < dirty_count; i++) if (dirty[i] == c) dirty[i] = dirty[--dirty_count];
  free(c->rest), free(c->out), free(c);
}

static void on_readable(Client *c) {
  memcpy(bytes, c->rest, c->rest_length);
  ssize_t n = recv(c->fd, bytes + c->rest_length, sizeof bytes - MAX_REST, 0);
  if (n < 0 && errno == EAGAIN) return;
  if (n <= 0) return drop(c);
  char *p = bytes, *end = bytes + c->rest_length + n, *lf;
  for (; (lf = memchr(p, '\n', (size_t)(end - p))) != NULL; p = lf + 1) on_line(c, p, (size_t)(lf - p));
  if (end - p > MAX_REST) return drop(c);
  c->rest_length = (size_t)(end - p);
  memcpy(c->rest, p, c->rest_length);
}

static void accept_all(int listener) {
  for (int fd, one = 1; count < MAX_CLIENTS && (fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0;) {
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    Client *c = all[count] = calloc(1, sizeof *c);
    c->fd = fd, c->index = count++, c->rest = malloc(MAX_REST);
    watch(c, EPOLL_CTL_ADD);
  }
}

int main(int argc, char **argv) {
  if (argc != 2) return fprintf(stderr, "usage: talk-bound PORT\n"), 64;
  struct sockaddr_in6 address = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)atoi(argv[1]))};
  int listener = socket(AF_INET6, SOCK_STREAM | SOCK_NONBLOCK, 0), one = 1, off = 0;
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  setsockopt(listener, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
  if (bind(listener, (struct sockaddr *)&address, sizeof address) != 0 || listen(listener, 4096) != 0) die("cannot listen");
  poller = epoll_create1(0);
  struct epoll_event events[512], e = {.events = EPOLLIN};
  epoll_ctl(poller, EPOLL_CTL_ADD, listener, &e);
  for (;;) {
    int n = epoll_wait(poller, events, 512, -1);
    time_t now = time(NULL);
    strftime(date, sizeof date, "%Y-%m-%d %H:%M:%S", gmtime(&now));
    for (int i = 0; i < n; i++) {
      Client *c = events[i].data.ptr;
      if (c == NULL) { accept_all(listener); continue; }
      if (events[i].events & EPOLLOUT) flush(c);
      if (events[i].events & ~(uint32_t)EPOLLOUT) on_readable(c);
    }
    for (int i = 0; i < dirty_count; i++) dirty[i]->is_dirty = 0, flush(dirty[i]);
    dirty_count = 0;
  }
}
