// SPDX-License-Identifier: GPL-2.0
/*
 * Which backend runs guest code: usermode=, and seccomp= of older command
 * lines. Both are safe; seccomp is fast, ptrace works where that one can't.
 */
#include <stdio.h>
#include <string.h>

#include <host/options.h>
#include "common.h"

const struct um_backend *host_usermode;

static const struct um_backend *asked;
static const char *reason;

int host_patching = 1;

static int parse_usermode(const char *rest)
{
	if (!strcmp(rest, "auto"))
		asked = NULL;
	else if (!strcmp(rest, "seccomp"))
		asked = &seccomp_backend;
	else if (!strcmp(rest, "ptrace"))
		asked = &ptrace_backend;
	else
		return host_option_error("not a mode: use auto, seccomp or ptrace, for example usermode=auto");
	return 0;
}

static int parse_seccomp(const char *rest)
{
	if (!strcmp(rest, "auto"))
		asked = NULL;
	else if (!strcmp(rest, "on"))
		asked = &seccomp_backend;
	else if (!strcmp(rest, "off"))
		asked = &ptrace_backend;
	else
		return host_option_error("use seccomp=auto, seccomp=on or seccomp=off");
	return 0;
}

static int parse_patch(const char *rest)
{
	return host_option_either(rest, "on", "off", &host_patching);
}

HOST_OPTION(usermode,
	.name = "usermode=",
	.action = HOST_OPT_CONSUME,
	.parse = parse_usermode,
	.synopsis = "usermode=<auto|seccomp|ptrace>",
	.help = "How guest programs are executed on the host. seccomp is fast, ptrace is\n"
		"slow and works on hosts that can't do the other; both isolate guest\n"
		"programs from the guest kernel. auto takes seccomp where it works.");

HOST_OPTION(seccomp,
	.name = "seccomp=",
	.action = HOST_OPT_CONSUME,
	.parse = parse_seccomp,
	.synopsis = "seccomp=<auto|on|off>",
	.help = "Older spelling: usermode=auto, usermode=seccomp, usermode=ptrace.");

HOST_OPTION(patch,
	.name = "patch=",
	.action = HOST_OPT_CONSUME,
	.parse = parse_patch,
	.synopsis = "patch=<on|off>",
	.help = "Whether system call instructions that are executed often may be replaced\n"
		"by jumps in what guest programs execute (not in what anybody reads).\n"
		"Only the seccomp mode has a use for it. Default: on.");

static int try(const struct um_backend *backend, const char **why)
{
	int err = backend->init(why);

	host_usermode = err ? NULL : backend;
	return err;
}

int host_usermode_init(void)
{
	static char text[256];
	const char *why, *why_not;
	int err;

	cpu_init();
	if (asked) {
		reason = "asked for on the command line";
		err = try(asked, &why);
		if (err)
			fprintf(stderr, "linux: usermode=%s does not work here: %s: %s; try usermode=auto\n",
				asked->name, why, strerror(-err));
		return err;
	}
	reason = "the fastest mode that works here";
	err = try(&seccomp_backend, &why_not);
	if (!err)
		return 0;
	snprintf(text, sizeof(text), "seccomp mode does not work here: %s", why_not);
	reason = text;
	err = try(&ptrace_backend, &why);
	if (err)
		fprintf(stderr, "linux: can't run guest programs. seccomp mode: %s. ptrace mode: %s: %s\n",
			why_not, why, strerror(-err));
	return err;
}

const char *host_usermode_reason(void)
{
	return reason;
}
