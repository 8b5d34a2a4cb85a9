/* Random reads of an NBD export, many in flight: nbd-random URI SIZE DEPTH COUNT prints reads a second. Needs libnbd. */
#include <libnbd.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static struct nbd_handle *nbd;
static uint64_t blocks, issued, ended, wanted;
static size_t size;
static uint64_t state = 88172645463325252ull;

static uint64_t next_random(void) {
  state ^= state << 13;
  state ^= state >> 7;
  return state ^= state << 17;
}

static int finished(void *buffer, int *error) {
  (void)buffer;
  if (*error) exit((fprintf(stderr, "a read failed: %d\n", *error), 1));
  ended++;
  return 1;
}

static void read_one(void *buffer) {
  nbd_completion_callback callback = {.callback = finished, .user_data = buffer};
  if (nbd_aio_pread(nbd, buffer, size, next_random() % blocks * size, callback, 0) < 0)
    exit((fprintf(stderr, "%s\n", nbd_get_error()), 1));
  issued++;
}

int main(int argc, char **argv) {
  if (argc != 5) return fprintf(stderr, "usage: nbd-random URI SIZE DEPTH COUNT\n"), 2;
  size = strtoul(argv[2], 0, 0);
  uint64_t depth = strtoull(argv[3], 0, 0);
  wanted = strtoull(argv[4], 0, 0);
  nbd = nbd_create();
  if (!nbd || nbd_connect_uri(nbd, argv[1]) < 0) return fprintf(stderr, "%s\n", nbd_get_error()), 1;
  blocks = nbd_get_size(nbd) / size;
  char *memory = malloc(size * depth);
  struct timespec from, to;
  clock_gettime(CLOCK_MONOTONIC, &from);
  while (ended < wanted) {
    while (issued < wanted && issued - ended < depth) read_one(memory + issued % depth * size);
    if (nbd_poll(nbd, -1) < 0) return fprintf(stderr, "%s\n", nbd_get_error()), 1;
  }
  clock_gettime(CLOCK_MONOTONIC, &to);
  printf("%.0f\n", wanted / (to.tv_sec - from.tv_sec + (to.tv_nsec - from.tv_nsec) / 1e9));
  nbd_shutdown(nbd, 0);
  nbd_close(nbd);
  return 0;
}
