/* SPDX-License-Identifier: GPL-2.0 */
/* Settings of the lines, from the options to line_host.c. Host half only. */
#ifndef __UM_LINE_CONFIG_HOST_H
#define __UM_LINE_CONFIG_HOST_H

#include "chan_host.h"
#include "line_host.h"

/**
 * line_config_check() - would these channels do?
 * @text: e.g. "fd:0,fd:1"
 * @missing: set if the answer is no, but the machine may start without the line
 *
 * Returns NULL or what is wrong.
 */
const char *line_config_check(const char *text, int *missing);

/** line_config_set() - the channels of one line. @text must stay. */
void line_config_set(enum host_line_kind kind, int nr, const char *text);

/** line_config_default() - the channels of lines without own ones. @text must stay. */
void line_config_default(enum host_line_kind kind, const char *text);

/** line_config_non_raw() - leave host terminals of these lines in their mode */
void line_config_non_raw(enum host_line_kind kind);

/** line_config_stderr() - send early kernel messages to stderr */
void line_config_stderr(int on);

#endif
