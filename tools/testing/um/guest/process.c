// SPDX-License-Identifier: GPL-2.0
/*
 * Processes: every way to make one, to run a program, to end and to be waited
 * for, and many of them at once.
 */
#include <fcntl.h>
#include <linux/sched.h>
#include <poll.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/stat.h>

#include "tap.h"
#include "util.h"

extern char **environ;

static int nothing(void *code)
{
	return (long)code;
}

static void exits(void)
{
	int st, i, bad = 0;

	for (i = 0; i < 256; i++) {
		st = in_child(nothing, (void *)(long)i);
		bad += !exited_with(st, i);
	}
	is(bad, 0, "all 256 exit codes come back");
	is(waitpid(-1, &st, 0) == -1 ? errno : 0, ECHILD, "no child left: ECHILD");
}

static void memory(void)
{
	volatile char *priv = map_pages(256, PROT_READ | PROT_WRITE);
	volatile char *shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
				     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int i, st, bad = 0;
	pid_t pid;

	for (i = 0; i < 256; i++)
		priv[i * 4096] = i;
	pid = fork();
	if (!pid) {
		for (i = 0; i < 256; i++)
			bad += priv[i * 4096] != (char)i;
		for (i = 0; i < 256; i += 2)
			priv[i * 4096] = 'c';
		*shared = 's';
		_exit(bad != 0);
	}
	for (i = 1; i < 256; i += 2)
		priv[i * 4096] = 'p';
	waitpid(pid, &st, 0);
	is(st, 0, "the child saw the memory of before");
	for (i = 0; i < 256; i++)
		bad += priv[i * 4096] != (char)(i & 1 ? 'p' : i);
	is(bad, 0, "its writes stayed private");
	is(*shared, 's', "and shared memory is shared");
}

static void deep(void)
{
	int level, st = 0;
	pid_t pid = 0;

	/* Sixteen generations; each returns its child's status plus one. */
	for (level = 0; level < 16; level++) {
		pid = fork();
		if (pid)
			break;
	}
	if (pid) {
		waitpid(pid, &st, 0);
		if (level)
			_exit(WEXITSTATUS(st) + 1);
	} else {
		_exit(1);
	}
	is(WEXITSTATUS(st), 16, "sixteen generations of fork");
}

static void vforks(void)
{
	static volatile int touched;
	int st;
	pid_t pid;

	touched = 0;
	pid = vfork();
	if (!pid) {
		touched = 1;
		_exit(5);
	}
	is(touched, 1, "vfork shares memory and the parent waits");
	waitpid(pid, &st, 0);
	ok(exited_with(st, 5), "its exit code");
	pid = vfork();
	if (!pid) {
		execl("/proc/self/exe", "process", "exit", "6", NULL);
		_exit(99);
	}
	waitpid(pid, &st, 0);
	ok(exited_with(st, 6), "vfork and exec");
	is(posix_spawn(&pid, "/proc/self/exe", NULL, NULL,
		       (char *[]){ "process", "exit", "7", NULL }, environ), 0, "posix_spawn");
	waitpid(pid, &st, 0);
	ok(exited_with(st, 7), "its exit code");
}

static void clones(void)
{
	struct clone_args ca = { 0 };
	int pidfd = -1, ptid = 0, st;
	siginfo_t si;
	long pid;

	ca.flags = CLONE_PIDFD | CLONE_PARENT_SETTID;
	ca.pidfd = (unsigned long)&pidfd;
	ca.parent_tid = (unsigned long)&ptid;
	ca.exit_signal = SIGCHLD;
	pid = raw(SYS_clone3, (long)&ca, sizeof(ca), 0, 0, 0, 0);
	if (!pid) {
		pause();
		_exit(1);
	}
	ok(pid > 0, "clone3");
	is(ptid, pid, "CLONE_PARENT_SETTID");
	is(raw(SYS_pidfd_send_signal, pidfd, SIGTERM, 0, 0, 0, 0), 0, "pidfd_send_signal");
	is(poll(&(struct pollfd){ pidfd, POLLIN, 0 }, 1, 5000), 1, "the pidfd tells the end");
	is(waitid(P_PID, pid, &si, WEXITED | WNOWAIT), 0, "waitid WNOWAIT");
	ok(si.si_code == CLD_KILLED && si.si_status == SIGTERM, "CLD_KILLED by SIGTERM");
	is(waitpid(pid, &st, WNOHANG), pid, "the zombie is still there to be waited for");
	close(pidfd);
	ca.flags = CLONE_SIGHAND;	/* without CLONE_VM */
	is(raw(SYS_clone3, (long)&ca, sizeof(ca), 0, 0, 0, 0), -EINVAL, "bad flags: EINVAL");
}

static char state_of(pid_t pid)
{
	char name[40], buf[200] = "";
	int fd;

	snprintf(name, sizeof(name), "/proc/%d/stat", pid);
	fd = open(name, O_RDONLY);
	if (fd < 0 || read(fd, buf, sizeof(buf) - 1) < 0)
		return 0;
	close(fd);
	return strrchr(buf, ')') ? strrchr(buf, ')')[2] : 0;
}

static void zombies(void)
{
	int p[2], hold[2], st, i;
	pid_t pid, grandchild = 0;

	pid = fork();
	if (!pid)
		_exit(0);
	for (i = 0; i < 500 && state_of(pid) != 'Z'; i++)
		sleep_ms(10);
	is(state_of(pid), 'Z', "an unwaited child is a zombie");
	waitpid(pid, &st, 0);
	is(kill(pid, 0) ? errno : 0, ESRCH, "and gone after wait");

	prctl(PR_SET_CHILD_SUBREAPER, 1);
	if (pipe(p) || pipe(hold))
		die("pipe");
	pid = fork();
	if (!pid) {
		grandchild = fork();
		if (!grandchild) {
			char c;

			/* Ends when the last writer has closed its end. */
			close(hold[1]);
			_exit(read(hold[0], &c, 1) ? 1 : 33);
		}
		if (write(p[1], &grandchild, sizeof(grandchild)) != sizeof(grandchild))
			_exit(1);
		_exit(0);
	}
	if (read(p[0], &grandchild, sizeof(grandchild)) != sizeof(grandchild))
		die("read");
	waitpid(pid, &st, 0);
	close(hold[1]);
	is(waitpid(grandchild, &st, 0), grandchild, "a subreaper gets the orphan");
	ok(exited_with(st, 33), "with its exit code");
	close(p[0]);
	close(p[1]);
	close(hold[0]);
	prctl(PR_SET_CHILD_SUBREAPER, 0);

	signal(SIGCHLD, SIG_IGN);
	pid = fork();
	if (!pid)
		_exit(3);
	is(waitpid(pid, &st, 0) == -1 ? errno : 0, ECHILD, "SIGCHLD ignored: no zombies");
	signal(SIGCHLD, SIG_DFL);
}

static int run(void *argv)
{
	char **a = argv;

	execv(a[0], a);
	return errno;
}

static void execs(void)
{
	char script[] = "/tmp/execXXXXXX", *big = malloc(200000);
	int fd = mkstemp(script);
	int st, cloexec = open("/dev/null", O_RDONLY | O_CLOEXEC), keep = dup(cloexec);
	char a[12], b[12];

	if (fd < 0 || write(fd, "neither elf nor script", 22) != 22)
		die("temporary file");
	close(fd);
	is(in_child(run, (char *[]){ "/nonexistent", NULL }) >> 8, ENOENT, "exec: ENOENT");
	is(in_child(run, (char *[]){ "/tmp", NULL }) >> 8, EACCES, "exec of a directory: EACCES");
	chmod(script, 0755);
	is(in_child(run, (char *[]){ script, NULL }) >> 8, ENOEXEC, "exec of text: ENOEXEC");
	unlink(script);
	memset(big, 'x', 199999);
	big[199999] = 0;
	is(in_child(run, (char *[]){ "/proc/self/exe", big, NULL }) >> 8, E2BIG,
	   "an argument of 200 kB: E2BIG");
	big[100000] = 0;
	st = in_child(run, (char *[]){ "/proc/self/exe", "length", big, "100000", NULL });
	is(st, 0, "an argument of 100 kB arrives");
	snprintf(a, sizeof(a), "%d", cloexec);
	snprintf(b, sizeof(b), "%d", keep);
	st = in_child(run, (char *[]){ "/proc/self/exe", "fds", a, b, NULL });
	is(st, 0, "close-on-exec closes, others stay open");
	free(big);
}

static int new_session(void *arg)
{
	(void)arg;
	return setsid() == getpid() && getpgrp() == getpid() && getsid(0) == getpid() ? 0 : 1;
}

static void groups(void)
{
	int i, st, bad = 0;
	pid_t pid[5];

	is(in_child(new_session, NULL), 0, "setsid");
	for (i = 0; i < 5; i++) {
		pid[i] = fork();
		if (!pid[i]) {
			pause();
			_exit(1);
		}
		setpgid(pid[i], pid[0]);
	}
	kill(-pid[0], SIGTERM);
	for (i = 0; i < 5; i++) {
		waitpid(pid[i], &st, 0);
		bad += !killed_by(st, SIGTERM);
	}
	is(bad, 0, "a signal to a group reaches all five");
}

static void many(void)
{
	enum { N = 200 };
	int p[2], i, st, bad = 0, started = 0;
	pid_t pid[N];
	char c;

	if (pipe(p))
		die("pipe");
	for (i = 0; i < N; i++) {
		pid[i] = fork();
		if (pid[i] < 0)
			break;
		if (!pid[i]) {
			close(p[1]);
			_exit(read(p[0], &c, 1) ? 1 : i % 100);
		}
		started++;
	}
	is(started, N, "200 processes at a time");
	close(p[1]);
	for (i = 0; i < started; i++) {
		waitpid(pid[i], &st, 0);
		bad += !exited_with(st, i % 100);
	}
	is(bad, 0, "all of them end well");
	close(p[0]);
}

int main(int argc, char **argv)
{
	if (argc == 3 && !strcmp(argv[1], "exit"))
		return atoi(argv[2]);
	if (argc == 4 && !strcmp(argv[1], "length"))
		return strlen(argv[2]) != (size_t)atoi(argv[3]);
	if (argc == 4 && !strcmp(argv[1], "fds"))
		return fcntl(atoi(argv[2]), F_GETFD) != -1 || fcntl(atoi(argv[3]), F_GETFD) == -1;
	exits();
	memory();
	deep();
	vforks();
	clones();
	zombies();
	execs();
	groups();
	many();
	return tap_done();
}
