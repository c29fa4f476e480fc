/* SPDX-License-Identifier: GPL-2.0 */
/* What the tools have in common: messages and the usual options. */
#ifndef __UM_TOOL_H
#define __UM_TOOL_H

#include "cow_report.h"

/** tool_name - how messages begin; set first of all */
extern const char *tool_name;

/** tool_report - prints what the user should know on stderr */
extern struct cow_report tool_report;

/** tool_error() - print "<tool>: <text>" on stderr; returns 1, an exit code */
int __attribute__((format(printf, 1, 2))) tool_error(const char *fmt, ...);

/** tool_version() - print name and version on stdout */
void tool_version(void);

/**
 * tool_same_file() - are these two names of one file?
 *
 * Returns 0 also if one of them doesn't exist.
 */
int tool_same_file(const char *a, const char *b);

#endif
