// SPDX-License-Identifier: GPL-2.0
/*
 * Functions of the host half that modules of this folder call: only an object
 * of the kernel image can export them.
 */
#include <linux/export.h>
#include <host/process.h>
#include <host/time.h>

EXPORT_SYMBOL_GPL(host_random);
EXPORT_SYMBOL_GPL(host_realtime_ns);
