/* Load for the line protocol: some of the clients send to all, every client checks what it gets.
 *   broadcast-load HOST PORT CLIENTS SENDERS WINDOW SECONDS WARMUP
 * A sender has WINDOW messages under way: a message is done when everybody else has it. Each one names its sender, its
 * number and its time and ends in text that follows from them: what is missing, repeated, out of order or altered is
 * counted. Prints one JSON object; exit status 1 when something was wrong. */
#include "common.h"

#define PAYLOAD 100
#define MARK "@@"
#define HEAD 36 /* @@ sender(5) number(10) nanoseconds(16) and three blanks */
#define MAX_LINE 70000

typedef struct {
  int fd, index, length, has_joined;
  uint32_t *expected; /* number of the next message of each sender */
  uint32_t next, *missing; /* a sender's next number; for each message of its window, how many have not got it */
  int under_way, wants_send;
  char name[16], *line;
} Client;

static int count, senders, window, poller;
static uint64_t lost, repeated, altered, ended, deliveries;
static Client *all;
static int is_measuring, is_over, *ready, ready_count;
static char inbox[1 << 18];

static uint64_t now_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void fill(char *to, uint32_t sender, uint32_t number) {
  for (int i = 0; i < PAYLOAD - HEAD; i++) to[i] = (char)('a' + (sender * 7 + number * 13 + (uint32_t)i) % 26);
}

/* All that the sender may send now, in one write. */
static void send_more(Client *c) {
  static char out[1 << 18];
  size_t length = 0;
  while (!is_over && c->under_way < window && length + 200 < sizeof out) {
    c->missing[c->next % (uint32_t)window] = (uint32_t)count - 1;
    length += (size_t)sprintf(out + length, "send all " MARK "%05d %010u %016llu ", c->index, c->next, (unsigned long long)now_ns());
    fill(out + length, (uint32_t)c->index, c->next);
    length += PAYLOAD - HEAD;
    out[length++] = '\n';
    c->next++, c->under_way++;
  }
  for (size_t at = 0; at < length;) {
    ssize_t n = send(c->fd, out + at, length - at, MSG_NOSIGNAL);
    if (n > 0) at += (size_t)n;
    else if (n < 0 && errno != EAGAIN) { ended++; return; }
  }
}

static void on_message(Client *c, const char *text, size_t length, uint64_t at) {
  char body[PAYLOAD - HEAD];
  unsigned sender = (unsigned)atoi(text + 2), number = (unsigned)strtoul(text + 8, NULL, 10);
  if (length != PAYLOAD || sender >= (unsigned)senders || (int)sender == c->index) { altered++; return; }
  fill(body, sender, number);
  if (memcmp(body, text + HEAD, sizeof body) != 0) { altered++; return; }
  uint32_t wanted = c->expected[sender];
  if (number < wanted) { repeated++; return; }
  lost += number - wanted;
  c->expected[sender] = number + 1;
  if (is_measuring && !is_over) deliveries++, note_latency(at - strtoull(text + 19, NULL, 10), 1);
  Client *from = &all[sender];
  uint32_t *missing = &from->missing[number % (uint32_t)window];
  if (--*missing > 0) return;
  from->under_way--;
  if (!from->wants_send) from->wants_send = 1, ready[ready_count++] = (int)sender;
}

static void on_line(Client *c, char *line, size_t length, uint64_t at) {
  if (length > 0 && line[length - 1] == '\r') length--;
  line[length] = 0;
  char *mark = strstr(line, MARK);
  if (mark != NULL) on_message(c, mark, length - (size_t)(mark - line), at);
  else if (!c->has_joined && strstr(line, c->name) != NULL) c->has_joined = 1;
}

static void on_readable(Client *c) {
  ssize_t n = recv(c->fd, inbox, sizeof inbox - 1, 0);
  if (n < 0 && errno == EAGAIN) return;
  if (n <= 0) {
    ended++;
    epoll_ctl(poller, EPOLL_CTL_DEL, c->fd, NULL);
    return;
  }
  uint64_t at = now_ns();
  char *p = inbox, *end = inbox + n, *lf;
  while ((lf = memchr(p, '\n', (size_t)(end - p))) != NULL) {
    if (c->length == 0) on_line(c, p, (size_t)(lf - p), at);
    else {
      memcpy(c->line + c->length, p, (size_t)(lf - p));
      on_line(c, c->line, (size_t)c->length + (size_t)(lf - p), at);
      c->length = 0;
    }
    p = lf + 1;
  }
  if (c->length + (end - p) >= MAX_LINE) errno = EMSGSIZE, die("a line has no end");
  memcpy(c->line + c->length, p, (size_t)(end - p));
  c->length += (int)(end - p);
}

static int poll_once(int timeout_ms) {
  struct epoll_event events[512];
  int n = epoll_wait(poller, events, 512, timeout_ms);
  for (int i = 0; i < n; i++) on_readable(events[i].data.ptr);
  return n;
}

static void join(Client *c, const char *host, const char *port) {
  char hello[64];
  c->fd = dial(host, port);
  c->line = malloc(MAX_LINE + (1 << 18));
  c->expected = calloc((size_t)senders, sizeof *c->expected);
  c->missing = calloc((size_t)window, sizeof *c->missing);
  sprintf(c->name, "bench%05d", c->index);
  int length = sprintf(hello, "%s\nget_list\n", c->name);
  struct epoll_event e = {.events = EPOLLIN, .data.ptr = c};
  epoll_ctl(poller, EPOLL_CTL_ADD, c->fd, &e);
  if (send(c->fd, hello, (size_t)length, MSG_NOSIGNAL) != length) die("cannot log in");
  for (double limit = now_s() + 10; !c->has_joined;) {
    poll_once(100);
    if (now_s() > limit || ended > 0) fprintf(stderr, "client %d is not let in\n", c->index), exit(2);
  }
}

int main(int argc, char **argv) {
  if (argc != 8) return fprintf(stderr, "usage: broadcast-load HOST PORT CLIENTS SENDERS WINDOW SECONDS WARMUP\n"), 64;
  count = atoi(argv[3]), senders = atoi(argv[4]), window = atoi(argv[5]);
  double seconds = atof(argv[6]), warmup = atof(argv[7]), cpu = 0;
  poller = epoll_create1(0);
  all = calloc((size_t)count, sizeof *all);
  ready = calloc((size_t)senders, sizeof *ready);
  for (int i = 0; i < count; i++) all[i].index = i, join(&all[i], argv[1], argv[2]);
  double begun = now_s(), started = begun + warmup, until = started + seconds;
  for (int i = 0; i < senders; i++) send_more(&all[i]);
  uint64_t under_way = 1;
  for (double now = begun; under_way > 0 && ended == 0 && now < until + 5; now = now_s()) {
    if (!is_measuring && now >= started) is_measuring = 1, started = now, cpu = cpu_s();
    if (!is_over && now >= until) is_over = 1, until = now, cpu = cpu_s() - cpu;
    poll_once(100);
    int n = ready_count;
    ready_count = 0;
    for (int i = 0; i < n; i++) all[ready[i]].wants_send = 0, send_more(&all[ready[i]]);
    under_way = is_over ? 0 : 1;
    for (int i = 0; is_over && i < senders; i++) under_way += (uint64_t)all[i].under_way;
  }
  double span = until - started;
  printf("{\"rate\":%.1f,\"p50Us\":%.1f,\"p99Us\":%.1f,\"wrong\":%llu,\"lost\":%llu,\"repeated\":%llu,\"ended\":%llu,\"seconds\":%.3f,\"cpuSeconds\":%.3f,\"totalCpuSeconds\":%.3f}\n",
         (double)deliveries / span, latency_us(0.5), latency_us(0.99), (unsigned long long)altered,
         (unsigned long long)(lost + under_way), (unsigned long long)repeated, (unsigned long long)ended, span, cpu, cpu_s());
  return altered + lost + under_way + repeated + ended > 0;
}
