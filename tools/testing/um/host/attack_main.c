// SPDX-License-Identifier: GPL-2.0
/*
 * Attacks on the seccomp backend by guest code, without a kernel: this program
 * plays the kernel half. "attack" runs all, "attack NAME..." some, "attack list"
 * names them.
 *
 * One TAP line each. An attack that ends the process that plays the kernel, or
 * keeps it busy for ever, has succeeded like one whose expectations fail.
 *
 * "attack weak=SECONDS NAME..." is for weakened backends: an attack ends with
 * the first sign of success, also because what it would do next is not meant to
 * be done, and with less patience.
 */
#include <errno.h>
#include <sched.h>
#include <stdarg.h>
#include <sys/wait.h>
#include "attack.h"

#define PATIENCE_S	120

static const struct {
	const char *name;
	void (*fn)(void);
	const char *text;
} attacks[] = {
	{ "calls", attack_calls, "every system call number, from guest code" },
	{ "entries", attack_entries, "int 0x80, sysenter, vsyscall, 32-bit code" },
	{ "stub-calls", attack_stub_calls, "each system call instruction of the stub" },
	{ "stores", attack_stores, "stores to code, orders, answers and vDSO" },
	{ "leaks", attack_leaks, "pointers of the kernel process in the stub's pages" },
	{ "leftovers", attack_leftovers, "registers of a dead process in its slot" },
	{ "jumps", attack_jumps, "jumps to each byte of the stub and its vDSO" },
	{ "overlay", attack_overlay, "guest mappings over the stub" },
	{ "stale-unmap", attack_stale_unmap, "a liar uses a page that was unmapped" },
	{ "stale-replace", attack_stale_replace, "... that was replaced, as by copy on write" },
	{ "stale-protect", attack_stale_protect, "... writes where it lost the right" },
	{ "stale-destroy", attack_stale_destroy, "... after its end" },
	{ "stale-abandon", attack_stale_abandon, "... after it was given up" },
	{ "moonlight", attack_moonlight, "a liar goes on while it is thought to be stopped" },
	{ "answers", attack_answers, "a liar forges the agent's answers" },
	{ "orders", attack_orders, "a liar gives the agent orders" },
	{ "trash", attack_trash, "a liar fills STATE and STACK while the agent works" },
	{ "forged-pid", attack_forged_pid, "a liar names the victim's process as its own" },
	{ "fp-of-deaf", attack_fp_of_deaf, "extended state of one that swallows kicks" },
	{ "fp-of-sleeper", attack_fp_of_sleeper, "... that sleeps in the stub instead" },
	{ "frames", attack_frames, "signal frames that lie elsewhere or overlap" },
	{ "toctou", attack_toctou, "frame addresses that change while they are read" },
	{ "turn", attack_turn, "random values in the turn word and its neighbours" },
	{ "registers", attack_registers, "selectors, flags, addresses that no user may have" },
	{ "flags", attack_flags, "loops and calls with NT, AC, DF, TF, RF, ID set" },
	{ "segments", attack_segments, "selectors, segment bases, far calls and returns" },
	{ "xstate", attack_xstate, "protection keys, AMX, extended state of reserved bits" },
	{ "low-stack", attack_low_stack, "no room on the signal stack" },
	{ "deaf", attack_deaf, "loops in the stub that swallow kicks" },
	{ "signals", attack_signals, "signals from other processes" },
	{ "killed", attack_killed, "processes that somebody kills or stops" },
};

#define NR_ATTACKS	((int)(sizeof(attacks) / sizeof(*attacks)))

static const char *running;
static int patience = PATIENCE_S, bad, weak;

int expect(int good, const char *fmt, ...)
{
	va_list args;

	if (good)
		return 1;
	/* One that succeeds all the time need not fill the log. */
	if (bad++ >= 5)
		return 0;
	printf("# %s: ", running);
	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	putchar('\n');
	fflush(stdout);
	if (weak) {
		run_exit_nodes();
		_exit(1);
	}
	return 0;
}

static void attack_alone(int i)
{
	running = attacks[i].name;
	choose("usermode=seccomp");
	start();
	ticks();
	victim_start();
	attacks[i].fn();
	victim_check("afterwards");
	host_check("afterwards");
	run_exit_nodes();
	exit(bad != 0);
}

/* The child's stubs die with it; what it made the host make goes here. */
static int attack(int i)
{
	int child, status, waited = 0;
	char path[64];

	fflush(stdout);
	child = fork();
	if (!child)
		attack_alone(i);
	while (!waitpid(child, &status, WNOHANG)) {
		usleep(10000);
		if (++waited < patience * 100)
			continue;
		kill(child, SIGKILL);
		waitpid(child, &status, 0);
		printf("# %s: the kernel process is stuck\n", attacks[i].name);
		status = 1;
		break;
	}
	snprintf(path, sizeof(path), "/tmp/um-attack-%d", child);
	rmdir(path);
	if (WIFSIGNALED(status))
		printf("# %s: the kernel process died of signal %d\n", attacks[i].name,
		       WTERMSIG(status));
	return !status;
}

static int list(void)
{
	for (int i = 0; i < NR_ATTACKS; i++)
		puts(attacks[i].name);
	return 0;
}

static int wanted(int argc, char **argv, const char *name)
{
	for (int i = 1; i < argc; i++)
		if (!strcmp(argv[i], name))
			return 1;
	return argc < 2;
}

/*
 * Instead of libc's: a host that doesn't let us choose CPUs. Near to us (place.c) a
 * liar could not do anything while we look.
 */
int sched_setaffinity(pid_t pid, size_t size, const cpu_set_t *cpus)
{
	errno = EPERM;
	return -1;
}

int main(int argc, char **argv)
{
	if (host_stub_main(argc, argv))
		return 1;
	if (argc > 1 && !strcmp(argv[1], "list"))
		return list();
	if (argc > 1 && !strncmp(argv[1], "weak=", 5)) {
		weak = 1;
		patience = atoi(argv[1] + 5);
		argv++;
		argc--;
	}
	for (int i = 0; i < NR_ATTACKS; i++) {
		if (!wanted(argc, argv, attacks[i].name))
			continue;
		check(attack(i), "%s: %s", attacks[i].name, attacks[i].text);
	}
	return check_end();
}
