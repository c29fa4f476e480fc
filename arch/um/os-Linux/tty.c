// SPDX-License-Identifier: GPL-2.0
/*
 * Terminals (host/tty.h): raw mode, window size, and leaving everything as it
 * was found.
 *
 * Modes are kept per terminal, not per descriptor: con0=fd:0,fd:1 usually is
 * the same terminal twice, and saving its mode at the second use would save
 * raw mode. At exit they are restored last one first.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include <host/event.h>
#include <host/process.h>
#include <host/tty.h>

#define MAX_SAVED	96

/**
 * struct saved_tty - a terminal in raw mode
 * @fd: our own descriptor of it
 * @users: raw minus restore calls; 0 is a free slot
 */
struct saved_tty {
	int fd;
	int users;
	dev_t dev, rdev;
	ino_t ino;
	struct termios mode;
};

/* A shared open file on which we had to set O_NONBLOCK. */
struct saved_flags {
	int fd;
	int flags;
};

static struct saved_tty ttys[MAX_SAVED];
static struct saved_flags flags[MAX_SAVED];
static int nr_flags;
static struct host_event *winch_event;

int host_tty_check(int fd)
{
	return isatty(fd);
}

/*
 * From a background process group tcsetattr() would stop us. For setting raw
 * mode that is what a shell user expects; for putting things back it is not.
 */
static int set_mode(int fd, const struct termios *mode, int from_background)
{
	sigset_t ttou, old;
	int err = 0;

	sigemptyset(&ttou);
	sigaddset(&ttou, SIGTTOU);
	if (from_background)
		pthread_sigmask(SIG_BLOCK, &ttou, &old);
	while (tcsetattr(fd, TCSANOW, mode) < 0) {
		if (errno == EINTR)
			continue;
		err = -errno;
		break;
	}
	if (from_background)
		pthread_sigmask(SIG_SETMASK, &old, NULL);
	return err;
}

static void restore_all(void)
{
	int i;

	for (i = MAX_SAVED - 1; i >= 0; i--) {
		if (ttys[i].users)
			set_mode(ttys[i].fd, &ttys[i].mode, 1);
		ttys[i].users = 0;
	}
	while (nr_flags > 0) {
		nr_flags--;
		fcntl(flags[nr_flags].fd, F_SETFL, flags[nr_flags].flags);
	}
}

static void restore_at_exit(void)
{
	static struct host_exit_node node = { .fn = restore_all };
	static int registered;

	if (!registered)
		host_at_exit(&node);
	registered = 1;
}

static struct saved_tty *find_tty(int fd, struct saved_tty **unused)
{
	struct stat st;
	int i;

	if (fstat(fd, &st) < 0)
		return NULL;
	for (i = MAX_SAVED - 1; i >= 0; i--) {
		struct saved_tty *tty = &ttys[i];

		if (!tty->users && unused) {
			*unused = tty;
			tty->dev = st.st_dev;
			tty->rdev = st.st_rdev;
			tty->ino = st.st_ino;
		} else if (tty->users && tty->dev == st.st_dev &&
			   tty->rdev == st.st_rdev && tty->ino == st.st_ino) {
			return tty;
		}
	}
	return NULL;
}

int host_tty_raw(int fd)
{
	struct saved_tty *tty, *slot = NULL;
	struct termios raw;
	int err;

	if (!isatty(fd))
		return 0;

	tty = find_tty(fd, &slot);
	if (tty) {
		tty->users++;
		return 0;
	}
	if (!slot)
		return -ENFILE;
	if (tcgetattr(fd, &slot->mode) < 0)
		return -errno;
	slot->fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	if (slot->fd < 0)
		return -errno;

	restore_at_exit();
	raw = slot->mode;
	cfmakeraw(&raw);
	err = set_mode(fd, &raw, 0);
	if (err) {
		close(slot->fd);
		return err;
	}
	slot->users = 1;
	return 0;
}

void host_tty_restore(int fd)
{
	struct saved_tty *tty = find_tty(fd, NULL);

	if (!tty || --tty->users)
		return;
	set_mode(tty->fd, &tty->mode, 1);
	close(tty->fd);
}

int host_tty_adds_cr(int fd)
{
	struct termios mode;

	return !tcgetattr(fd, &mode) && (mode.c_oflag & OPOST) && (mode.c_oflag & ONLCR);
}

int host_tty_size(int fd, unsigned short *rows, unsigned short *cols)
{
	struct winsize ws;

	if (ioctl(fd, TIOCGWINSZ, &ws) < 0)
		return -errno;
	if (!ws.ws_row || !ws.ws_col)
		return -ENOTTY;
	*rows = ws.ws_row;
	*cols = ws.ws_col;
	return 0;
}

void host_tty_winch_event(struct host_event *event)
{
	__atomic_store_n(&winch_event, event, __ATOMIC_RELEASE);
}

void host_tty_winch(void)
{
	struct host_event *event = __atomic_load_n(&winch_event, __ATOMIC_ACQUIRE);

	if (event)
		host_event_post(event);
}

/* The master side of a pty: opening its name again would make a new pty. */
static int is_pty_master(int fd)
{
	unsigned int nr;

	return ioctl(fd, TIOCGPTN, &nr) == 0;
}

static int open_again(int fd, int how)
{
	char path[32];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return open(path, (how & O_ACCMODE) | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
}

int host_tty_nonblock(int fd)
{
	struct stat st;
	int copy, how;

	how = fcntl(fd, F_GETFL);
	if (how < 0 || fstat(fd, &st) < 0)
		return -errno;

	if (S_ISFIFO(st.st_mode) || (isatty(fd) && !is_pty_master(fd))) {
		copy = open_again(fd, how);
		if (copy >= 0)
			return copy;
	}

	copy = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	if (copy < 0)
		return -errno;
	if (!(how & O_NONBLOCK) && !S_ISREG(st.st_mode) && !S_ISBLK(st.st_mode)) {
		if (nr_flags < MAX_SAVED) {
			flags[nr_flags].fd = fd;
			flags[nr_flags].flags = how;
			nr_flags++;
			restore_at_exit();
		}
		if (fcntl(copy, F_SETFL, how | O_NONBLOCK) < 0) {
			int err = -errno;

			close(copy);
			return err;
		}
	}
	return copy;
}
