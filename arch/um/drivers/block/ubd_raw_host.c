// SPDX-License-Identifier: GPL-2.0
/*
 * The raw format: the disk is the file (or the host's block device).
 *
 * A file whose size is no multiple of the block size is a disk that is a
 * little larger. What is missing reads as zeroes; when the guest writes the
 * last block, the file grows to the disk's size. It never shrinks.
 */
#include "ubd_format_host.h"

static int raw_probe(struct host_ubd *disk, const struct host_ubd_info *info, const char **why)
{
	return 1;
}

static int raw_map(const struct host_ubd_request *request, struct ubd_extent *extents)
{
	extents->fd = request->ubd->fd;
	extents->offset = request->offset;
	extents->len = request->len;
	return 1;
}

const struct ubd_format ubd_raw_format = {
	.name = "raw",
	.probe = raw_probe,
	.map = raw_map,
};
