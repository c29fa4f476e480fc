// SPDX-License-Identifier: GPL-2.0
/* The options of consoles and serial lines: con=, con<n>=, ssl=, ssl<n>= ... */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <host/options.h>
#include "line_config_host.h"

static int check_channels(const char *name, const char *text)
{
	const char *error;
	int missing;

	error = line_config_check(text, &missing);
	if (!error)
		return 0;
	if (!missing)
		return host_option_error("%s", error);
	fprintf(stderr, "linux: %s=%s: %s\n", name, text, error);
	return 1;
}

/* @rest is what follows "con" or "ssl": "=<chan>" or "<n>=<chan>". */
static int parse_line(enum host_line_kind kind, const char *name, int nr_lines, const char *rest)
{
	char full[32];
	char *end;
	long nr;
	int ret;

	if (*rest == '=') {
		ret = check_channels(name, rest + 1);
		if (ret >= 0)
			line_config_default(kind, ret ? "none" : rest + 1);
		return ret < 0 ? ret : 0;
	}
	if (!isdigit((unsigned char)*rest))
		return 1;		/* another option, e.g. console= */

	nr = strtol(rest, &end, 10);
	if (*end != '=')
		return host_option_error("the form is %s<number>=<channel>[,<channel>], e.g. %s1=fd:0,fd:1",
					 name, name);
	if (nr >= nr_lines)
		return host_option_error("there are %d lines, %s0 to %s%d",
					 nr_lines, name, name, nr_lines - 1);

	snprintf(full, sizeof(full), "%s%ld", name, nr);
	ret = check_channels(full, end + 1);
	if (ret >= 0)
		line_config_set(kind, nr, ret ? "none" : end + 1);
	return ret < 0 ? ret : 0;
}

static int parse_con(const char *rest)
{
	return parse_line(HOST_LINE_CON, "con", HOST_CON_LINES, rest);
}

HOST_OPTION(con,
	.name = "con",
	.prefix = 1,
	.action = HOST_OPT_CONSUME,
	.parse = parse_con,
	.synopsis = "con[<n>]=<channel>[,<channel>]",
	.help = "Connect console <n> (0 to 15), or all consoles without own setting, to\n"
		"host channels: the first is the input, the second the output, one is both.\n"
		"  fd:<number>  a descriptor that was open at start, e.g. fd:0\n"
		"  null         no input; output is thrown away\n"
		"  none         the console does not exist\n"
		"Default: con0=fd:0,fd:1 con=null");

static int parse_ssl(const char *rest)
{
	return parse_line(HOST_LINE_SSL, "ssl", HOST_SSL_LINES, rest);
}

HOST_OPTION(ssl,
	.name = "ssl",
	.prefix = 1,
	.action = HOST_OPT_CONSUME,
	.parse = parse_ssl,
	.synopsis = "ssl[<n>]=<channel>[,<channel>]",
	.help = "The same for serial line <n> (0 to 63, /dev/ttyS<n>).");

static int parse_ssl_non_raw(const char *rest)
{
	line_config_non_raw(HOST_LINE_SSL);
	return 0;
}

HOST_OPTION(ssl_non_raw,
	.name = "ssl-non-raw",
	.action = HOST_OPT_CONSUME,
	.parse = parse_ssl_non_raw,
	.synopsis = "ssl-non-raw",
	.help = "Do not put host terminals of serial lines in raw mode.");

static int parse_stderr(const char *value)
{
	int on;

	if (host_option_either(value, "1", "0", &on))
		return -1;
	line_config_stderr(on);
	return 0;
}

HOST_OPTION(stderr,
	.name = "stderr=",
	.action = HOST_OPT_CONSUME,
	.parse = parse_stderr,
	.synopsis = "stderr=1",
	.help = "Send the kernel's first messages to stderr.");
