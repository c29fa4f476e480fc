// SPDX-License-Identifier: GPL-2.0
/* Messages and other small things of the tools (tool.h). */
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>

#include "tool.h"

const char *tool_name = "?";

static void print_line(struct cow_report *report, enum cow_level level, const char *text)
{
	if (level != COW_INFO)
		fprintf(stderr, "%s: %s\n", tool_name, text);
}

struct cow_report tool_report = { .line = print_line };

int tool_error(const char *fmt, ...)
{
	va_list args;

	fprintf(stderr, "%s: ", tool_name);
	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fputc('\n', stderr);
	return 1;
}

void tool_version(void)
{
	printf("%s (User Mode Linux tools) %s\n", tool_name, TOOLS_VERSION);
}

int tool_same_file(const char *a, const char *b)
{
	struct stat st[2];

	return !stat(a, &st[0]) && !stat(b, &st[1]) &&
	       st[0].st_dev == st[1].st_dev && st[0].st_ino == st[1].st_ino;
}
