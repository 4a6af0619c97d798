/* Load for the line protocol: some of the clients send to all, every client checks what it gets.
 *   broadcast-load HOST PORT CLIENTS SENDERS WINDOW SECONDS WARMUP
 * A sender has WINDOW messages under way: a message is done when everybody else has it. Each one begins with its sender
 * and number and is compared with what was sent: what is missing, repeated, out of order or altered is counted. Prints
 * one JSON object; exit status 1 when something was wrong. */
#include "common.h"

#define PAYLOAD 100
#define HEAD 19 /* @@, sender(5), blank, number(10), blank */
#define DATE 19 /* the line before each message: YYYY-MM-DD HH:MM:SS */
#define MAX_LINE 70000

/* A message under way. */
typedef struct {
  uint32_t missing; /* how many have not got it */
  uint64_t sent_ns;
  char text[PAYLOAD];
} Message;

typedef struct {
  int fd, index, length, has_joined;
  uint32_t *expected; /* number of the next message of each sender */
  uint32_t next; /* a sender's next number */
  Message *messages; /* of its window */
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

/* All that the sender may send now, in one write. */
static void send_more(Client *c) {
  static char out[1 << 18];
  size_t length = 0;
  uint64_t at = now_ns();
  while (!is_over && c->under_way < window && length + 200 < sizeof out) {
    Message *m = &c->messages[c->next % (uint32_t)window];
    m->missing = (uint32_t)count - 1;
    m->sent_ns = at;
    char head[HEAD + 1];
    sprintf(head, "@@%05d %010u ", c->index, c->next);
    memcpy(m->text, head, HEAD);
    for (int i = HEAD; i < PAYLOAD; i++) m->text[i] = (char)('a' + ((uint32_t)c->index * 7 + c->next * 13 + (uint32_t)i) % 26);
    memcpy(out + length, "send all ", 9);
    memcpy(out + length + 9, m->text, PAYLOAD);
    out[length + 9 + PAYLOAD] = '\n';
    length += 9 + PAYLOAD + 1;
    c->next++, c->under_way++;
  }
  for (size_t sent = 0; sent < length;) {
    ssize_t n = send(c->fd, out + sent, length - sent, MSG_NOSIGNAL);
    if (n > 0) sent += (size_t)n;
    else if (n < 0 && errno != EAGAIN) { ended++; return; }
  }
}

static uint32_t digits(const char *text, int length) {
  uint32_t value = 0;
  for (int i = 0; i < length; i++) value = value * 10 + (uint32_t)(text[i] - '0');
  return value;
}

static void on_message(Client *c, const char *text, uint64_t at) {
  uint32_t sender = digits(text + 2, 5), number = digits(text + 8, 10);
  if (sender >= (uint32_t)senders || (int)sender == c->index) { altered++; return; }
  Client *from = &all[sender];
  uint32_t wanted = c->expected[sender];
  if (number < wanted) { repeated++; return; }
  if (number >= from->next) { altered++; return; }
  Message *m = &from->messages[number % (uint32_t)window];
  if (memcmp(m->text, text, PAYLOAD) != 0) { altered++; return; }
  lost += number - wanted;
  c->expected[sender] = number + 1;
  if (is_measuring && !is_over) deliveries++, note_latency(at - m->sent_ns, 1);
  if (--m->missing > 0) return;
  from->under_way--;
  if (!from->wants_send) from->wants_send = 1, ready[ready_count++] = (int)sender;
}

static void on_line(Client *c, const char *line, size_t length, uint64_t at) {
  if (length > 0 && line[length - 1] == '\r') length--;
  if (c->has_joined) {
    if (length == DATE) return;
    const char *text = line + length - PAYLOAD;
    if (length > PAYLOAD && text[0] == '@' && text[1] == '@') on_message(c, text, at);
    else if (length > 0) altered++;
  } else if (memmem(line, length, c->name, strlen(c->name)) != NULL) {
    c->has_joined = 1;
  }
}

static void on_readable(Client *c) {
  ssize_t n = recv(c->fd, inbox, sizeof inbox, 0);
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
  if (c->index < senders) c->messages = calloc((size_t)window, sizeof *c->messages);
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
