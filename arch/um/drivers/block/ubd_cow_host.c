// SPDX-License-Identifier: GPL-2.0
/*
 * The COW format of disks (ubd_format_host.h, cow.h).
 *
 * Reads and writes are plain ranges of files for the engine; that a sector is the
 * COW file's from then on is noted when its first write is done. A discard, a
 * flush when the bitmap is behind, and a first write that is to be on the medium
 * at once are done here, on a host thread.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../../os-Linux/disk_file.h"
#include "ubd_cow_host.h"
#include "ubd_format_host.h"

static void log_line(struct cow_report *report, enum cow_level level, const char *text)
{
	ubd_log(level == COW_ERROR ? 3 : level == COW_NOTICE ? 5 : 6, text);
}

static struct cow_report log_report = { .line = log_line };

static const char refused[] = "the COW file or its backing file is refused";

static int cow_make(const struct host_ubd_info *info, const char **why)
{
	int err;

	cow_say(&log_report, COW_INFO, "Creating \"%s\" as COW file for \"%s\"", info->file,
		info->backing);
	err = cow_create(info->file, info->backing, 0, &log_report);
	/* Somebody else has made it meanwhile. */
	if (!err || err == -EEXIST)
		return 1;
	*why = "it can't be created";
	return err;
}

static int cow_probe(struct host_ubd *disk, const struct host_ubd_info *info, const char **why)
{
	char magic[4];

	if (disk->flags & HOST_UBD_DATA)
		return 0;
	/* Its parts are at places that O_DIRECT can't reach. */
	if (disk->flags & HOST_UBD_DIRECT &&
	    fcntl(disk->fd, F_SETFL, fcntl(disk->fd, F_GETFL) & ~O_DIRECT) < 0) {
		*why = "error of the host";
		return -errno;
	}
	if (disk_file_read(disk->fd, magic, 4, 0) == 4 && cow_header_probe(magic, 4)) {
		if (disk->flags & HOST_UBD_DIRECT)
			ubd_log(5, "ubd_opt=direct is for plain images: a COW file and its backing file are read and written through the host's cache");
		disk->flags &= ~HOST_UBD_DIRECT;
		return 1;
	}
	if (*info->backing) {
		*why = "it is no COW file, but a backing file is given";
		return -EMEDIUMTYPE;
	}
	if (disk->flags & HOST_UBD_DIRECT)
		fcntl(disk->fd, F_SETFL, fcntl(disk->fd, F_GETFL) | O_DIRECT);
	return 0;
}

static int cow_format_open(struct host_ubd *disk, struct host_ubd_info *info, const char **why)
{
	int flags = 0, err;
	struct cow *cow;

	if (disk->flags & HOST_UBD_READ_ONLY)
		flags |= COW_READ_ONLY;
	if (disk->flags & HOST_UBD_SYNC)
		flags |= COW_SYNC;
	if (disk->flags & HOST_UBD_SHARED)
		flags |= COW_NO_LOCK;
	if (disk->flags & HOST_UBD_ACCEPT)
		flags |= COW_ACCEPT;
	err = cow_attach(disk->fd, info->file, *info->backing ? info->backing : NULL, flags,
			 &log_report, &cow);
	if (err) {
		*why = refused;
		return err == -EAGAIN ? -EBUSY : err;
	}
	disk->private = cow;
	disk->size = cow->header.size;
	info->backing = cow->backing;
	if (!(flags & COW_READ_ONLY))
		ubd_cow_sync_add(disk->nr, cow);
	return 0;
}

static void cow_format_close(struct host_ubd *disk)
{
	ubd_cow_sync_remove(disk->nr);
	cow_close(disk->private);
}

/* Must a request be on the medium when it is done? */
static int is_durable(const struct host_ubd_request *request)
{
	return request->fua || request->ubd->flags & HOST_UBD_SYNC;
}

static int map_read(const struct cow *cow, const struct host_ubd_request *request,
		    struct ubd_extent *extents)
{
	unsigned long long done = 0;
	struct cow_piece piece;
	int n;

	for (n = 0; done < request->len; n++) {
		if (n == UBD_EXTENTS)
			return 0;
		cow_map_piece(cow, request->offset + done, request->len - done, &piece);
		if (piece.fd < 0)
			return 0;
		extents[n].fd = piece.fd;
		extents[n].offset = piece.offset;
		extents[n].len = piece.len;
		done += piece.len;
	}
	return n;
}

static int cow_format_map(const struct host_ubd_request *request, struct ubd_extent *extents)
{
	const struct cow *cow = request->ubd->private;

	switch (request->op) {
	case HOST_UBD_READ:
		return map_read(cow, request, extents);
	case HOST_UBD_FLUSH:
		if (!cow_settled(cow))
			return 0;
		*extents = (struct ubd_extent){ .fd = cow->fd };
		return 1;
	case HOST_UBD_WRITE:
		if (is_durable(request) ? !cow_in_place(cow, request->offset, request->len, 1) :
		    cow_has_room(cow, request->offset, request->len))
			return 0;
		break;
	default:
		if (request->ubd->is_device && request->op == HOST_UBD_DISCARD)
			return 0;
		if (!cow_in_place(cow, request->offset, request->len, is_durable(request)))
			return 0;
	}
	extents->fd = cow->fd;
	extents->offset = cow_offset(cow, request->offset);
	extents->len = request->len;
	return 1;
}

static int cow_format_written(const struct host_ubd_request *request)
{
	struct cow *cow = request->ubd->private;
	int err;

	if (cow_in_place(cow, request->offset, request->len, 0))
		return 0;
	err = cow_written(cow, request->offset, request->len);
	ubd_cow_sync_soon();
	return err;
}

static int read_pieces(const struct cow *cow, const struct host_ubd_request *request)
{
	unsigned long long done = 0;
	struct ubd_extent extent;
	struct cow_piece piece;
	int err = 0;

	for (; done < request->len && !err; done += piece.len) {
		cow_map_piece(cow, request->offset + done, request->len - done, &piece);
		extent.fd = piece.fd;
		extent.offset = piece.offset;
		extent.len = piece.len;
		if (piece.fd < 0)
			ubd_zero(request, done, piece.len);
		else
			err = ubd_transfer(request, done, &extent, 0);
	}
	return err;
}

/* Data first; then the sectors are the COW file's. */
static int change(struct cow *cow, const struct host_ubd_request *request)
{
	struct ubd_extent extent = {
		.fd = cow->fd, .offset = cow_offset(cow, request->offset), .len = request->len,
	};
	enum host_ubd_op op = request->op;
	int err = cow_has_room(cow, request->offset, request->len);

	if (err)
		return err;
	/* What a block device discards need not read as zeroes; here it must. */
	if (op == HOST_UBD_DISCARD && request->ubd->is_device)
		op = HOST_UBD_ZERO;
	/* Not with request->fua: the flush below syncs it. */
	if (op == HOST_UBD_WRITE)
		err = ubd_transfer(request, 0, &extent, 0);
	else
		err = ubd_punch(request->ubd, &extent, op, request->keep);
	ubd_note_lost(request, err);
	if (!err)
		err = cow_written(cow, request->offset, request->len);
	if (err)
		return err;
	if (is_durable(request))
		return cow_flush(cow);
	ubd_cow_sync_soon();
	return 0;
}

static void cow_format_lost(struct host_ubd *disk, int err)
{
	cow_lost(disk->private, err);
}

static int cow_perform(struct host_ubd_request *request)
{
	struct cow *cow = request->ubd->private;

	switch (request->op) {
	case HOST_UBD_READ:
		return read_pieces(cow, request);
	case HOST_UBD_FLUSH:
		return cow_flush(cow);
	default:
		return change(cow, request);
	}
}

const struct ubd_format ubd_cow_format = {
	.name = "cow",
	.create = cow_make,
	.probe = cow_probe,
	.open = cow_format_open,
	.close = cow_format_close,
	.map = cow_format_map,
	.written = cow_format_written,
	.perform = cow_perform,
	.lost = cow_format_lost,
};
