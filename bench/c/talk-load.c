/* Load for chat servers: some of the clients send, to all or each to one of its own; every client checks what it gets.
 *   talk-load PROTOCOL HOST PORT [NAME=VALUE...]      (PROTOCOL: line, irc, nats; the names and defaults: `settings`)
 * A message is done when everybody meant has it. Closed loop: a sender has `window` messages under way. Open loop, with
 * a `rate`: so many messages a second in total, whose latency counts from when each was due; a sender has no more than
 * `window` under way here too. Each one begins with its sender and number, and the rest follows from these: what is
 * missing, repeated, out of order or altered is counted. With `stuck=1` one more client comes in, reads nothing while
 * the others talk, and then everything. With `pid` it looks at that process's memory meanwhile. Prints one JSON object; exit status 1 when something was wrong. */
#include "common.h"
#include "protocols.h"

#define HEAD 19 /* @@, sender(5), blank, number(10), blank */
#define MAX_TEXT 4096
#define MAX_LINE 70000
#define SETTLE_MS 200 /* of silence, after everybody has come in */
#define LOGIN_S 60
#define DRAIN_S 15
#define LOOK_S 0.05 /* at memory */

static struct { const char *name; double value; } settings[] = {
  {"clients", 100}, {"senders", 1}, {"pairs", 0}, {"window", 64}, {"rate", 0}, {"seconds", 2.5}, {"warmup", 1},
  {"bytes", 100}, {"ramp", 512}, {"stuck", 0}, {"pid", 0},
};

/* A message under way. */
typedef struct {
  uint32_t missing; /* how many have not got it */
  uint64_t sent_ns;
  char *text;
} Message;

typedef struct {
  int fd, index, is_in, is_over;
  uint32_t *expected; /* number of the next message of each sender */
  uint32_t next; /* a sender's next number */
  Message *messages; /* of its window */
  int under_way, wants_send;
  size_t from_length, length;
  char name[16], awaited[32], from[32], *line;
} Client;

static const Protocol *protocol;
static int count, senders, is_private, window, bytes, poller, in, is_measuring, is_over, has_begun, *ready, ready_count;
static uint64_t lost, repeated, altered, ended, deliveries, stuck_read;
static Client *all;
static char inbox[1 << 18];

static int setting(const char *name) {
  for (size_t i = 0; i < sizeof settings / sizeof *settings; i++)
    if (strcmp(settings[i].name, name) == 0) return (int)i;
  return fprintf(stderr, "no such setting: %s\n", name), exit(64), 0;
}

static double given(const char *name) {
  return settings[setting(name)].value;
}

/* Raises `peak_kb` to what the process has resident now; looks no more often than it has to. */
static void look(long *peak_kb) {
  static double looked_at;
  double now = now_s();
  char path[40];
  long pages = 0;
  if (given("pid") == 0 || now < looked_at + LOOK_S) return;
  looked_at = now;
  sprintf(path, "/proc/%d/statm", (int)given("pid"));
  FILE *file = fopen(path, "r");
  if (file == NULL) return;
  if (fscanf(file, "%*d %ld", &pages) == 1 && pages * sysconf(_SC_PAGESIZE) / 1024 > *peak_kb)
    *peak_kb = pages * sysconf(_SC_PAGESIZE) / 1024;
  fclose(file);
}

static void write_text(char *text, int sender, uint32_t number) {
  char head[HEAD + 1];
  sprintf(head, "@@%05d %010u ", sender, number);
  memcpy(text, head, HEAD);
  for (int i = HEAD; i < bytes; i++) text[i] = (char)('a' + ((uint32_t)sender * 7 + number * 13 + (uint32_t)i) % 26);
}

static uint32_t digits(const char *text, int length) {
  uint32_t value = 0;
  for (int i = 0; i < length; i++) value = value * 10 + (uint32_t)(text[i] - '0');
  return value;
}

static void on_message(Client *c, const char *line, size_t length, uint64_t at) {
  const char *text = line + length - bytes;
  uint32_t sender = digits(text + 2, 5), number = digits(text + 8, 10);
  int is_meant = sender < (uint32_t)senders && (is_private ? c->index == senders + (int)sender : c->index != (int)sender);
  if (!is_meant) { altered++; return; }
  Client *from = &all[sender];
  if (!begins_with(line, length, from->from)) { altered++; return; }
  uint32_t wanted = c->expected[sender];
  if (number < wanted) { repeated++; return; }
  if (number >= from->next) { altered++; return; }
  lost += number - wanted;
  c->expected[sender] = number + 1;
  if (c->index >= count) { /* the one that was stuck: what it reads is no longer under way */
    char again[MAX_TEXT];
    write_text(again, (int)sender, number);
    if (memcmp(again, text, (size_t)bytes) != 0) altered++;
    stuck_read++;
    return;
  }
  Message *m = &from->messages[number % (uint32_t)window];
  if (memcmp(m->text, text, (size_t)bytes) != 0) { altered++; return; }
  if (is_measuring && !is_over) deliveries++, note_latency(at > m->sent_ns ? at - m->sent_ns : 0, 1);
  if (--m->missing > 0) return;
  from->under_way--;
  if (!from->wants_send) from->wants_send = 1, ready[ready_count++] = (int)sender;
}

static void say_at_once(Client *c, const char *text) {
  size_t length = strlen(text);
  if (send(c->fd, text, length, MSG_NOSIGNAL) != (ssize_t)length) die("cannot say a line");
}

static void on_line(Client *c, const char *line, size_t length, uint64_t at) {
  if (length > 0 && line[length - 1] == '\r') length--;
  if (protocol->pong != NULL && begins_with(line, length, "PING")) {
    say_at_once(c, protocol->pong);
  } else if (!c->is_in) {
    if (memmem(line, length, c->awaited, strlen(c->awaited)) == NULL) return;
    if (protocol->join != NULL && strstr(c->awaited, " 001 ") != NULL) {
      sprintf(c->awaited, protocol->joined, c->name);
      say_at_once(c, protocol->join);
    } else {
      c->is_in = 1, in++;
    }
  } else if (has_begun) {
    const char *text = line + length - bytes;
    if (length >= (size_t)bytes && text[0] == '@' && text[1] == '@') on_message(c, line, length, at);
    else if (!is_aside(protocol, line, length)) altered++;
  }
}

static void watch(Client *c, int operation) {
  struct epoll_event e = {.events = EPOLLIN, .data.ptr = c};
  epoll_ctl(poller, operation, c->fd, &e);
}

static void on_readable(Client *c) {
  ssize_t n = recv(c->fd, inbox, sizeof inbox, 0);
  if (n < 0 && errno == EAGAIN) return;
  if (n <= 0) {
    ended++;
    watch(c, EPOLL_CTL_DEL);
    return;
  }
  uint64_t at = now_ns();
  char *p = inbox, *end = inbox + n, *lf;
  while ((lf = memchr(p, '\n', (size_t)(end - p))) != NULL) {
    if (c->length == 0) on_line(c, p, (size_t)(lf - p), at);
    else {
      memcpy(c->line + c->length, p, (size_t)(lf - p));
      on_line(c, c->line, c->length + (size_t)(lf - p), at);
      c->length = 0;
    }
    p = lf + 1;
  }
  if (c->length + (size_t)(end - p) >= MAX_LINE) errno = EMSGSIZE, die("a line has no end");
  memcpy(c->line + c->length, p, (size_t)(end - p));
  c->length += (size_t)(end - p);
}

static int poll_once(double seconds) {
  struct epoll_event events[512];
  struct timespec timeout = {.tv_sec = (time_t)seconds, .tv_nsec = (long)((seconds - (double)(time_t)seconds) * 1e9)};
  int n = epoll_pwait2(poller, events, 512, &timeout, NULL);
  for (int i = 0; i < n; i++) on_readable(events[i].data.ptr);
  return n;
}

/* The next message of a sender, in full, behind what is in `out`. Returns how long it is. */
static size_t add_message(Client *c, uint64_t at, char *out) {
  Message *m = &c->messages[c->next % (uint32_t)window];
  m->missing = is_private ? 1 : (uint32_t)count - 1;
  m->sent_ns = at;
  write_text(m->text, c->index, c->next);
  size_t length = (size_t)(is_private ? sprintf(out, protocol->to_one, all[senders + c->index].name, bytes)
                                      : sprintf(out, protocol->to_all, bytes));
  memcpy(out + length, m->text, (size_t)bytes);
  strcpy(out + length + bytes, protocol->end);
  c->next++, c->under_way++;
  return length + (size_t)bytes + strlen(protocol->end);
}

/* A server that takes no more may be waiting for us to read. */
static void send_all(Client *c, const char *out, size_t length) {
  for (size_t sent = 0; sent < length && ended == 0;) {
    ssize_t n = send(c->fd, out + sent, length - sent, MSG_NOSIGNAL);
    if (n > 0) sent += (size_t)n;
    else if (n < 0 && errno != EAGAIN) ended++;
    else poll_once(0.001);
  }
}

/* Closed loop: all that the sender may send now, in one write. */
static void send_more(Client *c) {
  static char out[1 << 18];
  size_t length = 0;
  uint64_t at = now_ns();
  while (!is_over && c->under_way < window && length + MAX_TEXT + 100 < sizeof out) length += add_message(c, at, out + length);
  send_all(c, out, length);
}

/* Open loop: what is due, one sender after the other. Returns seconds until the next. */
static double send_due(double rate, double begun_s) {
  static uint64_t number;
  static char out[MAX_TEXT + 100];
  for (;;) {
    double due = begun_s + (double)number / rate, wait = due - now_s();
    Client *c = &all[number % (uint64_t)senders];
    if (is_over || wait > 0) return is_over || wait > 0.1 ? 0.1 : wait;
    if (c->under_way >= window) return 0.001;
    send_all(c, out, add_message(c, (uint64_t)(due * 1e9), out));
    number++;
  }
}

static void begin(Client *c, const char *host, const char *port) {
  char hello[200];
  c->fd = dial(host, port);
  c->line = malloc(MAX_LINE + sizeof inbox);
  c->expected = calloc((size_t)senders, sizeof *c->expected);
  sprintf(c->name, "bench%05d", c->index);
  sprintf(c->awaited, protocol->welcome, c->name);
  sprintf(c->from, protocol->from, c->name);
  if (c->index < senders) c->messages = calloc((size_t)window, sizeof *c->messages);
  for (int i = 0; c->index < senders && i < window; i++) c->messages[i].text = malloc((size_t)bytes);
  sprintf(hello, protocol->hello, c->name, c->name);
  watch(c, EPOLL_CTL_ADD);
  say_at_once(c, hello);
}

static void come_in(int total, const char *host, const char *port) {
  int ramp = (int)given("ramp"), opened = 0;
  for (double limit = now_s() + LOGIN_S; in < total; poll_once(0.1)) {
    for (; opened < total && opened - in < ramp; opened++) all[opened].index = opened, begin(&all[opened], host, port);
    if (now_s() > limit || ended > 0) fprintf(stderr, "%d of %d clients were let in\n", in, total), exit(2);
  }
  while (poll_once(SETTLE_MS / 1e3) > 0) continue;
  has_begun = 1;
}

/* Whoever read nothing reads all that was sent; what it does not get within DRAIN_S is lost. */
static double read_on(Client *c, long *peak_kb) {
  uint64_t wanted = 0;
  for (int i = 0; i < senders; i++) wanted += all[i].next;
  watch(c, EPOLL_CTL_ADD);
  double from = now_s();
  while (stuck_read + lost < wanted && ended == 0 && now_s() < from + DRAIN_S) poll_once(0.1), look(peak_kb);
  lost += stuck_read + lost < wanted ? wanted - stuck_read - lost : 0;
  return now_s() - from;
}

int main(int argc, char **argv) {
  if (argc < 4) return fprintf(stderr, "usage: talk-load PROTOCOL HOST PORT [NAME=VALUE...]\n"), 64;
  for (int i = 4; i < argc; i++) {
    char *value = strchr(argv[i], '=');
    if (value == NULL) return fprintf(stderr, "not NAME=VALUE: %s\n", argv[i]), 64;
    *value++ = '\0', settings[setting(argv[i])].value = atof(value);
  }
  protocol = protocol_called(argv[1]), is_private = given("pairs") > 0;
  senders = is_private ? (int)given("pairs") : (int)given("senders");
  count = is_private ? 2 * senders : (int)given("clients");
  window = (int)given("window"), bytes = (int)given("bytes");
  double rate = given("rate"), cpu = 0, stuck_seconds = 0;
  long talking_kb = 0, reading_kb = 0;
  int has_stuck = given("stuck") > 0;
  if (bytes < HEAD || bytes > MAX_TEXT || senders > count) return fprintf(stderr, "bytes or senders out of range\n"), 64;
  poller = epoll_create1(0);
  all = calloc((size_t)count + 1, sizeof *all);
  ready = calloc((size_t)senders, sizeof *ready);
  come_in(count + has_stuck, argv[2], argv[3]);
  if (has_stuck) watch(&all[count], EPOLL_CTL_DEL);
  double begun = now_s(), started = begun + given("warmup"), until = started + given("seconds");
  for (int i = 0; rate == 0 && i < senders; i++) send_more(&all[i]);
  uint64_t under_way = 1;
  for (double now = begun; under_way > 0 && ended == 0 && now < until + DRAIN_S; now = now_s()) {
    if (!is_measuring && now >= started) is_measuring = 1, started = now, cpu = cpu_s();
    if (!is_over && now >= until) is_over = 1, until = now, cpu = cpu_s() - cpu;
    poll_once(rate > 0 ? send_due(rate, begun) : 0.1);
    look(&talking_kb);
    int n = ready_count;
    ready_count = 0;
    for (int i = 0; i < n; i++) {
      all[ready[i]].wants_send = 0;
      if (rate == 0) send_more(&all[ready[i]]);
    }
    under_way = is_over ? 0 : 1;
    for (int i = 0; is_over && i < senders; i++) under_way += (uint64_t)all[i].under_way;
  }
  if (has_stuck && ended == 0) stuck_seconds = read_on(&all[count], &reading_kb);
  double span = until - started;
  printf("{\"rate\":%.1f,\"p50Us\":%.1f,\"p99Us\":%.1f,\"wrong\":%llu,\"lost\":%llu,\"repeated\":%llu,\"ended\":%llu,"
         "\"stuckRead\":%llu,\"stuckSeconds\":%.3f,\"talkingKb\":%ld,\"readingOnKb\":%ld,\"seconds\":%.3f,\"cpuSeconds\":%.3f,\"totalCpuSeconds\":%.3f}\n",
         (double)deliveries / span, latency_us(0.5), latency_us(0.99), (unsigned long long)altered,
         (unsigned long long)(lost + under_way), (unsigned long long)repeated, (unsigned long long)ended,
         (unsigned long long)stuck_read, stuck_seconds, talking_kb, reading_kb, span, cpu, cpu_s());
  return altered + lost + under_way + repeated + ended > 0;
}
