/* SPDX-License-Identifier: GPL-2.0 */
/*
 * How the COW layer tells its user what happened: the kernel prints it in its
 * log, the tools on stderr. Host half and tools.
 */
#ifndef __UM_COW_REPORT_H
#define __UM_COW_REPORT_H

enum cow_level {
	COW_INFO,	/* what is being done */
	COW_NOTICE,	/* what the user may not expect */
	COW_ERROR,	/* why it fails, and what helps */
};

/**
 * struct cow_report - receiver of messages
 * @line: takes one line, without newline; may be called several times
 */
struct cow_report {
	void (*line)(struct cow_report *report, enum cow_level level, const char *text);
};

/**
 * cow_say() - send a message
 * @report: to whom; NULL drops it
 * @level: its weight
 * @fmt: as printf's
 */
void __attribute__((format(printf, 3, 4)))
cow_say(struct cow_report *report, enum cow_level level, const char *fmt, ...);

#endif
