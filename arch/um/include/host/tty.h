/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Terminals of the host that carry the guest's consoles. Errors are negative
 * errno values.
 */
#ifndef __HOST_TTY_H
#define __HOST_TTY_H

struct host_event;

/** host_tty_check() - 1 if the descriptor is a terminal. Any context. */
int host_tty_check(int fd);

/**
 * host_tty_raw() - put a terminal in raw mode
 *
 * The first use of a terminal saves its mode; it is restored by as many calls
 * of host_tty_restore(), or when the kernel process ends. 0 if @fd is not a
 * terminal, too. Task context.
 */
int host_tty_raw(int fd);

/** host_tty_restore() - undo one host_tty_raw(). Task context. */
void host_tty_restore(int fd);

/** host_tty_adds_cr() - 1 if the terminal makes \r\n of \n. Any context. */
int host_tty_adds_cr(int fd);

/**
 * host_tty_size() - size of a terminal's window in characters
 *
 * Returns 0, or -ENOTTY when it has none. Any context.
 */
int host_tty_size(int fd, unsigned short *rows, unsigned short *cols);

/**
 * host_tty_winch_event() - choose the watch that a changed window size posts
 * @event: created with descriptor -1, or NULL for none
 */
void host_tty_winch_event(struct host_event *event);

/** host_tty_winch() - report a SIGWINCH; for the host half's signal handler */
void host_tty_winch(void);

/**
 * host_tty_nonblock() - a descriptor for @fd's file whose I/O never waits
 *
 * Terminals and pipes are opened anew, because O_NONBLOCK on the descriptor
 * we inherited would also hit our parent, who shares the open file. Where that
 * is impossible the flag is set on the shared file and cleared again at exit.
 * Returns a new descriptor, to be closed by the caller. Task context.
 */
int host_tty_nonblock(int fd);

#endif
