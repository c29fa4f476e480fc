// SPDX-License-Identifier: GPL-2.0
/*
 * Headers of COW files (cow_header.h).
 *
 * Three versions exist, and one broken variant that 64-bit programs wrote until
 * 2005; forms[] says where their fields are. All numbers are big-endian, but
 * for the body of version 1, which is in the order of the machine that wrote
 * it; that can only have been an x86.
 *
 * The bitmap follows, one bit per sector, least significant bit first, then
 * the sectors, each at its place of the disk. In version 3 both begin at
 * multiples of the alignment. Versions 1 and 2 put the bitmap right behind
 * the header, the data at the next sector, and round the bitmap's length down:
 * up to seven sectors at the end of an odd-sized disk have no bit. Programs
 * disagree about these; here they always come from the backing file.
 *
 * Nothing of a header is believed: it may come from anywhere.
 */
#include <endian.h>
#include <errno.h>
#include <string.h>

#include "cow_header.h"

#define MAGIC		0x4f4f4f4d	/* "OOOM" */
#define MAX_ALIGNMENT	(16u << 20)

/**
 * struct form - where a version keeps what; 0: it has no such field
 * @version: its number
 * @little: numbers after the version are little-endian
 * @len: bytes of the header
 * @path: name of the backing file, NUL-terminated
 * @path_size: room for it
 * @mtime, @size, @sector_size, @alignment, @format: numbers; @size has 8 bytes
 */
struct form {
	unsigned char version, little;
	unsigned short len, path, path_size, mtime, size, sector_size, alignment, format;
};

static const struct form forms[] = {
	{ .version = 1, .little = 1, .len = 280, .path = 8, .path_size = 256,
	  .mtime = 264, .size = 268, .sector_size = 276 },
	{ .version = 2, .len = 4120, .path = 8, .path_size = 4096,
	  .mtime = 4104, .size = 4108, .sector_size = 4116 },
	{ .version = 3, .len = COW_V3_LEN, .path = 32, .path_size = 4096,
	  .mtime = 8, .size = 12, .sector_size = 20, .alignment = 24, .format = 28 },
};

static const struct form broken_v3 = {
	.version = 3, .len = 4136, .path = 36, .path_size = 4096,
	.mtime = 8, .size = 16, .sector_size = 24, .alignment = 28, .format = 32,
};

static uint32_t get32(const unsigned char *p, int little)
{
	uint32_t value;

	memcpy(&value, p, 4);
	return little ? le32toh(value) : be32toh(value);
}

static uint64_t get64(const unsigned char *p, int little)
{
	uint64_t value;

	memcpy(&value, p, 8);
	return little ? le64toh(value) : be64toh(value);
}

int cow_header_probe(const void *buf, size_t len)
{
	return len >= 4 && (get32(buf, 0) == MAGIC || get32(buf, 1) == MAGIC);
}

/* Sets *result to @value rounded up; false if that overflows. */
static int round_up(uint64_t value, uint64_t to, uint64_t *result)
{
	if (__builtin_add_overflow(value, to - 1, result))
		return 0;
	*result &= ~(to - 1);
	return 1;
}

/* Where things are. Returns 0 or -EFBIG. */
static int layout(struct cow_header *h)
{
	uint64_t align = h->version == 3 ? h->alignment : COW_SECTOR;
	uint64_t end;

	if (h->size > INT64_MAX)
		return -EFBIG;
	h->sectors = h->size / COW_SECTOR + !!(h->size % COW_SECTOR);
	h->bitmap_len = h->version == 3 ? h->sectors / 8 + !!(h->sectors % 8) : h->sectors / 8;
	h->tracked = h->bitmap_len * 8 < h->sectors ? h->bitmap_len * 8 : h->sectors;
	h->bitmap_offset = h->header_len;
	if (h->version == 3 && !round_up(h->header_len, align, &h->bitmap_offset))
		return -EFBIG;
	if (!round_up(h->bitmap_offset + h->bitmap_len, align, &h->data_offset) ||
	    __builtin_add_overflow(h->data_offset, h->sectors * COW_SECTOR, &end) ||
	    end > INT64_MAX)
		return -EFBIG;
	return 0;
}

/* The form of a file's header, NULL for an unknown version; sets *version. */
static const struct form *find_form(const unsigned char *p, size_t len, unsigned int *version)
{
	/* Version 1 may have its first two numbers in either order. */
	int little = get32(p, 1) == MAGIC;
	size_t i;

	*version = get32(p + 4, little);
	for (i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		if (forms[i].version != *version || (little && *version != 1))
			continue;
		/* A good one has the path there, and no path is empty. */
		if (*version == 3 && len >= COW_V3_LEN && !get32(p + COW_V3_PATH, 0))
			return &broken_v3;
		return &forms[i];
	}
	return NULL;
}

static int refuse_short(const struct cow_header *h, uint64_t file_size, const char *where,
			const char *name, struct cow_report *report)
{
	cow_say(report, COW_ERROR, "COW file \"%s\" is cut off%s: it has %llu bytes and needs %llu",
		name, where, (unsigned long long)file_size,
		(unsigned long long)(h->data_offset + h->size));
	return -EINVAL;
}

/* What one form's numbers must be; sets the layout. */
static int check(struct cow_header *h, const struct form *form, const unsigned char *p,
		 const char *name, struct cow_report *report)
{
	uint32_t sector_size = get32(p + form->sector_size, form->little);
	uint32_t format = form->format ? get32(p + form->format, form->little) : 0;

	if (sector_size != COW_SECTOR) {
		cow_say(report, COW_ERROR,
			"COW file \"%s\" has sectors of %u bytes; only %u are possible",
			name, sector_size, COW_SECTOR);
		return -EINVAL;
	}
	if (format) {
		cow_say(report, COW_ERROR, "COW file \"%s\" has the unknown format %u", name, format);
		return -EINVAL;
	}
	if (form->alignment && (h->alignment < COW_SECTOR || h->alignment > MAX_ALIGNMENT ||
				(h->alignment & (h->alignment - 1)))) {
		cow_say(report, COW_ERROR,
			"COW file \"%s\" has the alignment %u, which is no power of two from %u to %u",
			name, h->alignment, COW_SECTOR, MAX_ALIGNMENT);
		return -EINVAL;
	}
	if (!memchr(h->backing, '\0', form->path_size) || !h->backing[0]) {
		cow_say(report, COW_ERROR, "COW file \"%s\" names no backing file", name);
		return -EINVAL;
	}
	if (!h->size || layout(h)) {
		cow_say(report, COW_ERROR,
			"COW file \"%s\" is for a disk of %llu bytes, which can't be",
			name, (unsigned long long)h->size);
		return -EINVAL;
	}
	return 0;
}

int cow_header_parse(struct cow_header *h, const void *buf, size_t len,
		     uint64_t file_size, const char *name, struct cow_report *report)
{
	const unsigned char *p = buf;
	const struct form *form;
	unsigned int version;
	int err;

	memset(h, 0, sizeof(*h));
	if (!cow_header_probe(buf, len)) {
		cow_say(report, COW_ERROR, "\"%s\" is no COW file", name);
		return -EMEDIUMTYPE;
	}
	form = len >= 8 ? find_form(p, len, &version) : &forms[0];
	if (!form) {
		cow_say(report, COW_ERROR,
			"COW file \"%s\" has the unknown version %u; known are 1, 2 and 3",
			name, version);
		return -EINVAL;
	}
	if (len < form->len) {
		cow_say(report, COW_ERROR, "COW file \"%s\" is cut off in its header", name);
		return -EINVAL;
	}

	h->version = form->version;
	h->broken = form == &broken_v3;
	h->header_len = form->len;
	h->mtime = get32(p + form->mtime, form->little);
	h->size = get64(p + form->size, form->little);
	if (form->alignment)
		h->alignment = get32(p + form->alignment, form->little);
	memcpy(h->backing, p + form->path, form->path_size);
	err = check(h, form, p, name, report);
	if (err)
		return err;

	if (h->bitmap_offset + h->bitmap_len > file_size)
		return refuse_short(h, file_size, " in its bitmap", name, report);
	/* Others were not made in full length; cow_open() looks at their bits. */
	if (h->version == 3 && !h->broken && h->data_offset + h->size > file_size)
		return refuse_short(h, file_size, "", name, report);
	return 0;
}

int cow_header_init(struct cow_header *h, const char *backing, uint64_t size,
		    uint32_t mtime, uint32_t alignment)
{
	memset(h, 0, sizeof(*h));
	if (strlen(backing) >= COW_PATH_MAX)
		return -ENAMETOOLONG;
	h->version = 3;
	h->mtime = mtime;
	h->size = size;
	h->alignment = alignment;
	h->header_len = COW_V3_LEN;
	memcpy(h->backing, backing, strlen(backing) + 1);
	return layout(h);
}

static void put32(unsigned char *p, uint32_t value)
{
	value = htobe32(value);
	memcpy(p, &value, 4);
}

void cow_header_format(const struct cow_header *h, void *buf)
{
	unsigned char *p = buf;
	uint64_t size = htobe64(h->size);

	memset(p, 0, COW_V3_LEN);
	put32(p, MAGIC);
	put32(p + 4, 3);
	put32(p + COW_V3_MTIME, h->mtime);
	memcpy(p + 12, &size, 8);
	put32(p + 20, COW_SECTOR);
	put32(p + 24, h->alignment);
	memcpy(p + COW_V3_PATH, h->backing, strlen(h->backing));
}
