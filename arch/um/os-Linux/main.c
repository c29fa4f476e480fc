// SPDX-License-Identifier: GPL-2.0
/*
 * Start of ./linux.
 *
 * Everything that can be refused is refused before anything is created:
 * options first, then memory, signals, the vCPU, helper threads and the
 * user-mode backend. Then the main thread becomes the boot vCPU and enters
 * the kernel half for good.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <unistd.h>
#include <host/process.h>
#include <host/umid.h>
#include <host/usermode.h>
#include "internal.h"

char **host_argv;

/*
 * See vmlinux.lds.S: keeps the brk heap away from guest memory. Without a
 * symbol, because kallsyms can't express an address this far away.
 */
asm(".pushsection .brk_anchor, \"a\"\n\t.zero 4096\n\t.popsection");

static void vprint(const char *fmt, va_list args)
{
	char text[1024];
	int len = snprintf(text, sizeof(text), "linux: ");

	len += vsnprintf(text + len, sizeof(text) - len - 1, fmt, args);
	if (len > (int)sizeof(text) - 2)
		len = sizeof(text) - 2;
	text[len++] = '\n';
	host_write_stderr(text, len);
}

void host_warn(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vprint(fmt, args);
	va_end(args);
}

void host_die(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vprint(fmt, args);
	va_end(args);
	host_run_exit_nodes();
	exit(1);
}

/* A soft limit that is too low for many guests costs nothing to raise. */
static void raise_limit(int resource)
{
	struct rlimit limit;

	if (getrlimit(resource, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(resource, &limit);
	}
}

int main(int argc, char **argv)
{
	int err;

	if (host_stub_main(argc, argv))
		return 1;
	host_argv = argv;

	err = host_options_parse(argc, argv);
	if (err)
		return err < 0 ? 1 : 0;

	raise_limit(RLIMIT_NOFILE);
	raise_limit(RLIMIT_NPROC);
	if (host_initrd_init() || host_memory_init() || host_vcpu_init() ||
	    host_signal_init() || host_time_init() || host_event_init() ||
	    host_usermode_init()) {
		/* Whoever failed has said why. */
		host_run_exit_nodes();
		return 1;
	}
	host_umid_init();

	um_kernel_start(host_options_cmdline());
}
