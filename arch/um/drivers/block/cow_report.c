// SPDX-License-Identifier: GPL-2.0
/* Messages of the COW layer (cow_report.h). */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "cow_report.h"

void cow_say(struct cow_report *report, enum cow_level level, const char *fmt, ...)
{
	va_list args;
	char *text;

	if (!report)
		return;
	va_start(args, fmt);
	if (vasprintf(&text, fmt, args) < 0)
		text = NULL;
	va_end(args);
	report->line(report, level, text ? text : "out of memory");
	free(text);
}
