// SPDX-License-Identifier: GPL-2.0
#include <stdarg.h>
#include <stdio.h>

#include "check.h"

int nr_tests, nr_failed;

void check(int good, const char *fmt, ...)
{
	va_list args;

	printf("%sok %d - ", good ? "" : "not ", ++nr_tests);
	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	putchar('\n');
	fflush(stdout);
	nr_failed += !good;
}

int check_end(void)
{
	printf("1..%d\n", nr_tests);
	return nr_failed || !nr_tests;
}
