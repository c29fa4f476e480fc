/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Contract of the consoles and serial lines: the kernel half sees lines; what
 * channels they are made of is the host half's business. Errors are negative
 * errno values.
 */
#ifndef __UM_LINE_HOST_H
#define __UM_LINE_HOST_H

enum host_line_kind {
	HOST_LINE_CON,		/* consoles, con<n>= */
	HOST_LINE_SSL,		/* serial lines, ssl<n>= */
	HOST_LINE_KINDS
};

#define HOST_CON_LINES		16
#define HOST_SSL_LINES		64

struct host_line;

/**
 * host_line_get() - find a line
 * @kind: console or serial line
 * @nr: its number, below HOST_CON_LINES or HOST_SSL_LINES
 * @fallback: the channels to use when the command line names none
 *
 * Returns NULL when the line is switched off ("none") or its channels don't
 * exist. The same line is returned every time; nothing is opened. Any context.
 */
struct host_line *host_line_get(enum host_line_kind kind, int nr, const char *fallback);

/**
 * host_line_text() - the line's channels as configured, e.g. "fd:0,fd:1"
 */
const char *host_line_text(const struct host_line *line);

/**
 * host_line_open() - open the line's channels
 * @line: the line
 * @raw: put host terminals in raw mode; 0 for output of kernel messages only
 *
 * Counts: as many host_line_close() calls undo it. Task context, or start-up.
 */
int host_line_open(struct host_line *line, int raw);

/** host_line_close() - undo one host_line_open(). Task context. */
void host_line_close(struct host_line *line);

/** host_line_input_fd() - descriptor to watch for input, or -1 if none ever comes */
int host_line_input_fd(const struct host_line *line);

/** host_line_output_fd() - descriptor to watch for room, or -1 if there always is */
int host_line_output_fd(const struct host_line *line);

/**
 * host_line_read() - take input, without waiting
 *
 * Returns a byte count; -EAGAIN when there is nothing now; 0 when the other
 * side went away; -ENODATA when the input is used up, but nobody went away
 * (a file, /dev/null); or another error. Any context.
 */
long host_line_read(struct host_line *line, void *buf, unsigned long len);

/**
 * host_line_write() - give output, without waiting
 *
 * Returns a byte count (maybe short), -EAGAIN when there is no room now, or
 * another error. Any context.
 */
long host_line_write(struct host_line *line, const void *buf, unsigned long len);

/**
 * host_line_print() - write kernel messages, waiting for room
 *
 * Loses nothing to a slow reader, but gives up when the user wants to end the
 * machine. Newlines get carriage returns on terminals. Any context.
 */
void host_line_print(struct host_line *line, const char *text, unsigned long len);

/** host_line_size() - window size of the line's terminal; 0 or a negative errno */
int host_line_size(const struct host_line *line, unsigned short *rows, unsigned short *cols);

/**
 * host_line_early_print() - kernel messages before there are lines
 * @fallback: channels of con0 when the command line names none
 *
 * To con0's output, or to stderr with stderr=1.
 */
void host_line_early_print(const char *fallback, const char *text, unsigned long len);

#endif
