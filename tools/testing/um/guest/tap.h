/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A tiny TAP producer for the guest programs.
 *
 * A program calls ok(), is() and skip() as often as it likes and returns
 * tap_done() from main.  The plan is printed last, so a program that dies half
 * way is seen as incomplete rather than as passed.  Output is unbuffered:
 * a fork must not duplicate lines that wait in stdio's buffer.
 */
#ifndef UM_TEST_TAP_H
#define UM_TEST_TAP_H

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int tap_count, tap_failed;

static inline void tap_write(const char *buf, size_t len)
{
	while (len) {
		ssize_t n = write(STDOUT_FILENO, buf, len);

		if (n <= 0)
			_exit(99);
		buf += n;
		len -= n;
	}
}

static inline void tap_line(const char *head, const char *fmt, va_list ap)
{
	char buf[600];
	int n = snprintf(buf, sizeof(buf), "%s", head);

	n += vsnprintf(buf + n, sizeof(buf) - n - 1, fmt, ap);
	if (n > (int)sizeof(buf) - 2)
		n = sizeof(buf) - 2;
	buf[n++] = '\n';
	tap_write(buf, n);
}

/* diag() - print a comment line that explains a failure. */
static inline __attribute__((format(printf, 1, 2))) void diag(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	tap_line("# ", fmt, ap);
	va_end(ap);
}

/* ok() - one test: @cond true is a pass.  Returns @cond. */
static inline __attribute__((format(printf, 2, 3))) int ok(int cond, const char *fmt, ...)
{
	char head[40];
	va_list ap;

	snprintf(head, sizeof(head), "%sok %d - ", cond ? "" : "not ", ++tap_count);
	if (!cond)
		tap_failed++;
	va_start(ap, fmt);
	tap_line(head, fmt, ap);
	va_end(ap);
	return cond;
}

/* is() - one test: @got equals @want; both are shown when they differ. */
#define is(got, want, ...)						\
({									\
	long tap_got = (long)(got), tap_want = (long)(want);		\
									\
	if (!ok(tap_got == tap_want, __VA_ARGS__))			\
		diag("%s:%d: got %ld (%#lx), want %ld (%#lx)",		\
		     __FILE__, __LINE__, tap_got, tap_got,		\
		     tap_want, tap_want);				\
	tap_got == tap_want;						\
})

/* skip() - a test that does not apply on this machine, with the reason. */
static inline void skip(const char *what, const char *why)
{
	char buf[300];
	int n = snprintf(buf, sizeof(buf), "ok %d - %s # SKIP %s\n",
			 ++tap_count, what, why);

	tap_write(buf, n);
}

/* tap_done() - print the plan; returns the exit code for main. */
static inline int tap_done(void)
{
	char buf[40];

	tap_write(buf, snprintf(buf, sizeof(buf), "1..%d\n", tap_count));
	return tap_failed ? 1 : 0;
}

/* die() - the test itself can't go on (set-up failed). */
#define die(what)							\
do {									\
	diag("%s:%d: %s: %m", __FILE__, __LINE__, what);		\
	printf("Bail out! %s\n", what);					\
	fflush(stdout);							\
	_exit(98);							\
} while (0)

#endif
