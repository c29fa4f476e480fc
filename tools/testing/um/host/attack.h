/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What attacks on the seccomp backend share. Each is one function, run in a
 * process of its own with a backend of its own, beside a victim: an address
 * space that checks a page of secrets and makes system calls. It states what it
 * expects; what must hold after any attack is checked by attack_main.c.
 */
#ifndef ATTACK_H
#define ATTACK_H

#include "usermode_test.h"
#include "common.h"
#include "seccomp/seccomp.h"

#define PAGE		4096UL
#define PREY		0x900000UL	/* where attackers have, or want, a page */
#define PREY_OFF	0x600000UL
#define SECRET_OFF	0x700000UL	/* mapped in the victim only */
#define SECRET		0x5ec4e75ec4e70001UL

/* A path the host must never see, in the attacker's memory at DATA + PATH. */
#define PATH		0x800

extern struct um_mm *victim;

/* Say what is wrong; the attack has succeeded then. Returns @good. */
int __attribute__((format(printf, 2, 3))) expect(int good, const char *fmt, ...);

/* An address space for an attack, with PATH and a zeroed page at PREY. */
struct um_mm *new_attacker(void);

/* attack_victim.c */
void victim_start(void);
/* The victim lives, its secrets are right, its registers its own. */
void victim_check(const char *when);
/* No file, no descriptors, no processes but those there should be. */
void host_check(const char *when);
/* What @mm's runner maps at @addr, "" if nothing. */
void mapping_at(struct um_mm *mm, unsigned long addr, char *line, int size);

/* attack_run.c */
/* Interrupts every millisecond from now on. */
void ticks(void);
/* Run until the first event, kicked if it takes @looks interrupts. */
void brief(struct um_mm *mm, unsigned long *gp, struct um_event *ev, int flags, int looks);
/* Run without ending it: up to @looks interrupts. Returns whether it stopped. */
int glance(struct um_mm *mm, unsigned long *gp, struct um_event *ev, int looks);
/* CPU time @mm's runner has used, ns */
unsigned long long runner_ns(struct um_mm *mm);
/* The first place of these bytes in the stub, as its address there. */
unsigned long find_code(const char *bytes, int len);

/* Code of the stub, for find_code() */
#define RUNNER_RETURN	"\x6a\x2b\xff\xb2", 4
/* A signal frame at @uc, for guests at @addr, by which runner_return goes to @to again. */
void endless_frame(void *uc, unsigned long addr, unsigned long to);

/* The attacks */
void attack_answers(void);
void attack_calls(void);
void attack_deaf(void);
void attack_entries(void);
void attack_flags(void);
void attack_forged_pid(void);
void attack_frames(void);
void attack_fp_of_deaf(void);
void attack_fp_of_sleeper(void);
void attack_jumps(void);
void attack_killed(void);
void attack_leaks(void);
void attack_leftovers(void);
void attack_low_stack(void);
void attack_moonlight(void);
void attack_orders(void);
void attack_overlay(void);
void attack_registers(void);
void attack_segments(void);
void attack_signals(void);
void attack_stale_abandon(void);
void attack_stale_destroy(void);
void attack_stale_protect(void);
void attack_stale_replace(void);
void attack_stale_unmap(void);
void attack_stores(void);
void attack_stub_calls(void);
void attack_toctou(void);
void attack_trash(void);
void attack_turn(void);
void attack_xstate(void);

#endif
