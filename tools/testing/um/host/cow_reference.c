// SPDX-License-Identifier: GPL-2.0
/*
 * What a COW file means, by the shortest way from the description of the
 * format: byte by byte and bit by bit, in numbers that can't overflow.
 */
#include <stdlib.h>
#include <string.h>

#include "cow_test.h"

typedef unsigned __int128 u128;

static u128 number(const unsigned char *p, int bytes, int little)
{
	u128 value = 0;
	int i;

	for (i = 0; i < bytes; i++)
		value = value * 256 + p[little ? bytes - 1 - i : i];
	return value;
}

static u128 up(u128 value, u128 to)
{
	return (value + to - 1) / to * to;
}

static int all_zero(const unsigned char *p, int n)
{
	while (n--)
		if (*p++)
			return 0;
	return 1;
}

static int power_of_two(u128 value)
{
	u128 p = 1;

	while (p < value)
		p *= 2;
	return p == value;
}

void reference(struct expected *e, const unsigned char *file, uint64_t len,
	       const unsigned char *backing, uint64_t backing_len)
{
	u128 size, ss, alignment = 512, format = 0, header, bitmap, bitmap_len, data, bits, n, i;
	int little = 0, version, path, path_len;
	unsigned char head[4136] = { 0 };

	memset(e, 0, sizeof(*e));
	memcpy(head, file, len < sizeof(head) ? len : sizeof(head));
	if (len < 8)
		return;
	if (!memcmp(head, "MOOO\1\0\0\0", 8))
		little = 1;
	else if (memcmp(head, "OOOM\0\0\0", 7))
		return;
	version = little ? 1 : head[7];

	if (version == 1) {
		header = 280;
		path = 8;
		path_len = 256;
		e->mtime = number(head + 264, 4, 1);
		size = number(head + 268, 8, 1);
		ss = number(head + 276, 4, 1);
	} else if (version == 2) {
		header = 4120;
		path = 8;
		path_len = 4096;
		e->mtime = number(head + 4104, 4, 0);
		size = number(head + 4108, 8, 0);
		ss = number(head + 4116, 4, 0);
	} else if (version == 3) {
		int gap = all_zero(head + 32, 4) ? 4 : 0;

		header = gap ? 4136 : 4128;
		path = 32 + gap;
		path_len = 4096;
		e->mtime = number(head + 8, 4, 0);
		size = number(head + 12 + gap, 8, 0);
		ss = number(head + 20 + gap, 4, 0);
		alignment = number(head + 24 + gap, 4, 0);
		format = number(head + 28 + gap, 4, 0);
	} else {
		return;
	}
	if (len < header || ss != 512 || format || !size || size >= (u128)1 << 63)
		return;
	if (alignment < 512 || alignment > 16 << 20 || !power_of_two(alignment))
		return;
	if (!head[path] || !memchr(head + path, 0, path_len))
		return;
	strcpy(e->path, (char *)head + path);

	n = up(size, 512) / 512;
	bitmap = version == 3 ? up(header, alignment) : header;
	bitmap_len = version == 3 ? up(n, 8) / 8 : (size + 511) / (8 * 512);
	data = up(bitmap + bitmap_len, alignment);
	if (data + n * 512 >= (u128)1 << 63 || bitmap + bitmap_len > len)
		return;
	if (version == 3 && header == 4128 && data + size > len)
		return;
	bits = bitmap_len * 8 < n ? bitmap_len * 8 : n;
	for (i = 0; i < bits; i++)
		if ((file[bitmap + i / 8] >> (i % 8) & 1) && data + i * 512 >= len)
			return;

	e->valid = 1;
	e->size = size;
	e->sectors = n;
	if (!backing)
		return;
	e->disk = calloc(n, 512);
	for (i = 0; i < n; i++) {
		int own = i < bits && (file[bitmap + i / 8] >> (i % 8) & 1);
		const unsigned char *from = own ? file : backing;
		u128 at = own ? data + i * 512 : i * 512, end = own ? len : backing_len;
		int b;

		for (b = 0; b < 512 && at + b < end; b++)
			e->disk[i * 512 + b] = from[at + b];
	}
}
