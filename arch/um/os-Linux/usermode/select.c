// SPDX-License-Identifier: GPL-2.0
/* Which backend runs guest code: usermode=, and seccomp= of older command lines. */
#include <stdio.h>
#include <string.h>

#include <host/options.h>
#include "trace.h"

const struct um_backend *host_usermode;

static int asked;	/* the user named ptrace */

static int no_seccomp(void)
{
	return host_option_error("this kernel has no seccomp mode; use usermode=ptrace or leave it out");
}

static int parse_usermode(const char *rest)
{
	if (!strcmp(rest, "ptrace"))
		asked = 1;
	else if (!strcmp(rest, "auto"))
		asked = 0;
	else if (!strcmp(rest, "seccomp"))
		return no_seccomp();
	else
		return host_option_error("not a mode: use auto or ptrace, for example usermode=auto");
	return 0;
}

static int parse_seccomp(const char *rest)
{
	if (!strcmp(rest, "off"))
		asked = 1;
	else if (!strcmp(rest, "auto"))
		asked = 0;
	else if (!strcmp(rest, "on"))
		return no_seccomp();
	else
		return host_option_error("use seccomp=auto or seccomp=off");
	return 0;
}

HOST_OPTION(usermode,
	.name = "usermode=",
	.action = HOST_OPT_CONSUME,
	.parse = parse_usermode,
	.synopsis = "usermode=<auto|ptrace>",
	.help = "How guest programs are executed on the host. There is one way so\n"
		"far, ptrace, which auto selects.");

HOST_OPTION(seccomp,
	.name = "seccomp=",
	.action = HOST_OPT_CONSUME,
	.parse = parse_seccomp,
	.synopsis = "seccomp=<auto|off>",
	.help = "Older spelling: auto is usermode=auto, off is usermode=ptrace.");

int host_usermode_init(void)
{
	cpu_init();
	host_usermode = &ptrace_backend;
	return host_usermode->init();
}

const char *host_usermode_reason(void)
{
	return asked ? "asked for on the command line" : "the only mode of this kernel";
}
