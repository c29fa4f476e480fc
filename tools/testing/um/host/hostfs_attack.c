// SPDX-License-Identifier: GPL-2.0
/*
 * Attacks on the host half of hostfs, made by a kernel half that is not on our side:
 *
 *	hostfs_attack [list | NAME...]
 *
 * Each finds a tree of its own. An attack that succeeds is "not ok". What a guest can do
 * from within its kernel is tested in guests (test_hostfs_escape.py); here the calls
 * are made directly, with arguments that no honest kernel has.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../../../fs/hostfs/options_host.h"
#include "hostfs_attack.h"

int root;

static char folder[] = "/tmp/um-hostfs-attack-XXXXXX";

/* Of the option table, which is not here. */
int host_option_error(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fputc('\n', stderr);
	return -1;
}

void give_up(int line, const char *what)
{
	printf("Bail out! line %d: %s: %s\n", line, what, strerror(errno));
	exit(1);
}

int ours(const char *name)
{
	struct host_hostfs_attr attr;
	int fd = host_hostfs_open_path(root, name, 0, &attr);

	return fd < 0 ? -1 : fd;
}

int is_secret(int fd)
{
	char buf[sizeof(SECRET)] = "";
	int found;

	if (fd < 0)
		return 0;
	found = pread(fd, buf, sizeof(buf) - 1, 0) > 0 && !strcmp(buf, SECRET);
	close(fd);
	return found;
}

int is_outside(int fd)
{
	struct stat st, other;
	int found = 0;

	if (fd < 0)
		return 0;
	must(fstat(fd, &st));
	for (const char *name = "outside\0outside/secret\0.\0/\0"; *name; name += strlen(name) + 1)
		if (!stat(name, &other) && st.st_ino == other.st_ino && st.st_dev == other.st_dev)
			found = 1;
	close(fd);
	return found;
}

#define SWAPS	10000

static pthread_t swapper;
static int stop;
static const char *swapped[2];

static void *swap_names(void *arg)
{
	int dir = must(open("inside", O_PATH));

	/* With pauses: a walk through ".." is repeated when something was renamed. */
	for (int i = 0; i < SWAPS && swapping(); i++) {
		must(renameat2(dir, swapped[0], dir, swapped[1], RENAME_EXCHANGE));
		usleep(i % 50);
	}
	__atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
	close(dir);
	return NULL;
}

int swapping(void)
{
	return !__atomic_load_n(&stop, __ATOMIC_RELAXED);
}

void swap(const char *a, const char *b)
{
	if (a) {
		stop = 0;
		swapped[0] = a;
		swapped[1] = b;
		must(-pthread_create(&swapper, NULL, swap_names, NULL));
	} else {
		__atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
		pthread_join(swapper, NULL);
	}
}

static void write_file(const char *name, const char *text)
{
	int fd = must(open(name, O_CREAT | O_EXCL | O_WRONLY, 0644));

	must(write(fd, text, strlen(text)));
	close(fd);
}

static int drop(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	return remove(path);
}

/* In a process of its own: the directory of hostfs= is given once. */
static int run(const struct attack *attack)
{
	struct host_hostfs_attr attr;
	int traits;

	strcpy(strrchr(folder, '-'), "-XXXXXX");
	if (!mkdtemp(folder) || chdir(folder))
		give_up(__LINE__, folder);
	must(mkdir("inside", 0755));
	must(mkdir("inside/dir", 0755));
	must(mkdir("outside", 0755));
	write_file("outside/secret", SECRET);
	write_file("inside/file", "harmless");
	must(symlink("../outside", "inside/relative"));
	must(symlink("../outside/secret", "inside/secret"));
	must(symlink("/proc/self/cwd/outside", "inside/magic"));
	must(mkfifo("inside/fifo", 0600));
	must(hostfs_set_root("inside", 0));
	root = must(host_hostfs_mount("", 0, &attr, &traits));
	return attack->run();
}

static int run_apart(const struct attack *attack)
{
	int status, fds[2];
	pid_t pid;

	must(pipe(fds));
	fflush(stdout);
	pid = must(fork());
	if (!pid) {
		int ret = run(attack);

		must(write(fds[1], folder, sizeof(folder)));
		exit(ret);
	}
	close(fds[1]);
	must(waitpid(pid, &status, 0));
	if (read(fds[0], folder, sizeof(folder)) != sizeof(folder))
		exit(1);
	close(fds[0]);
	nftw(folder, drop, 10, FTW_DEPTH | FTW_PHYS);
	return status != 0;
}

static int wanted(const char *name, char **names)
{
	if (!names[0])
		return 1;
	for (; *names; names++)
		if (!strcmp(*names, name))
			return 1;
	return 0;
}

int main(int argc, char **argv)
{
	const struct attack *lists[] = { name_attacks, file_attacks };
	int nr = 0, bad = 0;

	umask(022);
	for (unsigned int i = 0; i < 2; i++) {
		for (const struct attack *attack = lists[i]; attack->name; attack++) {
			int won;

			if (argc > 1 && !strcmp(argv[1], "list")) {
				puts(attack->name);
				continue;
			}
			if (!wanted(attack->name, argv + 1))
				continue;
			if (attack->needs_root && geteuid()) {
				printf("ok %d - %s # SKIP not root\n", ++nr, attack->name);
				continue;
			}
			won = run_apart(attack);
			printf("%s %d - %s\n", won ? "not ok" : "ok", ++nr, attack->name);
			bad |= won;
		}
	}
	if (nr)
		printf("1..%d\n", nr);
	return bad;
}
