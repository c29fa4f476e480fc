// SPDX-License-Identifier: GPL-2.0
/*
 * The everyday I/O calls of programs: pipes, sockets, event descriptors,
 * splicing, positioned and vectored I/O, locks and directories.  They exercise
 * copies between the kernel and user memory more than any driver.
 */
#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <stddef.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/sendfile.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/un.h>

#include "tap.h"
#include "util.h"

static uint32_t sum(const unsigned char *p, size_t n, uint32_t s)
{
	while (n--)
		s = s * 31 + *p++;
	return s;
}

static void pipes(void)
{
	enum { SIZE = 3 << 20 };
	unsigned char *buf = malloc(SIZE), part[5000];
	uint32_t want, got = 0;
	size_t total = 0;
	ssize_t n;
	int p[2], st, avail = 0;

	for (int i = 0; i < SIZE; i++)
		buf[i] = i * 7 + (i >> 9);
	want = sum(buf, SIZE, 0);
	if (pipe(p))
		die("pipe");
	if (!fork()) {
		close(p[0]);
		_exit(write(p[1], buf, SIZE) != SIZE);
	}
	close(p[1]);
	while ((n = read(p[0], part, sizeof(part))) > 0) {
		got = sum(part, n, got);
		total += n;
	}
	wait(&st);
	is(total, SIZE, "3 MiB through a pipe");
	is(got, want, "unchanged");
	is(st, 0, "and the writer wrote all");
	close(p[0]);
	signal(SIGPIPE, SIG_IGN);
	if (pipe2(p, O_NONBLOCK))
		die("pipe2");
	is(read(p[0], part, 1) == -1 ? errno : 0, EAGAIN, "an empty pipe: EAGAIN");
	n = write(p[1], part, 100);
	ioctl(p[0], FIONREAD, &avail);
	is(avail, 100, "FIONREAD");
	close(p[0]);
	is(write(p[1], part, 1) == -1 ? errno : 0, EPIPE, "no reader: EPIPE");
	close(p[1]);
	free(buf);
}

static void sockets(void)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX, .sun_path = "\0um-test-io" };
	socklen_t len = offsetof(struct sockaddr_un, sun_path) + 11;
	int s = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), c, st, sv[2], fd;
	char buf[64] = "", ctl[CMSG_SPACE(sizeof(int))];
	struct iovec iov = { buf, sizeof(buf) };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = ctl,
		.msg_controllen = sizeof(ctl) };
	struct cmsghdr *cm;
	struct ucred cred;

	is(bind(s, (void *)&a, len), 0, "bind to an abstract name");
	listen(s, 4);
	if (!fork()) {
		c = socket(AF_UNIX, SOCK_STREAM, 0);
		if (connect(c, (void *)&a, len) || write(c, "ping", 4) != 4 ||
		    read(c, buf, 4) != 4 || memcmp(buf, "pong", 4))
			_exit(1);
		_exit(0);
	}
	c = accept(s, NULL, NULL);
	ok(c >= 0 && read(c, buf, 64) == 4 && !memcmp(buf, "ping", 4), "accept and read");
	len = sizeof(cred);
	getsockopt(c, SOL_SOCKET, SO_PEERCRED, &cred, &len);
	ok(write(c, "pong", 4) == 4, "answer");
	is(wait(&st), cred.pid, "SO_PEERCRED names the peer");
	is(st, 0, "which got the answer");
	close(c);
	close(s);

	if (socketpair(AF_UNIX, SOCK_DGRAM, 0, sv))
		die("socketpair");
	fd = temp_file(0);
	if (write(fd, "passed", 6) != 6)
		die("write");
	cm = CMSG_FIRSTHDR(&m);
	cm->cmsg_level = SOL_SOCKET;
	cm->cmsg_type = SCM_RIGHTS;
	cm->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(cm), &fd, sizeof(fd));
	iov.iov_len = 1;
	is(sendmsg(sv[0], &m, 0), 1, "sendmsg with a descriptor");
	close(fd);
	m.msg_controllen = sizeof(ctl);
	is(recvmsg(sv[1], &m, 0), 1, "recvmsg");
	memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&m)), sizeof(fd));
	ok(pread(fd, buf, 6, 0) == 6 && !memcmp(buf, "passed", 6), "the descriptor works");
	close(fd);
	close(sv[0]);
	is(send(sv[1], buf, 1, 0) == -1 ? errno : 0, ECONNREFUSED, "a peer that left");
	close(sv[1]);
}

static void events(void)
{
	struct epoll_event ev = { .events = EPOLLIN | EPOLLET, .data.u64 = 0x123456789abcdefULL };
	int ep = epoll_create1(0), e = eventfd(3, EFD_NONBLOCK), s, in;
	struct signalfd_siginfo si;
	char buf[512] __attribute__((aligned(8))), name[] = "/tmp/inoXXXXXX", path[64];
	uint64_t v = 0;
	sigset_t set;
	ssize_t n;

	is(epoll_ctl(ep, EPOLL_CTL_ADD, e, &ev), 0, "epoll_ctl");
	memset(&ev, 0, sizeof(ev));
	is(epoll_wait(ep, &ev, 1, 1000), 1, "epoll_wait");
	is(ev.data.u64, 0x123456789abcdefULL, "with its data");
	is(epoll_wait(ep, &ev, 1, 0), 0, "edge triggered: once");
	ok(read(e, &v, 8) == 8 && v == 3, "eventfd");
	v = 5;
	ok(write(e, &v, 8) == 8 && epoll_wait(ep, &ev, 1, 1000) == 1, "the next edge");
	close(e);
	close(ep);

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	s = signalfd(-1, &set, 0);
	kill(getpid(), SIGUSR1);
	ok(read(s, &si, sizeof(si)) == sizeof(si) && si.ssi_signo == SIGUSR1 &&
	   si.ssi_pid == (uint32_t)getpid(), "signalfd");
	close(s);
	sigprocmask(SIG_UNBLOCK, &set, NULL);

	in = inotify_init1(IN_NONBLOCK);
	if (!mkdtemp(name) || inotify_add_watch(in, name, IN_CREATE | IN_DELETE) < 0) {
		ok(0, "inotify: %m");
		return;
	}
	snprintf(path, sizeof(path), "%s/file", name);
	close(open(path, O_CREAT | O_WRONLY, 0600));
	unlink(path);
	n = read(in, buf, sizeof(buf));
	ok(n > 0 && ((struct inotify_event *)buf)->mask == IN_CREATE &&
	   !strcmp(((struct inotify_event *)buf)->name, "file"), "inotify tells a creation");
	rmdir(name);
	close(in);
}

static void splicing(void)
{
	int a = temp_file(0), b = temp_file(0), p[2], i;
	char buf[8192], got[8192];
	off_t off = 0;
	loff_t lo = 0;

	for (i = 0; i < 8192; i++)
		buf[i] = i * 13;
	if (write(a, buf, 8192) != 8192 || pipe(p))
		die("set-up");
	is(sendfile(b, a, &off, 8192), 8192, "sendfile");
	ok(pread(b, got, 8192, 0) == 8192 && !memcmp(buf, got, 8192), "copies");
	is(splice(a, &lo, p[1], NULL, 4096, 0), 4096, "splice from a file");
	ok(read(p[0], got, 4096) == 4096 && !memcmp(buf, got, 4096), "to a pipe");
	is(vmsplice(p[1], &(struct iovec){ buf + 100, 1000 }, 1, 0), 1000, "vmsplice");
	lo = 0;
	is(splice(p[0], NULL, b, &lo, 1000, 0), 1000, "splice to a file");
	ok(pread(b, got, 1000, 0) == 1000 && !memcmp(buf + 100, got, 1000), "arrives");
	lo = 0;
	off = 0;
	is(copy_file_range(a, &lo, b, &off, 8192, 0), 8192, "copy_file_range");
	close(a);
	close(b);
	close(p[0]);
	close(p[1]);
}

static void files(void)
{
	int fd = temp_file(0), i, n = 0, bad = 0;
	struct iovec v[3], big[64];
	char a[10] = "", b[20] = "", c[30] = "", line[100];
	struct stat st;
	DIR *d;

	is(pwrite(fd, "hello", 5, 1 << 20), 5, "pwrite far out");
	fstat(fd, &st);
	is(st.st_size, (1 << 20) + 5, "the size follows");
	ok(pread(fd, a, 5, (1 << 20) - 2) == 5 && !memcmp(a, "\0\0hel", 5), "pread at an edge");
	if (ftruncate(fd, 0))
		die("truncate");
	v[0] = (struct iovec){ "0123456789", 10 };
	v[1] = (struct iovec){ "abcdefghijklmnopqrst", 20 };
	v[2] = (struct iovec){ "ABCDEFGHIJKLMNOPQRSTUVWXYZ.,;:", 30 };
	is(pwritev(fd, v, 3, 0), 60, "pwritev");
	v[0].iov_base = a;
	v[1].iov_base = b;
	v[2].iov_base = c;
	is(preadv(fd, v, 3, 0), 60, "preadv");
	ok(!memcmp(a, "0123456789", 10) && b[19] == 't' && c[29] == ':', "scatters");
	for (i = 0; i < 64; i++)
		big[i] = (struct iovec){ line + i, 1 };
	is(pwritev(fd, big, 64, 0), 64, "64 vectors");
	is(flock(fd, LOCK_EX), 0, "flock");
	is(fcntl(fd, F_SETLK, &(struct flock){ .l_type = F_WRLCK }), 0, "a record lock");
	is(fsync(fd) | fdatasync(fd), 0, "fsync and fdatasync");
	is(posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED), 0, "fadvise");
	close(fd);
	d = opendir("/proc/self/fd");
	while (d && readdir(d))
		n++;
	ok(d && n >= 5, "readdir of /proc/self/fd (%d)", n);
	closedir(d);
	for (i = 0; i < 200; i++) {
		fd = open("/proc/self/maps", O_RDONLY);
		while ((n = read(fd, line, sizeof(line))) > 0)
			;
		bad += n < 0;
		close(fd);
	}
	is(bad, 0, "/proc/self/maps 200 times in small pieces");
}

int main(void)
{
	pipes();
	sockets();
	events();
	splicing();
	files();
	return tap_done();
}
