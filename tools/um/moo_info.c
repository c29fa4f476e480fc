// SPDX-License-Identifier: GPL-2.0
/*
 * uml_moo info: what a file is and what is in it, also while a machine uses it.
 *
 * The same list of fields is printed as lines of text or as a JSON object.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "disk_file.h"
#include "moo.h"
#include "tool.h"

/**
 * struct out - where fields go
 * @json: as members of an object
 * @n: how many there were
 */
struct out {
	int json;
	int n;
};

/* The length of a well-formed UTF-8 character at @p, 0 if there is none. */
static int utf8_length(const unsigned char *p)
{
	static const unsigned int least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	int n = *p < 0xc2 ? 0 : *p < 0xe0 ? 2 : *p < 0xf0 ? 3 : *p < 0xf5 ? 4 : 0, i;
	unsigned int c = *p & (0x7f >> n);

	for (i = 1; i < n; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (p[i] & 0x3f);
	}
	return n && c >= least[n] && c <= 0x10ffff && (c < 0xd800 || c > 0xdfff) ? n : 0;
}

/* File names may have any bytes: those that are no text become U+0080 to U+00FF. */
static void print_json_string(const char *text)
{
	const unsigned char *p = (const unsigned char *)text;
	int n;

	putchar('"');
	for (; *p; p++) {
		n = utf8_length(p);
		if (*p == '"' || *p == '\\') {
			printf("\\%c", *p);
		} else if (*p >= ' ' && *p < 0x7f) {
			putchar(*p);
		} else if (n) {
			printf("%.*s", n, (const char *)p);
			p += n - 1;
		} else {
			printf("\\u%04x", *p);
		}
	}
	putchar('"');
}

/* "backing-file" is "backing file:" in text. */
static void begin(struct out *out, const char *key)
{
	int i;

	if (out->json) {
		printf("%s\n  \"%s\": ", out->n++ ? "," : "{", key);
		return;
	}
	for (i = 0; key[i]; i++)
		putchar(key[i] == '-' ? ' ' : key[i]);
	printf(":%*s", i < 18 ? 18 - i : 1, "");
}

static void text(struct out *out, const char *key, const char *value)
{
	begin(out, key);
	if (out->json)
		print_json_string(value);
	else
		puts(value);
}

static void number(struct out *out, const char *key, uint64_t value, const char *unit)
{
	begin(out, key);
	printf("%" PRIu64, value);
	if (!out->json)
		printf("%s%s\n", *unit ? " " : "", unit);
}

static void seconds(struct out *out, const char *key, uint32_t value)
{
	time_t t = value;
	struct tm tm;
	char buf[40];

	begin(out, key);
	if (out->json) {
		printf("%" PRIu32, value);
		return;
	}
	strftime(buf, sizeof(buf), "%Y-%m-%d %H:%M:%S %z", localtime_r(&t, &tm));
	printf("%s (%" PRIu32 ")\n", buf, value);
}

static void yes_no(struct out *out, const char *key, int value)
{
	begin(out, key);
	if (out->json)
		fputs(value ? "true" : "false", stdout);
	else
		puts(value ? "yes" : "no");
}

static void end(struct out *out)
{
	if (out->json)
		puts(out->n ? "\n}" : "{\n}");
}

/* What is the file below like? One word. */
static const char *backing_state(const struct cow *cow)
{
	struct cow_backing b;
	const char *state = "ok";
	struct cow probe = *cow;
	int rename;

	/* Any file is taken, so that it can be looked at. */
	probe.flags |= COW_ACCEPT | COW_NO_LOCK;
	if (cow_backing_choose(&b, &probe, NULL, NULL, &rename))
		return "missing";
	if (b.size != cow->header.size)
		state = "other size";
	else if (!b.is_device && b.mtime != cow->header.mtime)
		state = "other time";
	cow_backing_close(&b);
	return state;
}

static int in_use(const char *path)
{
	int fd = disk_file_open(path, O_RDONLY), holder, used;

	if (fd < 0)
		return 0;
	used = disk_file_lock(fd, 0, &holder) == -EAGAIN;
	close(fd);
	return used;
}

static void print_cow(struct out *out, const struct cow *cow)
{
	const struct cow_header *h = &cow->header;
	uint64_t own = cow_map_count(&cow->map);
	struct stat st;

	text(out, "file", cow->path);
	text(out, "format", "cow");
	number(out, "version", h->version, "");
	yes_no(out, "broken", h->broken);
	number(out, "size", h->size, "bytes");
	text(out, "backing-file", h->backing);
	text(out, "backing-state", backing_state(cow));
	seconds(out, "backing-time", h->mtime);
	number(out, "sector-size", COW_SECTOR, "bytes");
	if (h->version == 3)
		number(out, "alignment", h->alignment, "bytes");
	number(out, "bitmap-offset", h->bitmap_offset, "");
	number(out, "bitmap-length", h->bitmap_len, "bytes");
	number(out, "data-offset", h->data_offset, "");
	number(out, "sectors", h->sectors, "");
	if (h->tracked < h->sectors)
		number(out, "sectors-without-bit", h->sectors - h->tracked, "");
	number(out, "own-sectors", own, "");
	number(out, "own-data", own * COW_SECTOR, "bytes");
	if (!fstat(cow->fd, &st))
		number(out, "disk-usage", st.st_blocks * 512ULL, "bytes");
	yes_no(out, "in-use", in_use(cow->path));
}

static int print_raw(struct out *out, const char *path)
{
	int fd = disk_file_open(path, O_RDONLY), err;
	uint64_t size;
	struct stat st;

	err = fd < 0 ? fd : disk_file_size(fd, &size);
	if (!err && fstat(fd, &st) < 0)
		err = -errno;
	if (fd >= 0)
		close(fd);
	if (err)
		return tool_error("Can't read \"%s\": %s", path, strerror(-err));
	text(out, "file", path);
	text(out, "format", "raw");
	number(out, "size", size, "bytes");
	number(out, "disk-usage", st.st_blocks * 512ULL, "bytes");
	yes_no(out, "in-use", in_use(path));
	return 0;
}

int moo_info(const char *path, int json)
{
	struct out out = { .json = json };
	struct cow *cow;
	int result = 0;

	if (moo_is_cow(path)) {
		if (cow_open(path, NULL, COW_READ_ONLY | COW_NO_LOCK | COW_ALONE, &tool_report,
			     &cow))
			return 1;
		print_cow(&out, cow);
		cow_close(cow);
	} else {
		result = print_raw(&out, path);
	}
	if (!result)
		end(&out);
	return result;
}
