/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The one option table. Each host-half file that has an option declares it
 * with HOST_OPTION(); the linker gathers the entries, start-up walks them
 * before anything is created, and --help prints them.
 *
 * Host half only.
 */
#ifndef __HOST_OPTIONS_H
#define __HOST_OPTIONS_H

#include <string.h>

/* What happens to the word after the handler accepted it. */
#define HOST_OPT_CONSUME	0	/* not seen by the kernel */
#define HOST_OPT_PASS		1	/* also part of the kernel command line */

/**
 * struct host_option - one row of the table
 * @name: prefix of the words it handles, e.g. "mem=" or "ubd"; a name that
 *	ends neither in '=' nor has @prefix set must match the whole word
 * @prefix: match any word that starts with @name (e.g. "ubd0r=file")
 * @action: HOST_OPT_CONSUME or HOST_OPT_PASS
 * @parse: called once per word with what follows @name; returns 0, or -1
 *	after host_option_error(); may return 1 to decline the word (the next
 *	row or the kernel gets it)
 * @synopsis: left column of --help, e.g. "mem=<size>[K|M|G]"
 * @help: text of --help, lines separated by newline, no trailing newline
 */
struct host_option {
	const char *name;
	int prefix;
	int action;
	int (*parse)(const char *rest);
	const char *synopsis;
	const char *help;
};

#define HOST_OPTION(id, ...)						\
	static const struct host_option host_option_##id			\
	__attribute__((used, section("host_options"), aligned(8))) =	\
	{ __VA_ARGS__ }

/**
 * host_option_error() - complain about the word being parsed
 * @fmt: what was wrong and what would be right, without newline
 *
 * Prints one line "linux: <word>: <text>" on stderr. Always returns -1.
 */
int __attribute__((format(printf, 1, 2))) host_option_error(const char *fmt, ...);

/**
 * host_option_either() - the value of an option that takes one of two words
 * @rest: what follows the option's name
 * @yes: the word for 1
 * @no: the word for 0
 * @value: set to 1 or 0
 *
 * Returns 0, or -1 after host_option_error(); @value is as it was then.
 */
static inline int host_option_either(const char *rest, const char *yes, const char *no,
				     int *value)
{
	if (strcmp(rest, yes) && strcmp(rest, no)) {
		host_option_error("either %s or %s", yes, no);
		return -1;
	}
	*value = !strcmp(rest, yes);
	return 0;
}

/**
 * host_option_default() - set a kernel command line word unless one is there
 * @key: "root=", "console="
 * @word: the whole word to append; must stay
 *
 * Decided when all words were parsed.
 */
void host_option_default(const char *key, const char *word);

/**
 * host_option_pass() - give the kernel a word in place of the one being parsed
 * @word: the whole word; copied
 *
 * Returns 0, or -1 after a message.
 */
int host_option_pass(const char *word);

#endif
