/* An alarm that comes again until it is taken back: a call waits for it even when the first one came too early. */
#include <sys/time.h>

static void alarm_every(int ms) {
  struct itimerval v = {{ms / 1000, ms % 1000 * 1000}, {ms / 1000, ms % 1000 * 1000}};
  setitimer(ITIMER_REAL, &v, 0);
}
static void no_alarm(void) {
  struct itimerval v = {{0, 0}, {0, 0}};
  setitimer(ITIMER_REAL, &v, 0);
}
/* The call, interrupted by an alarm. */
#define INTERRUPTED(call)                                                                                              \
  do {                                                                                                                 \
    alarm_every(20);                                                                                                   \
    T(call);                                                                                                           \
    no_alarm();                                                                                                        \
  } while (0)
