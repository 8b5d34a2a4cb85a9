/* A terminal: lines, single keys, no echo, interruption, end of file. Each step says when it waits for input. */
#include "check.h"
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <termios.h>

static char buf[100];
static void on_int(int sig) { write(1, "[interrupt]\n", 12); }
static void step(const char *what) {
  write(1, what, strlen(what));
  write(1, "\n", 1);
}
static void show(const char *what, long n) {
  char line[200];
  int length = sprintf(line, "[%s %ld %.*s]\n", what, n, n > 0 ? (int)n : 0, buf);
  for (int i = 0; i < length - 1; i++)
    if (line[i] == '\n') line[i] = '$';
  write(1, line, length);
}

int main(void) {
  struct termios old, now;
  struct sigaction sa = {.sa_handler = on_int};
  sigaction(SIGINT, &sa, 0);
  show("terminals", isatty(0) + isatty(1));
  step("line?");
  show("line", read(0, buf, 100));
  tcgetattr(0, &old);
  now = old;
  now.c_lflag &= ~(ICANON | ECHO);
  now.c_cc[VMIN] = 1;
  now.c_cc[VTIME] = 0;
  show("set", tcsetattr(0, TCSAFLUSH, &now));
  step("key?");
  show("key", read(0, buf, 100));
  struct pollfd p = {0, POLLIN};
  show("no key", poll(&p, 1, 50));
  step("interrupt?");
  show("interrupted", read(0, buf, 100));
  now = old;
  now.c_lflag &= ~ECHO;
  tcsetattr(0, TCSANOW, &now);
  step("secret?");
  show("secret", read(0, buf, 100));
  tcsetattr(0, TCSANOW, &old);
  step("end?");
  show("end", read(0, buf, 100));
  return 0;
}
