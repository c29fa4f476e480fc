// SPDX-License-Identifier: GPL-2.0
/*
 * The raw format: the disk is the file (or the host's block device).
 *
 * A file whose size is no multiple of the block size is a disk that is a
 * little larger. What is missing reads as zeroes; when the guest writes the
 * last block, the file grows to the disk's size. It never shrinks.
 *
 * After a sync that failed nobody knows what was lost, and the host would say only
 * once: the next sync would succeed. So it is remembered, and whatever is to be on
 * the medium fails until the disk is opened again.
 *
 * What a file begins with decides at the next start whether it is a COW file,
 * whose header names a file of the host to read. So a guest must not write
 * such a beginning: it would name what it likes. Unless flag d says that this
 * disk is never looked at, a write to the first block goes by way of a thread,
 * which looks at a copy and writes the copy, since a program in the guest can
 * change its memory meanwhile. Nothing else can make the magic number:
 * requests are whole sectors, and discards leave no data.
 */
#include <errno.h>
#include <string.h>

#include "cow_header.h"
#include "ubd_format_host.h"

/* No disk has larger blocks that can only be written as a whole (O_DIRECT). */
#define HEAD_MAX	4096

static int raw_probe(struct host_ubd *disk, const struct host_ubd_info *info, const char **why)
{
	return 1;
}

static int is_guarded(const struct host_ubd_request *request)
{
	return request->op == HOST_UBD_WRITE && !request->offset &&
	       !(request->ubd->flags & HOST_UBD_DATA);
}

/*
 * The error of the sync that failed, if this has to be on the medium. With flag s
 * there is nothing that a sync could lose.
 */
static int lost_for(const struct host_ubd_request *request)
{
	if (request->op != HOST_UBD_FLUSH && !request->fua)
		return 0;
	return (long)__atomic_load_n(&request->ubd->private, __ATOMIC_ACQUIRE);
}

static void raw_lost(struct host_ubd *disk, int err)
{
	__atomic_store_n(&disk->private, (void *)(long)err, __ATOMIC_RELEASE);
}

static int raw_map(const struct host_ubd_request *request, struct ubd_extent *extents)
{
	if (is_guarded(request) || lost_for(request))
		return 0;
	extents->fd = request->ubd->fd;
	extents->offset = request->offset;
	extents->len = request->len;
	return 1;
}

/* The first @len bytes of a write. */
static void copy_head(char *to, const struct host_ubd_request *request, unsigned long len)
{
	const struct host_ubd_segment *segment = request->segments;

	for (; len; segment++) {
		unsigned long n = segment->len < len ? segment->len : len;

		memcpy(to, segment->base, n);
		to += n;
		len -= n;
	}
}

static int write_guarded(struct host_ubd_request *request)
{
	_Alignas(HEAD_MAX) char head[HEAD_MAX];
	struct host_ubd_request first = { .ubd = request->ubd, .op = HOST_UBD_WRITE };
	struct ubd_extent extent = { .fd = request->ubd->fd };
	int err;

	extent.len = request->len < sizeof(head) ? request->len : sizeof(head);
	copy_head(head, request, extent.len);
	if (cow_header_probe(head, extent.len))
		return -EPERM;
	first.nr_segments = 1;
	first.segments[0].base = head;
	first.segments[0].len = extent.len;
	err = ubd_transfer(&first, 0, &extent, request->fua);
	if (err || request->len == extent.len)
		return err;
	extent.offset = extent.len;
	extent.len = request->len - extent.len;
	return ubd_transfer(request, extent.offset, &extent, request->fua);
}

static int raw_perform(struct host_ubd_request *request)
{
	int err = lost_for(request);

	if (err)
		return err;
	err = write_guarded(request);
	ubd_note_lost(request, err);
	return err;
}

const struct ubd_format ubd_raw_format = {
	.name = "raw",
	.probe = raw_probe,
	.map = raw_map,
	.perform = raw_perform,
	.lost = raw_lost,
};
