// SPDX-License-Identifier: GPL-2.0
/*
 * Lines, seen from the host (line_host.h): which channels each of them has,
 * and moving bytes through them.
 *
 * Settings are collected while the options are parsed and looked up when the
 * kernel half first asks for a line: its own setting wins over the default of
 * all lines (con=, ssl=), which wins over the kernel configuration.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <host/tty.h>
#include <host/vcpu.h>
#include "../../os-Linux/internal.h"
#include "line_config_host.h"

#define MAX_LINES	64
#define TEXT_MAX	256

/**
 * struct host_line - a configured line
 * @own: setting of this line on the command line, or NULL
 * @text: the setting in use
 * @words: @text, split
 * @chan: its channels; both are the same when one word was given
 * @looked_up: @on is valid
 * @on: it has channels
 * @users: opens minus closes
 */
struct host_line {
	const char *own;
	char text[TEXT_MAX];
	char words[TEXT_MAX];
	struct chan chan[2];
	struct chan *in;
	struct chan *out;
	int looked_up;
	int on;
	int users;
	int raw;
};

static struct host_line lines[HOST_LINE_KINDS][MAX_LINES];
static const char *defaults[HOST_LINE_KINDS];
static int non_raw[HOST_LINE_KINDS];
static int early_stderr;

/* Fill in @line's channels from @text. Returns NULL or what is wrong. */
static const char *configure(struct host_line *line, const char *text, int *missing)
{
	const char *error;
	char *comma;

	*missing = 0;
	line->on = 0;
	if (strlen(text) >= TEXT_MAX)
		return "the setting is too long";
	strcpy(line->text, text);
	strcpy(line->words, text);
	if (!strcmp(text, "none"))
		return NULL;

	comma = strchr(line->words, ',');
	if (comma) {
		*comma++ = '\0';
		if (strchr(comma, ','))
			return "the form is <input channel>,<output channel>";
	}

	line->in = line->out = &line->chan[0];
	error = chan_parse(line->in, line->words, comma ? CHAN_INPUT : CHAN_INPUT | CHAN_OUTPUT);
	if (!error && comma) {
		line->out = &line->chan[1];
		error = chan_parse(line->out, comma, CHAN_OUTPUT);
	}
	if (error) {
		*missing = line->out->ops && line->out->ops->missing;
		return error;
	}
	line->on = 1;
	return NULL;
}

const char *line_config_check(const char *text, int *missing)
{
	static struct host_line scratch;

	return configure(&scratch, text, missing);
}

void line_config_set(enum host_line_kind kind, int nr, const char *text)
{
	lines[kind][nr].own = text;
}

void line_config_default(enum host_line_kind kind, const char *text)
{
	defaults[kind] = text;
}

void line_config_non_raw(enum host_line_kind kind)
{
	non_raw[kind] = 1;
}

void line_config_stderr(int on)
{
	early_stderr = on;
}

struct host_line *host_line_get(enum host_line_kind kind, int nr, const char *fallback)
{
	struct host_line *line = &lines[kind][nr];
	const char *text = line->own;
	int missing;

	if (!line->looked_up) {
		line->looked_up = 1;
		line->raw = !non_raw[kind];
		if (!text)
			text = defaults[kind];
		if (!text)
			text = fallback;
		configure(line, text, &missing);
	}
	return line->on ? line : NULL;
}

const char *host_line_text(const struct host_line *line)
{
	return line->text;
}

int host_line_open(struct host_line *line, int raw)
{
	int err;

	raw = raw && line->raw;
	err = line->in->ops->open(line->in, raw);
	if (err)
		return err;
	if (line->out != line->in) {
		err = line->out->ops->open(line->out, raw);
		if (err) {
			if (!line->users)
				line->in->ops->close(line->in);
			return err;
		}
	}
	line->users++;
	return 0;
}

void host_line_close(struct host_line *line)
{
	if (--line->users)
		return;
	line->in->ops->close(line->in);
	if (line->out != line->in)
		line->out->ops->close(line->out);
}

int host_line_input_fd(const struct host_line *line)
{
	return line->in->fd;
}

int host_line_output_fd(const struct host_line *line)
{
	return line->out->fd;
}

long host_line_read(struct host_line *line, void *buf, unsigned long len)
{
	struct chan *chan = line->in;
	long n;

	if (chan->ops->read)
		return chan->ops->read(chan, buf, len);
	n = read(chan->fd, buf, len);
	return n < 0 ? -errno : n;
}

long host_line_write(struct host_line *line, const void *buf, unsigned long len)
{
	struct chan *chan = line->out;
	long n;

	if (chan->ops->write)
		return chan->ops->write(chan, buf, len);
	n = write(chan->fd, buf, len);
	return n < 0 ? -errno : n;
}

/*
 * Wait until @fd takes more. The timeout covers a signal that arrived just
 * before poll(). Returns 0 when the user wants to end the machine.
 */
static int wait_for_room(int fd)
{
	struct pollfd pfd = { .fd = fd, .events = POLLOUT };

	if (__atomic_load_n(&host_boot_vcpu.pending, __ATOMIC_RELAXED) & (1 << UM_IRQ_SHUTDOWN))
		return 0;
	poll(&pfd, 1, 1000);
	return 1;
}

static void print_all(struct host_line *line, const char *text, unsigned long len)
{
	while (len) {
		long n = host_line_write(line, text, len);

		if (n > 0) {
			text += n;
			len -= n;
		} else if (n == -EINTR) {
			continue;
		} else if (n != -EAGAIN || !wait_for_room(line->out->fd)) {
			return;
		}
	}
}

void host_line_print(struct host_line *line, const char *text, unsigned long len)
{
	/* Lines of kernel messages are short; longer ones go out in pieces. */
	char buf[256];
	unsigned long n = 0;

	/* Before it is raw, the terminal itself makes \r\n of \n. */
	if (!line->out->tty || host_tty_adds_cr(line->out->fd)) {
		print_all(line, text, len);
		return;
	}
	while (len--) {
		if (n > sizeof(buf) - 2) {
			print_all(line, buf, n);
			n = 0;
		}
		if (*text == '\n')
			buf[n++] = '\r';
		buf[n++] = *text++;
	}
	print_all(line, buf, n);
}

int host_line_size(const struct host_line *line, unsigned short *rows, unsigned short *cols)
{
	if (line->in->tty)
		return host_tty_size(line->in->fd, rows, cols);
	if (line->out->tty)
		return host_tty_size(line->out->fd, rows, cols);
	return -ENOTTY;
}

void host_line_early_print(const char *fallback, const char *text, unsigned long len)
{
	struct host_line *line;
	ssize_t n;

	if (early_stderr) {
		while (len && (n = write(STDERR_FILENO, text, len)) > 0) {
			text += n;
			len -= n;
		}
		return;
	}
	line = host_line_get(HOST_LINE_CON, 0, fallback);
	if (line && !host_line_open(line, 0)) {
		host_line_print(line, text, len);
		host_line_close(line);
	}
}
