/* SPDX-License-Identifier: GPL-2.0 */
/* What is configured for the disks, by options or later. Host half only. */
#ifndef __UM_UBD_CONFIG_HOST_H
#define __UM_UBD_CONFIG_HOST_H

#include "ubd_host.h"

/**
 * struct ubd_config - one disk
 * @info: files, serial number and flags
 * @buf: holds the strings; "" if the disk is not configured
 * @flags: HOST_UBD_* that ubd_opt= has set
 * @rate: rate limits that ubd_opt= has set
 *
 * The last two belong to the number: they stay when the disk is removed.
 */
struct ubd_config {
	struct host_ubd_info info;
	char buf[2 * 4096 + 128];
	int flags;
	struct host_ubd_rate rate;
};

extern struct ubd_config ubd_config[HOST_UBD_MAX];

/**
 * ubd_parse_number() - take a disk's number off the front of a text
 * @text: moved behind it
 *
 * Returns it, perhaps HOST_UBD_MAX or more, or -1 if there is none.
 */
long ubd_parse_number(const char **text);

/** ubd_config_sync() - from now on disks are configured with HOST_UBD_SYNC */
void ubd_config_sync(void);

#endif
