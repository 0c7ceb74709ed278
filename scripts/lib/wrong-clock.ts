import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Everything that asks libc for the wall clock hears seconds since the shim was loaded, counted from 1970. */
const SHIM = `#define _GNU_SOURCE
#include <dlfcn.h>
#include <sys/time.h>
#include <time.h>
static int (*real)(clockid_t, struct timespec *);
static time_t first;
int clock_gettime(clockid_t id, struct timespec *now) {
  if (!real) real = dlsym(RTLD_NEXT, "clock_gettime");
  int status = real(id, now);
  if (status == 0 && (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE)) {
    if (!first) first = now->tv_sec - 10;
    now->tv_sec -= first;
  }
  return status;
}
int gettimeofday(struct timeval *now, void *zone) {
  struct timespec precise;
  (void)zone;
  clock_gettime(CLOCK_REALTIME, &precise);
  now->tv_sec = precise.tv_sec;
  now->tv_usec = precise.tv_nsec / 1000;
  return 0;
}
time_t time(time_t *out) {
  struct timespec precise;
  clock_gettime(CLOCK_REALTIME, &precise);
  if (out) *out = precise.tv_sec;
  return precise.tv_sec;
}
`;

/**
 * A library that makes a program live in 1970, as a board without a clock battery does until it hears of the time. Compiled into
 * `folder`; to be given as LD_PRELOAD. Monotonic clocks stay as they are.
 */
export async function wrongClock(folder: string): Promise<string> {
  const source = join(folder, 'clock.c');
  const library = join(folder, 'clock.so');
  await writeFile(source, SHIM);
  await run('g++', ['-x', 'c', '-shared', '-fPIC', '-O1', '-o', library, source, '-ldl']);
  return library;
}
