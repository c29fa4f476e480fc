// SPDX-License-Identifier: GPL-2.0
/* How the kernel process ends, and small services of the host kernel. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <unistd.h>
#include <host/options.h>
#include <host/process.h>
#include "cpus.h"
#include "internal.h"
#include "umid.h"

static struct host_exit_node *exit_nodes;
static int noreboot;

void host_at_exit(struct host_exit_node *node)
{
	node->next = exit_nodes;
	exit_nodes = node;
}

void host_run_exit_nodes(void)
{
	struct host_exit_node *node;

	while ((node = exit_nodes)) {
		exit_nodes = node->next;
		node->fn();
	}
}

void host_exit(int code)
{
	host_umid_remove();
	host_run_exit_nodes();
	_exit(code & 255);
}

void host_abort(void)
{
	struct rlimit none = { 0, 0 };

	host_run_exit_nodes();
	/* Most users do not want a dump of guest memory; ulimit -c decides. */
	if (getenv("UM_NO_CORE"))
		setrlimit(RLIMIT_CORE, &none);
	signal(SIGABRT, SIG_DFL);
	abort();
}

void host_reboot(void)
{
	sigset_t none;
	int sig;

	host_umid_remove();
	host_run_exit_nodes();
	/*
	 * exec keeps masks and what is ignored. Threads and timers may still
	 * send the first two, whose default is death.
	 */
	signal(SIGIO, SIG_IGN);
	signal(SIGALRM, SIG_IGN);
	for (sig = 1; sig < NSIG; sig++)
		if (sig != SIGIO && sig != SIGALRM)
			signal(sig, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	cpus_unpin();
	execv("/proc/self/exe", host_argv);
	execvp(host_argv[0], host_argv);
	host_warn("can't start again: %m");
	_exit(1);
}

int host_noreboot(void)
{
	return noreboot;
}

static int parse_noreboot(const char *rest)
{
	noreboot = 1;
	return 0;
}

HOST_OPTION(noreboot, "noreboot", 0, HOST_OPT_CONSUME, parse_noreboot, "noreboot",
	    "A reboot of the guest ends the process instead of starting it again.");

void host_write_stderr(const char *text, unsigned long len)
{
	while (len) {
		ssize_t n = write(STDERR_FILENO, text, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return;
		text += n;
		len -= n;
	}
}

long host_random(void *buf, unsigned long len)
{
	ssize_t n = getrandom(buf, len, 0);

	return n < 0 ? -errno : n;
}
