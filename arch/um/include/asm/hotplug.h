/* SPDX-License-Identifier: GPL-2.0 */
/* Devices that come and go while the machine runs. */
#ifndef __ASM_UM_HOTPLUG_H
#define __ASM_UM_HOTPLUG_H

#include <linux/list.h>

struct dentry;

/**
 * struct um_hotplug - a class of devices
 * @name: how the words of its devices begin, e.g. "ubd"
 * @config: make a device. @text is the word behind @name, e.g. "1=file".
 * @query: write to @buf, of @size bytes, how a device is configured; "" if it
 *	is not. @text is the word behind @name, e.g. "1". NULL: can't.
 * @remove: remove a device that nobody uses. @text as for @query. NULL: can't.
 * @list: the registry's
 *
 * All are called in task context, one at a time, and may sleep. They return
 * 0, or a negative errno or 1 with *@why set to a text for the user.
 */
struct um_hotplug {
	const char *name;
	int (*config)(const char *text, const char **why);
	int (*query)(const char *text, char *buf, size_t size, const char **why);
	int (*remove)(const char *text, const char **why);
	struct list_head list;
};

/** um_hotplug_register() - announce a class; for ever */
void um_hotplug_register(struct um_hotplug *class);

/**
 * um_hotplug_config() - make or query a device
 * @text: "<device>=<setting>" makes it, "<device>" asks for its setting
 * @reply: set to the answer, or to what is wrong; without a newline
 * @size: bytes of @reply
 *
 * Task context. Returns 0, a negative errno, or 1 for errors without one.
 */
int um_hotplug_config(const char *text, char *reply, size_t size);

/** um_hotplug_remove() - remove the device that @text names; see um_hotplug_config() */
int um_hotplug_remove(const char *text, char *reply, size_t size);

/** um_debugfs() - our directory in debugfs. Late initcalls and later. */
struct dentry *um_debugfs(void);

#endif
