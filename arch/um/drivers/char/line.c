// SPDX-License-Identifier: GPL-2.0
/*
 * Consoles and serial lines as ttys.
 *
 * Input: the event service reports that the host descriptor is readable; the
 * interrupt handler reads until it is empty and arms the watch again. While
 * the line discipline is full (throttle) the watch stays silent, so that the
 * host side feels the back-pressure.
 *
 * Output: bytes go straight to the host while it takes them. What it does not
 * take waits in the port's fifo, and a second watch reports when there is room.
 *
 * The end of the input hangs the tty up, a little later than it came: what was
 * sent before it must reach its reader first (echo halt | ./linux ...).
 */
#include <linux/init.h>
#include <linux/kfifo.h>
#include <linux/major.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/tty_driver.h>
#include <linux/tty_flip.h>
#include <host/tty.h>
#include "line.h"

#define READ_CHUNK	256
#define READ_CHUNKS	16		/* per interrupt */
#define RETRY_DELAY	(HZ / 50)
#define HANGUP_DELAY	HZ

static struct line_driver *drivers;

static struct line *tty_line(struct tty_struct *tty)
{
	return container_of(tty->port, struct line, port);
}

/* A watch is armed under the lock, because closing may take it away. */
static void rearm_input(struct line *line)
{
	unsigned long flags;

	spin_lock_irqsave(&line->lock, flags);
	if (line->in.event && !line->throttled && !line->ended)
		um_event_rearm(&line->in);
	spin_unlock_irqrestore(&line->lock, flags);
}

static void free_watch(struct line *line, struct um_event_irq *watch)
{
	struct um_event_irq old;
	unsigned long flags;

	spin_lock_irqsave(&line->lock, flags);
	old = *watch;
	watch->event = NULL;
	spin_unlock_irqrestore(&line->lock, flags);
	um_event_free(&old);
}

/* Input */

static void input_ended(struct line *line, bool hangup)
{
	line->ended = true;
	if (hangup)
		schedule_delayed_work(&line->hangup, HANGUP_DELAY);
}

/* Returns false if the descriptor must not be watched for now. */
static bool read_some(struct line *line)
{
	u8 buf[READ_CHUNK];
	int chunks;

	for (chunks = 0; chunks < READ_CHUNKS && !line->throttled; chunks++) {
		int room = tty_buffer_request_room(&line->port, sizeof(buf));
		long n;

		if (room <= 0) {
			schedule_delayed_work(&line->retry, RETRY_DELAY);
			return false;
		}
		n = host_line_read(line->host, buf, min_t(int, room, sizeof(buf)));
		if (n == -EAGAIN || n == -EINTR)
			break;
		if (n <= 0) {
			input_ended(line, n != -ENODATA);
			return false;
		}
		tty_insert_flip_string(&line->port, buf, n);
	}
	return true;
}

static irqreturn_t line_input_irq(int irq, void *dev)
{
	struct line *line = dev;
	bool more = read_some(line);

	tty_flip_buffer_push(&line->port);
	if (more)
		rearm_input(line);
	return IRQ_HANDLED;
}

static void line_retry(struct work_struct *work)
{
	struct line *line = container_of(work, struct line, retry.work);

	rearm_input(line);
}

static void line_hangup(struct work_struct *work)
{
	struct line *line = container_of(work, struct line, hangup.work);

	tty_port_tty_hangup(&line->port, false);
}

static void line_throttle(struct tty_struct *tty)
{
	tty_line(tty)->throttled = true;
}

static void line_unthrottle(struct tty_struct *tty)
{
	struct line *line = tty_line(tty);

	line->throttled = false;
	rearm_input(line);
}

/* Output */

/* Write what waits. Called with the line locked. */
static void push_output(struct line *line)
{
	while (!kfifo_is_empty(&line->port.xmit_fifo)) {
		u8 *data;
		unsigned int len;
		long n;

		len = kfifo_out_linear_ptr(&line->port.xmit_fifo, &data, PAGE_SIZE);
		n = host_line_write(line->host, data, len);
		if (n == -EAGAIN || n == -EINTR) {
			if (line->out.event)
				um_event_rearm(&line->out);
			return;
		}
		if (n <= 0) {
			/* Nobody is there any more, as with an unplugged cable. */
			kfifo_reset(&line->port.xmit_fifo);
			return;
		}
		kfifo_skip_count(&line->port.xmit_fifo, n);
	}
}

static irqreturn_t line_output_irq(int irq, void *dev)
{
	struct line *line = dev;
	unsigned long flags;

	spin_lock_irqsave(&line->lock, flags);
	push_output(line);
	spin_unlock_irqrestore(&line->lock, flags);
	tty_port_tty_wakeup(&line->port);
	return IRQ_HANDLED;
}

static ssize_t line_write(struct tty_struct *tty, const u8 *buf, size_t count)
{
	struct line *line = tty_line(tty);
	unsigned long flags;
	ssize_t done = 0;
	long n;

	if (tty->flow.stopped)
		return 0;

	spin_lock_irqsave(&line->lock, flags);
	push_output(line);
	if (kfifo_is_empty(&line->port.xmit_fifo)) {
		n = host_line_write(line->host, buf, count);
		if (n >= 0)
			done = n;
		else if (n != -EAGAIN && n != -EINTR)
			done = count;
	}
	if (done < count) {
		done += kfifo_in(&line->port.xmit_fifo, buf + done, count - done);
		if (line->out.event)
			um_event_rearm(&line->out);
	}
	spin_unlock_irqrestore(&line->lock, flags);
	return done;
}

static int line_put_char(struct tty_struct *tty, u8 c)
{
	struct line *line = tty_line(tty);
	unsigned long flags;
	int ret;

	spin_lock_irqsave(&line->lock, flags);
	ret = kfifo_put(&line->port.xmit_fifo, c);
	spin_unlock_irqrestore(&line->lock, flags);
	return ret;
}

static void line_flush_chars(struct tty_struct *tty)
{
	struct line *line = tty_line(tty);
	unsigned long flags;

	if (tty->flow.stopped)
		return;
	spin_lock_irqsave(&line->lock, flags);
	push_output(line);
	spin_unlock_irqrestore(&line->lock, flags);
}

static unsigned int line_write_room(struct tty_struct *tty)
{
	if (tty->flow.stopped)
		return 0;
	return kfifo_avail(&tty_line(tty)->port.xmit_fifo);
}

static unsigned int line_chars_in_buffer(struct tty_struct *tty)
{
	return kfifo_len(&tty_line(tty)->port.xmit_fifo);
}

static void line_flush_buffer(struct tty_struct *tty)
{
	struct line *line = tty_line(tty);
	unsigned long flags;

	spin_lock_irqsave(&line->lock, flags);
	kfifo_reset(&line->port.xmit_fifo);
	spin_unlock_irqrestore(&line->lock, flags);
	tty_wakeup(tty);
}

/* Window size */

static void copy_size(struct line *line, struct tty_struct *tty)
{
	struct winsize ws = { };

	if (!host_line_size(line->host, &ws.ws_row, &ws.ws_col))
		tty_do_resize(tty, &ws);
}

static void winch_work_fn(struct work_struct *work)
{
	struct line_driver *driver;
	int i;

	for (driver = drivers; driver; driver = driver->next) {
		for (i = 0; i < driver->nr; i++) {
			struct line *line = &driver->lines[i];
			struct tty_struct *tty;

			if (!line->host)
				continue;
			tty = tty_port_tty_get(&line->port);
			if (tty)
				copy_size(line, tty);
			tty_kref_put(tty);
		}
	}
}

static DECLARE_WORK(winch_work, winch_work_fn);

static irqreturn_t winch_irq(int irq, void *dev)
{
	schedule_work(&winch_work);
	return IRQ_HANDLED;
}

static void __init watch_window_size(void)
{
	static struct um_event_irq winch;

	if (winch.event || um_event_request(&winch, -1, 0, winch_irq, "winch", &winch))
		return;
	host_tty_winch_event(winch.event);
}

/* Opening and closing */

static int line_activate(struct tty_port *port, struct tty_struct *tty)
{
	struct line *line = container_of(port, struct line, port);
	struct line_driver *driver = tty->driver->driver_state;
	int err, fd;

	err = tty_port_alloc_xmit_buf(port);
	if (err)
		return err;
	err = host_line_open(line->host, 1);
	if (err) {
		pr_err("%s%d: can't open \"%s\" on the host (error %d)\n",
		       driver->dev_name, tty->index, host_line_text(line->host), -err);
		goto free_buf;
	}

	line->throttled = false;
	fd = host_line_input_fd(line->host);
	if (fd >= 0 && !line->ended) {
		err = um_event_request(&line->in, fd, HOST_EVENT_IN, line_input_irq,
				       driver->irq_name, line);
		if (err)
			goto close;
	}
	fd = host_line_output_fd(line->host);
	if (fd >= 0) {
		err = um_event_request(&line->out, fd, HOST_EVENT_OUT, line_output_irq,
				       driver->irq_name, line);
		if (err)
			goto free_in;
	}
	copy_size(line, tty);
	return 0;

free_in:
	free_watch(line, &line->in);
close:
	host_line_close(line->host);
free_buf:
	tty_port_free_xmit_buf(port);
	return err;
}

static void line_shutdown(struct tty_port *port)
{
	struct line *line = container_of(port, struct line, port);

	free_watch(line, &line->in);
	free_watch(line, &line->out);
	cancel_delayed_work_sync(&line->retry);
	cancel_delayed_work(&line->hangup);
	host_line_close(line->host);
	tty_port_free_xmit_buf(port);
}

static const struct tty_port_operations line_port_ops = {
	.activate = line_activate,
	.shutdown = line_shutdown,
};

static int line_install(struct tty_driver *driver, struct tty_struct *tty)
{
	struct line_driver *family = driver->driver_state;
	struct line *line = &family->lines[tty->index];

	if (!line->host)
		return -ENODEV;
	return tty_port_install(&line->port, driver, tty);
}

static int line_open(struct tty_struct *tty, struct file *file)
{
	return tty_port_open(tty->port, tty, file);
}

static void line_close(struct tty_struct *tty, struct file *file)
{
	tty_port_close(tty->port, tty, file);
}

static void line_tty_hangup(struct tty_struct *tty)
{
	tty_port_hangup(tty->port);
}

static const struct tty_operations line_tty_ops = {
	.install = line_install,
	.open = line_open,
	.close = line_close,
	.hangup = line_tty_hangup,
	.write = line_write,
	.put_char = line_put_char,
	.flush_chars = line_flush_chars,
	.write_room = line_write_room,
	.chars_in_buffer = line_chars_in_buffer,
	.flush_buffer = line_flush_buffer,
	.start = line_flush_chars,
	.throttle = line_throttle,
	.unthrottle = line_unthrottle,
};

static void __init line_init(struct line_driver *driver, int nr)
{
	struct line *line = &driver->lines[nr];
	struct device *dev;

	tty_port_init(&line->port);
	line->port.ops = &line_port_ops;
	spin_lock_init(&line->lock);
	INIT_DELAYED_WORK(&line->retry, line_retry);
	INIT_DELAYED_WORK(&line->hangup, line_hangup);
	line->host = host_line_get(driver->kind, nr, driver->fallback(nr));
	if (!line->host)
		return;

	dev = tty_port_register_device(&line->port, driver->tty, nr, NULL);
	if (IS_ERR(dev)) {
		pr_err("%s%d: no device (error %ld)\n", driver->dev_name, nr, -PTR_ERR(dev));
		line->host = NULL;
	}
}

int __init line_register(struct line_driver *driver)
{
	struct tty_driver *tty;
	int err, i;

	driver->lines = kcalloc(driver->nr, sizeof(*driver->lines), GFP_KERNEL);
	if (!driver->lines)
		return -ENOMEM;

	tty = tty_alloc_driver(driver->nr, TTY_DRIVER_REAL_RAW | TTY_DRIVER_DYNAMIC_DEV);
	if (IS_ERR(tty)) {
		kfree(driver->lines);
		return PTR_ERR(tty);
	}

	tty->driver_name = driver->name;
	tty->name = driver->dev_name;
	tty->major = TTY_MAJOR;
	tty->minor_start = driver->minor;
	tty->type = driver->type;
	tty->subtype = driver->subtype;
	tty->init_termios = tty_std_termios;
	tty->driver_state = driver;
	tty_set_operations(tty, &line_tty_ops);

	err = tty_register_driver(tty);
	if (err) {
		pr_err("%s: can't register the driver (error %d)\n", driver->name, -err);
		tty_driver_kref_put(tty);
		kfree(driver->lines);
		return err;
	}
	driver->tty = tty;
	for (i = 0; i < driver->nr; i++)
		line_init(driver, i);

	watch_window_size();
	driver->next = drivers;
	drivers = driver;
	return 0;
}

/* Kernel console */

int line_console_setup(struct console *console, char *options)
{
	struct line_driver *driver = console->data;
	struct host_line *host;

	if (console->index < 0)
		console->index = 0;
	if (console->index >= driver->nr)
		return -ENODEV;
	host = host_line_get(driver->kind, console->index, driver->fallback(console->index));
	if (!host)
		return -ENODEV;
	return host_line_open(host, 0);
}

void line_console_write(struct console *console, const char *text, unsigned int len)
{
	struct line_driver *driver = console->data;
	struct host_line *host;

	host = host_line_get(driver->kind, console->index, driver->fallback(console->index));
	if (host)
		host_line_print(host, text, len);
}

struct tty_driver *line_console_device(struct console *console, int *index)
{
	struct line_driver *driver = console->data;

	*index = console->index;
	return driver->tty;
}
