/* The three languages in which talk-load says the same: coming in, saying something, and what stands around it. */
#ifndef PROTOCOLS_H
#define PROTOCOLS_H
#include "common.h"

typedef struct {
  const char *name;
  const char *hello, *welcome; /* said first, and what is in the line that answers it; %s is the client's name */
  const char *join, *joined; /* said then, if anything, and its answer */
  const char *to_all, *to_one; /* before a text: %s whom to, %d how long the text is */
  const char *end; /* behind it */
  const char *from; /* how the line of a message begins, up to the text or a part of it; %s is who sent it */
  const char *aside[3]; /* how lines begin that may stand between messages */
  const char *pong; /* the answer to PING */
} Protocol;

static const Protocol PROTOCOLS[] = {
  {.name = "line",
   .hello = "%s\nget_list\n", .welcome = "%s",
   .to_all = "send all ", .to_one = "send %s : ", .end = "\n",
   .from = "%s (", /* the date is a line of its own; whoever did not read is told how far behind it is */
   .aside = {"20", "catching up: "}},
  {.name = "irc",
   .hello = "NICK %s\r\nUSER %s 0 * :x\r\n", .welcome = " 001 %s",
   .join = "JOIN #bench\r\n", .joined = " 366 %s",
   .to_all = "PRIVMSG #bench :", .to_one = "PRIVMSG %s :", .end = "\r\n",
   .from = ":%s!",
   .aside = {":irc.bench.local "}, .pong = "PONG :irc.bench.local\r\n"},
  {.name = "nats",
   .hello = "CONNECT {\"verbose\":false,\"pedantic\":false,\"echo\":false}\r\nSUB bench 1\r\nSUB %s 2\r\nPING\r\n",
   .welcome = "PONG",
   .to_all = "PUB bench %d\r\n", .to_one = "PUB %s %d\r\n", .end = "\r\n",
   .from = "",
   .aside = {"MSG bench", "PONG"}, .pong = "PONG\r\n"},
};

__attribute__((unused)) static const Protocol *protocol_called(const char *name) {
  for (size_t i = 0; i < sizeof PROTOCOLS / sizeof *PROTOCOLS; i++)
    if (strcmp(PROTOCOLS[i].name, name) == 0) return &PROTOCOLS[i];
  return fprintf(stderr, "no such protocol: %s\n", name), exit(64), NULL;
}

static int begins_with(const char *line, size_t length, const char *what) {
  size_t wanted = strlen(what);
  return length >= wanted && memcmp(line, what, wanted) == 0;
}

__attribute__((unused)) static int is_aside(const Protocol *p, const char *line, size_t length) {
  if (length == 0) return 1;
  for (int i = 0; i < 3 && p->aside[i] != NULL; i++)
    if (begins_with(line, length, p->aside[i])) return 1;
  return 0;
}
#endif
