/* SPDX-License-Identifier: GPL-2.0 */
/* From the disk options to ubd_host.c. Host half only. */
#ifndef __UM_UBD_CONFIG_HOST_H
#define __UM_UBD_CONFIG_HOST_H

#include "ubd_host.h"

/**
 * struct ubd_config - one disk of the command line
 * @info: file, serial number and flags
 * @buf: holds the strings; "" if the disk is not configured
 */
struct ubd_config {
	struct host_ubd_info info;
	char buf[4096 + 128];
};

extern struct ubd_config ubd_config[HOST_UBD_MAX];

#endif
