// SPDX-License-Identifier: GPL-2.0
/* Headers, the bitmap in memory, and the rules about backing files. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cow_test.h"
#include "disk_file.h"

void test_headers(void)
{
	/* Sizes of disks, and what uml_mkcow makes of them. */
	static const struct {
		uint64_t size, sectors, bitmap_len, data_offset;
	} known[] = {
		{ 1, 1, 1, 12288 },
		{ 512, 1, 1, 12288 },
		{ 513, 2, 1, 12288 },
		{ 4096, 8, 1, 12288 },
		{ 4097, 9, 2, 12288 },
		{ 301056, 588, 74, 12288 },
		{ 16777216, 32768, 4096, 12288 },
		{ 16777217, 32769, 4097, 16384 },
		{ 17179869185, 33554433, 4194305, 4206592 },
	};
	struct cow_header h, again;
	struct kept_report kept;
	char buf[COW_V3_LEN];
	size_t i;

	for (i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		int err = cow_header_init(&h, "/b", known[i].size, 77, 4096);

		check(!err && h.sectors == known[i].sectors &&
		      h.bitmap_len == known[i].bitmap_len && h.bitmap_offset == 8192 &&
		      h.data_offset == known[i].data_offset && h.tracked == h.sectors,
		      "headers: layout for %llu bytes", (unsigned long long)known[i].size);
	}
	check(cow_header_init(&h, "/b", UINT64_MAX, 0, 4096) == -EFBIG &&
	      cow_header_init(&h, "/b", INT64_MAX, 0, 4096) == -EFBIG,
	      "headers: no file can be that long");

	cow_header_init(&h, "/some/where", 301056, 0x87654321, 4096);
	cow_header_format(&h, buf);
	check(!memcmp(buf, "OOOM\0\0\0\3\x87\x65\x43\x21\0\0\0\0\0\4\x98\0\0\0\2\0\0\0\x10\0"
		      "\0\0\0\0/some/where\0", 44), "headers: bytes of version 3");
	kept_report_init(&kept);
	check(!cow_header_parse(&again, buf, sizeof(buf), 313344, "x", &kept.report) &&
	      !memcmp(&h, &again, sizeof(h)) && !kept.errors, "headers: read as written");
	check(cow_header_parse(&again, buf, sizeof(buf), 313343, "x", &kept.report) == -EINVAL &&
	      strstr(kept.text, "cut off"), "headers: one byte is missing");
}

static void set_up_map(struct cow_map *map, uint64_t sectors)
{
	struct cow_header h = { .tracked = sectors, .bitmap_len = (sectors + 7) / 8 };
	int fd = memory_file("", 0);

	if (cow_map_load(map, fd, &h))
		abort();
	close(fd);
}

/* Against an array of bytes. */
static int compare_map(struct cow_map *map, const unsigned char *model, uint64_t sectors,
		       uint64_t *rnd)
{
	uint64_t from = next_random(rnd) % (sectors + 20), count = 1 + next_random(rnd) % 300, n;
	int present, want = from < sectors && model[from];

	if (next_random(rnd) % 8 == 0)
		count = sectors + 50;
	for (n = 1; n < count; n++)
		if ((from + n < sectors && model[from + n]) != want)
			break;
	return cow_map_run(map, from, count, &present) == n && present == want;
}

void test_map(void)
{
	uint64_t sizes[] = { 1, 7, 8, 63, 64, 65, 4096, 4097, 10000 }, rnd = 5, i, k;
	struct cow_map_range ranges[64];
	static unsigned char model[20000], buf[64 * COW_MAP_BLOCK];
	struct cow_map map;
	size_t s;

	for (s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++) {
		uint64_t n = sizes[s], block = 0, last = 0, count = 0;
		int good = 1;

		set_up_map(&map, n);
		memset(model, 0, sizeof(model));
		good &= cow_map_add(&map, n - 1, 1) && !cow_map_add(&map, n - 1, 1);
		model[n - 1] = 1;
		for (i = 0; i < 300 && good; i++) {
			uint64_t from = next_random(&rnd) % n;
			uint64_t len = 1 + next_random(&rnd) % (n - from < 40 ? n - from : 40);
			int new = 0;

			for (k = from; k < from + len; k++) {
				new |= !model[k];
				model[k] = 1;
			}
			good &= cow_map_add(&map, from, len) == new;
			for (k = 0; k < 50; k++)
				good &= compare_map(&map, model, n, &rnd);
		}
		for (i = 0; i < n; i++) {
			count += model[i];
			if (model[i])
				last = i + 1;
		}
		check(good && cow_map_count(&map) == count && cow_map_last(&map) == last,
		      "map: %llu sectors", (unsigned long long)n);

		good = cow_map_take(&map, &block, buf, ranges, 64) == 1 && !ranges[0].offset &&
		       ranges[0].len == map.size;
		for (i = 0; i < n; i++)
			good &= (buf[i / 8] >> (i % 8) & 1) == model[i];
		block = 0;
		good &= !cow_map_take(&map, &block, buf, ranges, 64);
		cow_map_put_back(&map, &(struct cow_map_range){ 0, COW_MAP_BLOCK });
		block = 0;
		good &= cow_map_take(&map, &block, buf, ranges, 64) == 1 &&
			ranges[0].len == COW_MAP_BLOCK;
		check(good, "map: what is touched is taken once, of %llu sectors",
		      (unsigned long long)n);
		cow_map_free(&map);
	}

	/* Far apart, in steps of two blocks. */
	set_up_map(&map, 1 << 20);
	for (i = 0; i < 5; i++)
		cow_map_add(&map, i * 200000, 1);
	cow_map_add(&map, 4096, 1);
	i = 0;
	check(cow_map_take(&map, &i, buf, ranges, 2) == 1 && ranges[0].len == 1024 &&
	      cow_map_take(&map, &i, buf, ranges, 2) == 2 &&
	      ranges[1].offset == 400000 / 4096 * 512 && buf[512 + 400000 / 8 % 512] == 1 &&
	      cow_map_take(&map, &i, buf, ranges, 2) == 2 &&
	      cow_map_take(&map, &i, buf, ranges, 2) == 0, "map: taken in steps");
	cow_map_free(&map);
}

/* A folder with files, for the rules. */
static char folder[] = "/tmp/cow-rules-XXXXXX";

static void write_text(const char *name, const char *text, time_t time)
{
	struct timespec times[2] = { { .tv_sec = time }, { .tv_sec = time } };
	int fd = open(name, O_RDWR | O_CREAT | O_TRUNC, 0644);

	if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text) ||
	    futimens(fd, times))
		abort();
	close(fd);
}

static struct kept_report kept;

/* Open; the first bytes of the disk must be @want, or NULL: it is refused. */
static int opens(const char *path, const char *backing, int flags, const char *want)
{
	struct cow *cow;
	char buf[8];
	int good;

	kept_report_init(&kept);
	if (cow_open(path, backing, flags, &kept.report, &cow))
		return !want && kept.errors;
	good = want && !cow_read(cow, buf, sizeof(buf), 0) && !memcmp(buf, want, strlen(want));
	cow_close(cow);
	return good;
}

static int header_names(const char *path, const char *name)
{
	struct cow *cow;
	int good;

	if (cow_open(path, NULL, COW_ALONE | COW_NO_LOCK, NULL, &cow))
		return 0;
	good = !strcmp(cow->header.backing, name);
	cow_close(cow);
	return good;
}

/* A version 2 file of 4096 bytes over "a". */
static void make_v2(const char *path, uint32_t mtime, const char *backing)
{
	char bytes[8704 + 512] = "OOOM\0\0\0\2";

	strcpy(bytes + 8, backing);
	bytes[4104] = mtime >> 24;
	bytes[4105] = mtime >> 16;
	bytes[4106] = mtime >> 8;
	bytes[4107] = mtime;
	bytes[4114] = 16;
	bytes[4118] = 2;
	if (close(open(path, O_CREAT | O_TRUNC | O_RDWR, 0644)))
		abort();
	int fd = open(path, O_RDWR);

	if (write(fd, bytes, sizeof(bytes)) != sizeof(bytes))
		abort();
	close(fd);
}

static void test_backing_rules(const char *here)
{
	char text[4097], name[300], other[300];
	struct cow *cow;

	memset(text, 'a', 4096);
	text[4096] = '\0';
	write_text("a", text, 1000);
	memset(text, 'b', 4096);
	write_text("b", text, 1000);
	write_text("later", text, 2000);
	text[4000] = '\0';
	write_text("short", text, 1000);
	snprintf(name, sizeof(name), "%s/a", here);
	snprintf(other, sizeof(other), "%s/b", here);

	check(opens("c", "a", 0, NULL) && access("c", F_OK), "rules: nothing is created unasked");
	check(opens("c", "a", COW_CREATE, "aaaa") && header_names("c", name),
	      "rules: created on first use, absolute name");
	check(opens("c", NULL, 0, "aaaa") && opens("c", "a", 0, "aaaa"), "rules: opened again");
	check(opens("c", "later", 0, "aaaa") && header_names("c", name),
	      "rules: a file of other time doesn't replace the header's");
	check(opens("c", "short", 0, "aaaa"), "rules: nor one of other size");
	check(opens("c", "nowhere", 0, NULL) && strstr(kept.text, "nowhere"),
	      "rules: one that isn't there is an error");
	check(opens("c", "b", COW_READ_ONLY, "bbbb") && header_names("c", name),
	      "rules: a read-only disk takes another file, and leaves the header");
	check(opens("c", "b", COW_OVERRIDE, "bbbb") && header_names("c", name),
	      "rules: so does a tool");
	check(opens("c", "b", 0, "bbbb") && header_names("c", other),
	      "rules: a file of same size and time replaces the header's");
	check(opens("c", "a", 0, "aaaa") && header_names("c", name), "rules: and back");
	rename("a", "moved");
	check(opens("c", NULL, 0, NULL) && strstr(kept.text, "give its new name"),
	      "rules: the backing file is gone");
	check(opens("c", "later", 0, NULL), "rules: another doesn't fit");
	check(opens("c", "moved", 0, "aaaa"), "rules: it was moved");
	rename("moved", "a");
	check(opens("c", "a", 0, "aaaa"), "rules: and moved back");

	write_text("a", text, 1000);
	check(opens("c", NULL, 0, NULL) && strstr(kept.text, "was changed after"),
	      "rules: the size changed");
	check(opens("c", NULL, COW_ACCEPT, "bbbb") && opens("c", NULL, 0, NULL),
	      "rules: which can be accepted, once");
	memset(text, 'a', 4096);
	write_text("a", text, 3000);
	check(opens("c", NULL, 0, NULL) && strstr(kept.text, "touch -d @1000"),
	      "rules: the time changed, what helps is said");
	write_text("a", text, 1000);
	check(opens("c", NULL, 0, "aaaa"), "rules: the old time makes it good");
	write_text("a", text, 3000);
	check(opens("c", NULL, COW_ACCEPT, "aaaa") && opens("c", NULL, 0, "aaaa"),
	      "rules: a new time can be accepted, for good");
	write_text("a", text, 1000LL + (1LL << 32));
	check(opens("c", NULL, COW_ACCEPT, "aaaa") && opens("c", NULL, 0, "aaaa"),
	      "rules: times after 2106");
	write_text("a", text, 1000);

	make_v2("v2", 1000, name);
	check(opens("v2", NULL, 0, "aaaa"), "rules: version 2");
	check(opens("v2", "b", 0, "bbbb") && header_names("v2", name),
	      "rules: the header of version 2 is never changed");
	check(opens("c2", "c", COW_CREATE, NULL) && strstr(kept.text, "COW file itself") &&
	      access("c2", F_OK), "rules: no COW file over a COW file");
	check(opens("a", NULL, 0, NULL) && strstr(kept.text, "no COW file"),
	      "rules: an image is no COW file");

	mkdir("d", 0755);
	check(!cow_create("d/rel", "b", COW_RELATIVE, NULL) && header_names("d/rel", "../b") &&
	      opens("d/rel", NULL, 0, "bbbb"), "rules: a relative name counts from the COW file");
	check(!cow_create("rel", "d/../b", COW_RELATIVE, NULL) && header_names("rel", "b"),
	      "rules: a relative name is short");

	check(!cow_open("c", NULL, 0, NULL, &cow) && opens("c", NULL, 0, NULL) &&
	      strstr(kept.text, "lock") && opens("c", NULL, COW_NO_LOCK, "aaaa"),
	      "rules: a COW file is used by one, unless locks are off");
	check(opens("d/rel", "a", COW_READ_ONLY, "aaaa"), "rules: backing files are shared");
	check(opens("c", NULL, COW_READ_ONLY, NULL), "rules: a written COW file can't be read");
	cow_close(cow);
}

static void test_tail(void)
{
	char text[1001], buf[1024];
	struct cow *cow;
	int good;

	memset(text, 't', 1000);
	text[1000] = '\0';
	write_text("odd", text, 1000);
	cow_create("oddcow", "odd", 0, NULL);
	good = !cow_open("oddcow", NULL, 0, NULL, &cow) && !cow_read(cow, buf, 1024, 0) &&
	       !memcmp(buf, text, 1000) && !buf[1000] && !buf[1023];
	check(good, "rules: the last sector is filled with zeroes");
	memset(buf, 'n', 512);
	good = !cow_write(cow, buf, 512, 512) && !cow_read(cow, buf, 1024, 0) &&
	       buf[511] == 't' && buf[512] == 'n' && buf[1023] == 'n' && !cow_close(cow);
	good &= !cow_open("oddcow", NULL, 0, NULL, &cow) && !cow_read(cow, buf, 1024, 0) &&
		buf[511] == 't' && buf[512] == 'n' && buf[1023] == 'n';
	check(good, "rules: and can be written");
	good = !cow_discard(cow, 512, 0) && !cow_read(cow, buf, 1024, 0) && !buf[0] &&
	       !buf[511] && buf[512] == 'n';
	check(good, "rules: discarded sectors are zeroes");
	cow_close(cow);
}

/* Version 2 has no bit for the last of nine sectors. */
static void test_forgotten(void)
{
	char text[4609], buf[512] = "x", name[300];
	struct cow *cow;
	int fd;

	memset(text, 'f', 4608);
	text[4608] = '\0';
	write_text("nine", text, 1000);
	snprintf(name, sizeof(name), "%s/nine", folder);
	make_v2("v2nine", 1000, name);
	fd = open("v2nine", O_RDWR);
	if (disk_file_write(fd, "\x12", 1, 4114))
		abort();
	close(fd);
	check(!cow_open("v2nine", NULL, 0, NULL, &cow) && cow->header.tracked == 8 &&
	      !cow_write(cow, buf, 512, 7 * 512) && cow_write(cow, buf, 512, 8 * 512) == -EIO &&
	      cow_discard(cow, 512, 8 * 512) == -EIO && !cow_read(cow, buf, 512, 8 * 512) &&
	      buf[0] == 'f', "rules: sectors without a bit are the backing file's");
	cow_close(cow);
}

void test_rules(void)
{
	char back[4096], *here;

	if (!getcwd(back, sizeof(back)) || !mkdtemp(folder) || chdir(folder))
		abort();
	here = realpath(".", NULL);
	test_backing_rules(here);
	test_tail();
	test_forgotten();
	free(here);
	if (chdir(back) || system("rm -r /tmp/cow-rules-??????"))
		abort();
}
