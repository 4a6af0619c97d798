/* The least an echo server can do here: one thread, epoll, one receive and one send for what has arrived.
 *   echo-bound PORT      listens on both families */
#include "common.h"

typedef struct {
  int fd;
  unsigned char *left; /* what the peer has not taken yet; while there is some, nothing is read */
  size_t from, to;
} Connection;

static unsigned char bytes[1 << 18];

static void watch(int poller, Connection *c, uint32_t what) {
  struct epoll_event e = {.events = what, .data.ptr = c};
  epoll_ctl(poller, EPOLL_CTL_MOD, c->fd, &e);
}

static void drop(Connection *c) {
  close(c->fd);
  free(c->left);
  free(c);
}

static void on_readable(int poller, Connection *c) {
  ssize_t got = recv(c->fd, bytes, sizeof bytes, 0);
  if (got < 0 && errno == EAGAIN) return;
  if (got <= 0) return drop(c);
  ssize_t put = send(c->fd, bytes, (size_t)got, MSG_NOSIGNAL);
  if (put == got) return;
  if (put < 0 && errno != EAGAIN) return drop(c);
  if (put < 0) put = 0;
  c->from = 0, c->to = (size_t)(got - put);
  c->left = malloc(c->to);
  memcpy(c->left, bytes + put, c->to);
  watch(poller, c, EPOLLOUT);
}

static void on_writable(int poller, Connection *c) {
  ssize_t put = send(c->fd, c->left + c->from, c->to - c->from, MSG_NOSIGNAL);
  if (put < 0) {
    if (errno != EAGAIN) drop(c);
    return;
  }
  c->from += (size_t)put;
  if (c->from < c->to) return;
  free(c->left);
  c->left = NULL;
  watch(poller, c, EPOLLIN);
}

int main(int argc, char **argv) {
  if (argc != 2) return 64;
  int listener = socket(AF_INET6, SOCK_STREAM | SOCK_NONBLOCK, 0), one = 1, off = 0, poller = epoll_create1(0);
  struct sockaddr_in6 at = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)atoi(argv[1]))};
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  setsockopt(listener, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
  if (bind(listener, (struct sockaddr *)&at, sizeof at) != 0 || listen(listener, 4096) != 0) die("cannot listen");
  struct epoll_event e = {.events = EPOLLIN, .data.ptr = NULL}, events[512];
  epoll_ctl(poller, EPOLL_CTL_ADD, listener, &e);
  for (;;) {
    int n = epoll_wait(poller, events, 512, -1);
    for (int i = 0; i < n; i++) {
      Connection *c = events[i].data.ptr;
      if (c != NULL && c->left != NULL) on_writable(poller, c);
      else if (c != NULL) on_readable(poller, c);
      else for (int fd; (fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0;) {
          setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
          Connection *fresh = calloc(1, sizeof *fresh);
          fresh->fd = fd;
          struct epoll_event add = {.events = EPOLLIN, .data.ptr = fresh};
          epoll_ctl(poller, EPOLL_CTL_ADD, fd, &add);
        }
    }
  }
}
