// SPDX-License-Identifier: GPL-2.0
/*
 * The kernel half's place, taken by a test: guest memory, the services the
 * backend needs, and address spaces to run small pieces of code in.
 */
#include <dirent.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>

#include <host/options.h>
#include "usermode_test.h"

static int mem_fd;
char *mem;

/* What the rest of the host half would give. */
struct vcpu host_boot_vcpu;
static struct host_exit_node *exit_nodes;

int host_memory_fd(void)
{
	return mem_fd;
}

long host_syscall_pending(struct vcpu *vcpu, long nr, long a1, long a2, long a3,
			  long a4, long a5, long a6)
{
	long ret;

	if (__atomic_load_n(&vcpu->pending, __ATOMIC_SEQ_CST))
		return -EINTR;
	ret = syscall(nr, a1, a2, a3, a4, a5, a6);
	return ret < 0 ? -errno : ret;
}

int host_option_error(const char *fmt, ...)
{
	return -1;
}

void host_at_exit(struct host_exit_node *node)
{
	node->next = exit_nodes;
	exit_nodes = node;
}

/* Code several tests use. */
GUEST(g_syscall,
	"mov $39, %eax; syscall\n"
	"mov %rax, %rbx; syscall\n"
	"1: jmp 1b");
GUEST(g_read, "mov (%rdi), %rax; ud2");
GUEST(g_write, "mov %rax, (%rdi); ud2");
GUEST(g_jump, "jmp *%rdi");
GUEST(g_loop, "1: inc %rax; jmp 1b");
GUEST(g_call, "1: mov $39, %eax; syscall; jmp 1b");

struct um_mm *new_mm(void)
{
	static const struct um_map_op ops[] = {
		{ UM_MAP, HOST_PROT_READ | HOST_PROT_EXEC, CODE, 4096, 0 },
		{ UM_MAP, HOST_PROT_READ | HOST_PROT_WRITE, DATA, 4096, DATA_OFF },
		{ UM_MAP, HOST_PROT_READ | HOST_PROT_WRITE, STACK, STACK_SIZE, STACK_OFF },
		{ UM_MAP, HOST_PROT_READ, RO, 4096, RO_OFF },
	};
	struct um_mm *mm;
	int err = host_usermode->mm_create(&mm);

	if (err || host_usermode->map(mm, ops, 4)) {
		printf("Bail out! cannot create an address space: %d\n", err);
		exit(1);
	}
	return mm;
}

void load_code(unsigned long *gp, const char *start, const char *end)
{
	memcpy(mem, start, end - start);
	memset(gp, 0, UM_NR_REGS * sizeof(*gp));
	gp[UM_RIP] = CODE;
	gp[UM_RSP] = STACK_TOP;
	gp[UM_EFLAGS] = 0x202;
}
void finish(struct um_mm *mm, unsigned long *gp, struct um_event *ev)
{
	do {
		memset(ev, 0, sizeof(*ev));
		host_usermode->wait(mm, gp, ev);
		host_boot_vcpu.pending = 0;
	} while (ev->kind == UM_EV_INTERRUPT);
}

/* Run, but not for more than some milliseconds: kick it then. */
void run_briefly(struct um_mm *mm, unsigned long *gp, struct um_event *ev, int flags)
{
	host_usermode->resume(mm, gp, flags);
	host_boot_vcpu.pending = 0;
	alarm(0);
	ualarm(20000, 0);
	host_usermode->wait(mm, gp, ev);
	if (ev->kind == UM_EV_INTERRUPT) {
		host_usermode->kick(mm);
		finish(mm, gp, ev);
	}
	ualarm(0, 0);
	host_boot_vcpu.pending = 0;
}

void run_flags(struct um_mm *mm, unsigned long *gp, struct um_event *ev, int flags)
{
	host_usermode->resume(mm, gp, flags);
	finish(mm, gp, ev);
}

void run(struct um_mm *mm, unsigned long *gp, struct um_event *ev)
{
	run_flags(mm, gp, ev, 0);
}

int is_fault(const struct um_event *ev, unsigned long addr, unsigned long code)
{
	int good = ev->kind == UM_EV_FAULT && ev->signo == SIGSEGV && ev->trapno == 14 &&
		   ev->addr == addr && ev->error_code == code;

	if (!good)
		printf("# kind %d signo %d code %d addr %lx trapno %lu error %lx\n", ev->kind,
		       ev->signo, ev->code, ev->addr, ev->trapno, ev->error_code);
	return good;
}

int is_trap(const struct um_event *ev, int signo, int code, unsigned long trapno)
{
	int good = ev->kind == UM_EV_TRAP && ev->signo == signo && ev->code == code &&
		   ev->trapno == trapno;

	if (!good)
		printf("# kind %d signo %d code %d addr %lx trapno %lu error %lx\n", ev->kind,
		       ev->signo, ev->code, ev->addr, ev->trapno, ev->error_code);
	return good;
}

/* Pids of the stubs, by their name; children of this process only. */
int stub_pids(int *pids, int max, int parent)
{
	DIR *dir = opendir("/proc");
	struct dirent *e;
	int n = 0;

	while ((e = readdir(dir)) && n < max) {
		char path[300], text[400], *p;
		int fd, len, ppid;
		char state;

		if (e->d_name[0] < '0' || e->d_name[0] > '9')
			continue;
		snprintf(path, sizeof(path), "/proc/%s/stat", e->d_name);
		fd = open(path, O_RDONLY);
		if (fd < 0)
			continue;
		len = read(fd, text, sizeof(text) - 1);
		close(fd);
		if (len <= 0)
			continue;
		text[len] = 0;
		p = strrchr(text, ')');
		if (sscanf(p + 1, " %c %d", &state, &ppid) != 2)
			continue;
		if ((parent ? ppid == parent : 1) && state != 'X' && strstr(text, "(uml-guest)"))
			pids[n++] = atoi(e->d_name);
	}
	closedir(dir);
	return n;
}

/* Both backends have the pids first; one has an agent's before the runner's. */
int processes_of(const struct um_mm *mm, int *pids)
{
	int n = host_usermode->eager ? 2 : 1;

	for (int i = 0; mm && i < n; i++)
		pids[i] = ((const int *)mm)[i];
	return n;
}

int stub_of(const struct um_mm *mm)
{
	int pids[2];

	return pids[processes_of(mm, pids) - 1];
}

unsigned long long now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ULL + t.tv_nsec;
}

extern const struct host_option __start_host_options[], __stop_host_options[];

void choose(const char *option)
{
	const struct host_option *o;

	for (o = __start_host_options; o < __stop_host_options; o++)
		if (!strncmp(option, o->name, strlen(o->name)) && !o->parse(option + strlen(o->name)))
			return;
	printf("Bail out! unknown option %s\n", option);
	exit(1);
}

void start(void)
{
	mem_fd = memfd_create("test", MFD_CLOEXEC);
	if (mem_fd < 0 || ftruncate(mem_fd, MEM_SIZE)) {
		perror("memfd");
		exit(1);
	}
	mem = mmap(NULL, MEM_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, mem_fd, 0);
	if (host_usermode_init()) {
		printf("Bail out! no backend\n");
		exit(1);
	}
}

void run_exit_nodes(void)
{
	for (struct host_exit_node *node = exit_nodes; node; node = node->next)
		node->fn();
}
