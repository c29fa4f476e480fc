// SPDX-License-Identifier: GPL-2.0
/* Who must not notice anything: another guest process, and the host. */
#include <dirent.h>
#include <sys/stat.h>
#include "attack.h"

#define V_CODE		0xa00000UL
#define V_CODE_OFF	0x500000UL
#define V_SECRET	0xb00000UL
#define WORDS		(PAGE / 8)

/* Sum of the secrets, with one of them in registers that nobody changes. */
GUEST(v_sum,
	"movq %r12, %xmm5\n"
	"xor %ebx, %ebx; xor %ecx, %ecx\n"
	"1: add (%rdi,%rcx,8), %rbx; inc %ecx; cmp $512, %ecx; jb 1b\n"
	"mov $39, %eax; syscall\n"
	"movq %xmm5, %r13; mov $40, %eax; syscall");

struct um_mm *victim;
static unsigned long regs[UM_NR_REGS];
static unsigned long sum;
static int fds;

static int count_fds(int pid)
{
	char path[40];
	int n = 0;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/fd", pid);
	dir = opendir(path);
	while (dir && readdir(dir))
		n++;
	if (dir)
		closedir(dir);
	/* without . and .. */
	return dir ? n - 2 : -1;
}

void victim_start(void)
{
	static const struct um_map_op ops[] = {
		{ UM_MAP, HOST_PROT_READ | HOST_PROT_EXEC, V_CODE, PAGE, V_CODE_OFF },
		{ UM_MAP, HOST_PROT_READ | HOST_PROT_WRITE, V_SECRET, PAGE, SECRET_OFF },
	};
	unsigned long *secret = (unsigned long *)(mem + SECRET_OFF);
	struct um_event ev;

	memcpy(mem + V_CODE_OFF, v_sum, v_sum_end - v_sum);
	for (unsigned int i = 0; i < WORDS; i++)
		sum += secret[i] = SECRET + i * 0x10001;
	if (host_usermode->mm_create(&victim) || host_usermode->map(victim, ops, 2))
		exit(1);
	/* Its registers hold a secret, too. */
	regs[UM_RIP] = V_CODE;
	regs[UM_RDI] = V_SECRET;
	regs[UM_R12] = SECRET;
	regs[UM_EFLAGS] = 0x202;
	regs[UM_RSP] = V_SECRET + PAGE;
	fds = count_fds(getpid());
	/* Not judged: what is wrong already has to show by the attack. */
	brief(victim, regs, &ev, 0, 1000);
}

void victim_check(const char *when)
{
	unsigned long *secret = (unsigned long *)(mem + SECRET_OFF), now = 0;
	struct um_event ev;

	for (unsigned int i = 0; i < WORDS; i++)
		now += secret[i];
	expect(now == sum && secret[7] == SECRET + 7 * 0x10001, "%s: secrets were changed", when);
	regs[UM_RIP] = V_CODE;
	run(victim, regs, &ev);
	if (!expect(ev.kind == UM_EV_SYSCALL && regs[UM_ORIG_RAX] == 39 && regs[UM_RBX] == sum,
		    "%s: the victim gets event %d", when, ev.kind))
		return;
	run(victim, regs, &ev);
	expect(ev.kind == UM_EV_SYSCALL && regs[UM_ORIG_RAX] == 40 && regs[UM_R13] == SECRET &&
	       regs[UM_R12] == SECRET, "%s: the victim's registers changed", when);
	expect(count_fds(victim->agent) == 2 && count_fds(victim->runner) == 0,
	       "%s: the victim's descriptors", when);
}

void host_check(const char *when)
{
	char path[64];
	struct stat st;

	snprintf(path, sizeof(path), "/tmp/um-attack-%d", getpid());
	if (!lstat(path, &st)) {
		rmdir(path);
		expect(0, "%s: the host has a new %s", when, path);
	}
	expect(count_fds(getpid()) == fds, "%s: the kernel process has %d descriptors, not %d",
	       when, count_fds(getpid()), fds);
}

void mapping_at(struct um_mm *mm, unsigned long addr, char *line, int size)
{
	unsigned long from, to;
	char path[40];
	FILE *maps;

	snprintf(path, sizeof(path), "/proc/%d/maps", mm->runner);
	maps = fopen(path, "r");
	while (maps && fgets(line, size, maps))
		if (sscanf(line, "%lx-%lx", &from, &to) == 2 && from <= addr && addr < to)
			goto out;
	*line = 0;
out:
	if (maps)
		fclose(maps);
}
