/* Setting clocks: a guest may not, and a clock that is not there is another error. */
#include "check.h"
#include <sys/time.h>
#include <time.h>

int main(void) {
  struct timespec t;
  struct timeval tv;
  clock_gettime(CLOCK_REALTIME, &t);
  gettimeofday(&tv, 0);
  T(clock_settime(CLOCK_REALTIME, &t));
  T(clock_settime(99, &t));
  T(settimeofday(&tv, 0));
  return 0;
}
