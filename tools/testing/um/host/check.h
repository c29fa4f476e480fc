/* SPDX-License-Identifier: GPL-2.0 */
/* TAP lines of the test programs of this folder. */
#ifndef CHECK_H
#define CHECK_H

extern int nr_tests, nr_failed;

/* One TAP line. */
void __attribute__((format(printf, 2, 3))) check(int good, const char *fmt, ...);

/* The last line; returns the exit code: 0 only if there were tests and all were good. */
int check_end(void);

#endif
