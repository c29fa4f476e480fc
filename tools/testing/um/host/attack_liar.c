// SPDX-License-Identifier: GPL-2.0
/*
 * Liars: guests that write "stopped" into the turn word and go on. Their pages
 * are taken away while they run, and given to somebody else at once: what that
 * one writes must not be seen, what it has must not change.
 */
#include <sched.h>
#include "attack.h"

#define ROUNDS		40
#define COPY		(mem + DATA_OFF)
#define LOOPS		(mem + DATA_OFF + 8)

/* One true stop, whose frame will do for the next, and then the lie. */
#define LIE	"mov $39, %eax; syscall; movl $2, (%rdi)\n"

GUEST(a_reader, LIE "1: mov (%rsi), %rax; mov %rax, (%rdx); incq 8(%rdx); jmp 1b");
GUEST(a_writer, LIE "1: incq (%rsi); incq 8(%rdx); jmp 1b");

static unsigned long word(const void *p)
{
	return *(const volatile unsigned long *)p;
}

/* A liar that has the page at PREY, at work; NULL if it does not get that far. */
static struct um_mm *liar(const char *from, const char *to)
{
	struct um_mm *mm = new_attacker();
	unsigned long gp[UM_NR_REGS];
	struct um_event ev;

	load_code(gp, from, to);
	gp[UM_RDI] = SC_STATE;
	gp[UM_RSI] = PREY;
	gp[UM_RDX] = DATA;
	run(mm, gp, &ev);
	run(mm, gp, &ev);
	if (ev.kind == UM_EV_SYSCALL) {
		for (int i = 0; i < 100000 && !word(LOOPS); i++)
			usleep(50);
		if (word(LOOPS))
			return mm;
	}
	expect(0, "no liar: event %d", ev.kind);
	host_usermode->mm_destroy(mm);
	return NULL;
}

/* The page is somebody else's now. Give the former owner time to look. */
static int reads_on(void)
{
	unsigned long *page = (unsigned long *)(mem + PREY_OFF);

	*(volatile unsigned long *)page = SECRET;
	for (int i = 0; i < 20 && word(COPY) != SECRET; i++)
		usleep(500);
	return word(COPY) == SECRET;
}

static int writes_on(void)
{
	unsigned long before = word(mem + PREY_OFF);

	for (int i = 0; i < 20 && word(mem + PREY_OFF) == before; i++)
		usleep(500);
	return word(mem + PREY_OFF) != before;
}

static void take_by_map(struct um_mm *mm, enum um_map_kind kind, int prot, unsigned long offset)
{
	struct um_map_op op = { kind, prot, PREY, PAGE, offset };

	expect(!host_usermode->map(mm, &op, 1), "map()");
}

void attack_stale_unmap(void)
{
	struct um_mm *mm;

	for (int i = 0; i < ROUNDS; i++) {
		mm = liar(a_reader, a_reader_end);
		if (!mm)
			return;
		take_by_map(mm, UM_UNMAP, 0, 0);
		if (!expect(!reads_on(), "reads a page it lost"))
			return;
		host_usermode->mm_destroy(mm);
	}
}

void attack_stale_replace(void)
{
	struct um_mm *mm;

	for (int i = 0; i < ROUNDS; i++) {
		mm = liar(a_reader, a_reader_end);
		if (!mm)
			return;
		take_by_map(mm, UM_MAP, HOST_PROT_READ, RO_OFF);
		if (!expect(!reads_on(), "reads the page that was replaced"))
			return;
		host_usermode->mm_destroy(mm);
	}
}

/* Changed rights cheat nobody else: they wait until the guest runs again. */
static void run_again(struct um_mm *mm)
{
	unsigned long gp[UM_NR_REGS];

	load_code(gp, a_writer, a_writer_end);
	expect(!host_usermode->resume(mm, gp, 0), "resume()");
}

void attack_stale_protect(void)
{
	struct um_mm *mm;

	for (int i = 0; i < ROUNDS; i++) {
		mm = liar(a_writer, a_writer_end);
		if (!mm)
			return;
		if (i & 1) {
			take_by_map(mm, UM_PROTECT, HOST_PROT_READ, PREY_OFF);
			run_again(mm);
		} else {
			take_by_map(mm, UM_MAP, HOST_PROT_READ, PREY_OFF);
		}
		if (!expect(!writes_on(), "writes a page that is read-only"))
			return;
		host_usermode->mm_destroy(mm);
	}
}

void attack_stale_destroy(void)
{
	struct um_mm *mm;

	for (int i = 0; i < ROUNDS; i++) {
		mm = liar(a_reader, a_reader_end);
		if (!mm)
			return;
		host_usermode->mm_destroy(mm);
		if (!expect(!reads_on(), "reads on after its end"))
			return;
	}
}

void attack_stale_abandon(void)
{
	struct um_mm *mm;

	for (int i = 0; i < ROUNDS; i++) {
		mm = liar(a_reader, a_reader_end);
		if (!mm)
			return;
		host_usermode->abandon(mm);
		if (!expect(!reads_on(), "reads on after it was given up"))
			return;
		host_usermode->mm_destroy(mm);
	}
}

/* Nobody runs it, and it runs: CPU time that nobody gave. */
void attack_moonlight(void)
{
	struct um_mm *mm = liar(a_reader, a_reader_end);
	struct um_mm *honest = new_mm();
	unsigned long gp[UM_NR_REGS];
	struct um_event ev;

	if (!mm)
		return;
	LOAD(gp, g_call);
	run(honest, gp, &ev);
	for (int i = 0; i < 1000 && mm->runner; i++) {
		victim_check("beside a liar that runs on");
		usleep(5000);
	}
	expect(!mm->runner, "runs on while it is thought to be stopped");
	expect(honest->runner, "one that had stopped was ended");
	host_usermode->mm_destroy(mm);
	host_usermode->mm_destroy(honest);
}

GUEST(a_claim, LIE "1: mov %esi, 0x24(%rdi); incq 8(%rdx); jmp 1b");

void attack_forged_pid(void)
{
	struct um_mm *mm = new_attacker();
	unsigned long gp[UM_NR_REGS];
	struct um_event ev;

	LOAD(gp, a_claim);
	gp[UM_RDI] = SC_STATE;
	gp[UM_RSI] = victim->runner;
	gp[UM_RDX] = DATA;
	run(mm, gp, &ev);
	run(mm, gp, &ev);
	while (ev.kind == UM_EV_SYSCALL && !word(LOOPS))
		sched_yield();
	host_usermode->kick(mm);
	host_usermode->mm_destroy(mm);
	usleep(20000);
	victim_check("after the end of one that claimed to be it");
}

/* Goes on elsewhere when it is to save its registers. */
GUEST(a_elsewhere, LIE "1: cmpl $1, (%rdi); jne 1b; xor %esi, %esi; mov %r9, %rdx\n"
      "mov $202, %eax; xor %r10d, %r10d; jmp *%r8");

static void fp_of_liar(unsigned long to, unsigned long rdx, const char *name)
{
	char *fp = aligned_alloc(64, host_cpu.fp_size);
	struct um_mm *mm = new_attacker();
	unsigned long gp[UM_NR_REGS];
	struct um_event ev;

	endless_frame(mem + PREY_OFF, PREY, to);
	LOAD(gp, a_elsewhere);
	gp[UM_RDI] = SC_STATE;
	gp[UM_R8] = to;
	gp[UM_R9] = rdx;
	run(mm, gp, &ev);
	run(mm, gp, &ev);
	expect(ev.kind == UM_EV_SYSCALL, "no liar: event %d", ev.kind);
	/* Its frame has extended state: have it forgotten, as after a patched call. */
	mm->fp_addr = 0;
	host_usermode->fp_get(mm, fp);
	LOAD(gp, g_call);
	brief(mm, gp, &ev, 0, 20);
	victim_check(name);
	host_usermode->mm_destroy(mm);
	free(fp);
}

void attack_fp_of_deaf(void)
{
	fp_of_liar(find_code(RUNNER_RETURN), PREY, "a loop that swallows kicks");
}

void attack_fp_of_sleeper(void)
{
	extern const char runner_wait_insn_end[];

	fp_of_liar(SC_ADDR(runner_wait_insn_end) - 2, TURN_RUN_KSLEEP, "sleep in the stub");
}
