/* Starts a program TOTAL times, at most PARALLEL at once, with nothing to read and nobody who reads what it says, and
   tells how long each was there. posix_spawn shares memory with the child until it has become the program, so that a start costs the same
   for whatever is started.

     spawn-load PARALLEL TOTAL PROGRAM [ARGUMENT...]

   One line of JSON: "rate" a second, "ended" how many ended with another status than 0, "us" the time of each. */
#include "common.h"
#include <spawn.h>
#include <sys/wait.h>

extern char **environ;

int main(int argc, char **argv) {
  if (argc < 4) die("usage: spawn-load PARALLEL TOTAL PROGRAM [ARGUMENT...]");
  int parallel = atoi(argv[1]), total = atoi(argv[2]), begun = 0, done = 0, ended = 0;
  pid_t *pids = calloc((size_t)total, sizeof *pids);
  uint64_t *from = calloc((size_t)total, sizeof *from), *took = calloc((size_t)total, sizeof *took);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
  posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
  double at = now_s();
  while (done < total) {
    for (; begun < total && begun - done < parallel; begun++) {
      from[begun] = now_ns();
      errno = posix_spawnp(&pids[begun], argv[3], &actions, NULL, argv + 3, environ);
      if (errno != 0) die(argv[3]);
    }
    int status, i = 0;
    pid_t pid = wait(&status);
    if (pid < 0) die("wait");
    while (i < begun && pids[i] != pid) i++;
    if (i == begun) continue;
    took[i] = now_ns() - from[i];
    done++;
    ended += !WIFEXITED(status) || WEXITSTATUS(status) != 0;
  }
  printf("{\"rate\":%.3f,\"ended\":%d,\"us\":[", total / (now_s() - at), ended);
  for (int i = 0; i < total; i++) printf("%s%.1f", i ? "," : "", (double)took[i] / 1e3);
  printf("]}\n");
  return ended != 0;
}
