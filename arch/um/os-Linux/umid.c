// SPDX-License-Identifier: GPL-2.0
/*
 * The machine's name and directory: <uml_dir>/<umid>/ with a file "pid" in it.
 *
 * A directory is in use while somebody holds a lock on its pid file (ours do;
 * the lock dies with its holder), or, for kernels that take no lock, while
 * the process named there lives and was started with the same umid=. The pid
 * alone says little: after a crash it soon belongs to somebody else.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <host/options.h>
#include <host/process.h>
#include <host/umid.h>
#include "umid.h"

#define UMID_MAX	63

static char umid[UMID_MAX + 1];
static const char *uml_dir_option;
static char dir[PATH_MAX];		/* the machine's directory; "" if none */
static int pid_fd = -1;

static int parse_umid(const char *name)
{
	if (umid[0])
		return host_option_error("the machine already has the name \"%s\"; give umid= once", umid);
	if (!name[0])
		return host_option_error("needs a name, e.g. umid=debian");
	if (strlen(name) > UMID_MAX)
		return host_option_error("the name is longer than %d characters", UMID_MAX);
	if (strchr(name, '/') || !strcmp(name, ".") || !strcmp(name, ".."))
		return host_option_error("the name becomes a directory and cannot contain '/' or be a dot");
	strcpy(umid, name);
	return 0;
}

HOST_OPTION(umid,
	.name = "umid=",
	.action = HOST_OPT_CONSUME,
	.parse = parse_umid,
	.synopsis = "umid=<name>",
	.help = "Name of this machine, by which tools on the host find it. Without it a\n"
		"random one is chosen.");

static int parse_uml_dir(const char *path)
{
	if (!path[0])
		return host_option_error("needs a directory, e.g. uml_dir=/tmp/uml");
	if (strlen(path) > PATH_MAX / 2)
		return host_option_error("the path is too long");
	uml_dir_option = path;
	return 0;
}

HOST_OPTION(uml_dir,
	.name = "uml_dir=",
	.action = HOST_OPT_CONSUME,
	.parse = parse_uml_dir,
	.synopsis = "uml_dir=<directory>",
	.help = "Where each machine has a directory named after its umid, with its pid and\n"
		"sockets in it. Default: ~/.uml/");

const char *host_umid(void)
{
	return umid;
}

int host_umid_path(const char *file, char *buf, unsigned long len)
{
	int n;

	if (!dir[0])
		return -ENOENT;
	n = snprintf(buf, len, "%s/%s", dir, file);
	return n < 0 || (unsigned long)n >= len ? -ENAMETOOLONG : n;
}

/* The directory that holds all machines' directories, without a final '/'. */
static int find_uml_dir(char *base, size_t len)
{
	const char *path = uml_dir_option ? uml_dir_option : "~/.uml";
	const char *home = "";
	size_t n;

	if (path[0] == '~') {
		home = getenv("HOME");
		if (!home || !home[0]) {
			fprintf(stderr,
				"linux: HOME is not set: no machine directory (use uml_dir=<directory>)\n");
			return -1;
		}
		path++;
	}
	n = snprintf(base, len, "%s%s", home, path);
	if (n >= len) {
		fprintf(stderr, "linux: the machine directory's name is too long\n");
		return -1;
	}
	while (n > 1 && base[n - 1] == '/')
		base[--n] = '\0';

	if (mkdir(base, 0777) < 0 && errno != EEXIST) {
		fprintf(stderr, "linux: cannot make the directory %s: %s (use uml_dir=<directory>)\n",
			base, strerror(errno));
		return -1;
	}
	return 0;
}

/* Was process @pid started as machine @name? */
static int started_as(long pid, const char *name)
{
	char path[64], want[UMID_MAX + 8], words[8192];
	ssize_t n, i;
	int fd;

	snprintf(path, sizeof(path), "/proc/%ld/cmdline", pid);
	snprintf(want, sizeof(want), "umid=%s", name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	n = read(fd, words, sizeof(words) - 1);
	close(fd);
	if (n <= 0)
		return 0;
	words[n] = '\0';
	for (i = 0; i < n; i += strlen(words + i) + 1) {
		if (!strcmp(words + i, want))
			return 1;
	}
	return 0;
}

/* Returns the pid of the machine that uses @path, or 0. */
static long machine_pid(const char *path, const char *name)
{
	char file[PATH_MAX], text[32] = "";
	long pid = 0;
	int fd;

	if (snprintf(file, sizeof(file), "%s/pid", path) >= (int)sizeof(file))
		return 0;
	fd = open(file, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	if (read(fd, text, sizeof(text) - 1) > 0)
		pid = strtol(text, NULL, 10);
	if (flock(fd, LOCK_EX | LOCK_NB) < 0 && errno == EWOULDBLOCK) {
		if (pid <= 0)
			pid = 1;	/* being written just now */
	} else if (pid <= 0 || pid == getpid() ||
		   (kill(pid, 0) < 0 && errno == ESRCH) || !started_as(pid, name)) {
		pid = 0;
	}
	close(fd);
	return pid;
}

static void remove_dir(const char *path)
{
	struct dirent *entry;
	DIR *d = opendir(path);

	if (!d)
		return;
	while ((entry = readdir(d)))
		unlinkat(dirfd(d), entry->d_name, 0);
	closedir(d);
	rmdir(path);
}

void host_umid_remove(void)
{
	if (dir[0])
		remove_dir(dir);
	dir[0] = '\0';
}

/* Make <base>/<umid>; the name must be free or left over. */
static int make_named_dir(const char *base)
{
	long pid;
	int err;

	if (snprintf(dir, sizeof(dir), "%s/%s", base, umid) >= (int)sizeof(dir)) {
		dir[0] = '\0';
		return -ENAMETOOLONG;
	}
	if (!mkdir(dir, 0777))
		return 0;
	if (errno == EEXIST) {
		pid = machine_pid(dir, umid);
		if (pid) {
			fprintf(stderr,
				"linux: umid \"%s\" is already in use by pid %ld: taking a random one\n",
				umid, pid);
			dir[0] = '\0';
			return -EBUSY;
		}
		remove_dir(dir);
		if (!mkdir(dir, 0777))
			return 0;
	}
	err = -errno;
	fprintf(stderr, "linux: cannot make the directory %s: %s\n", dir, strerror(-err));
	dir[0] = '\0';
	return err;
}

static int make_random_dir(const char *base)
{
	mode_t mask;

	if (snprintf(dir, sizeof(dir), "%s/XXXXXX", base) >= (int)sizeof(dir) || !mkdtemp(dir)) {
		fprintf(stderr, "linux: cannot make a machine directory in %s: %s\n",
			base, strerror(errno));
		dir[0] = '\0';
		return -1;
	}
	mask = umask(0);
	umask(mask);
	chmod(dir, 0777 & ~mask);
	strcpy(umid, strrchr(dir, '/') + 1);
	return 0;
}

static void write_pid_file(void)
{
	char file[PATH_MAX], text[32];
	int n;

	if (host_umid_path("pid", file, sizeof(file)) < 0)
		return;
	pid_fd = open(file, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	if (pid_fd >= 0)
		flock(pid_fd, LOCK_EX | LOCK_NB);
	n = snprintf(text, sizeof(text), "%d\n", (int)getpid());
	if (pid_fd < 0 || write(pid_fd, text, n) != n)
		fprintf(stderr, "linux: cannot write %s: %s\n", file, strerror(errno));
}

void host_umid_init(void)
{
	char base[PATH_MAX];
	int err;

	if (find_uml_dir(base, sizeof(base)))
		return;

	err = umid[0] ? make_named_dir(base) : -EBUSY;
	if (err == -EBUSY)
		err = make_random_dir(base);
	if (!err)
		write_pid_file();
}
