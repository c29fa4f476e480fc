// SPDX-License-Identifier: GPL-2.0
/* Disks that come and go while the machine runs (asm/hotplug.h). */
#include <linux/init.h>
#include <linux/string.h>
#include <asm/hotplug.h>
#include "ubd.h"

static int hotplug_config(const char *text, const char **why)
{
	int nr, err = host_ubd_configure(text, &nr, why);

	if (!err)
		err = ubd_plug(nr, why);
	if (err == -ENOENT)
		*why = "Couldn't determine size of device's file";
	return err;
}

static int hotplug_query(const char *text, char *buf, size_t size, const char **why)
{
	const struct host_ubd_info *info;
	int nr = host_ubd_number(text);

	if (nr < 0) {
		*why = "ubd_get_config : device number out of range";
		return 1;
	}
	info = ubd_info(nr);
	if (!info)
		return 0;
	snprintf(buf, size, *info->backing ? "%s,%s" : "%s", info->file, info->backing);
	return 0;
}

static int hotplug_remove(const char *text, const char **why)
{
	int nr = host_ubd_number(text);
	int err;

	if (nr == -EINVAL) {
		*why = "Couldn't parse device number";
		return 1;
	}
	if (nr < 0) {
		*why = "Invalid device number - must be between 0 and 15";
		return 1;
	}
	err = ubd_unplug(nr);
	*why = err == -EBUSY ? "Device is currently open" : "Device doesn't exist";
	return err;
}

static struct um_hotplug ubd_hotplug = {
	.name = "ubd",
	.config = hotplug_config,
	.query = hotplug_query,
	.remove = hotplug_remove,
};

static int __init ubd_hotplug_init(void)
{
	um_hotplug_register(&ubd_hotplug);
	return 0;
}
device_initcall_sync(ubd_hotplug_init);
