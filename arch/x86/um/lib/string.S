/* SPDX-License-Identifier: GPL-2.0 */
/*
 * memcpy, memmove and memset of the kernel half. No vector registers are
 * available here; the string instructions move a cache line at a time on
 * every CPU of the last decade, but take some 20 cycles to start, so short
 * blocks are moved by plain loads and stores first.
 */
#include <linux/export.h>
#include <linux/linkage.h>

	.text

/* void *memcpy(void *to, const void *from, size_t len) */
SYM_FUNC_START(__memcpy)
	movq	%rdi, %rax
	cmpq	$64, %rdx
	ja	.Lcopy_long
.Lcopy_words:
	cmpq	$8, %rdx
	jb	.Lcopy_bytes
	movq	(%rsi), %rcx
	movq	%rcx, (%rdi)
	addq	$8, %rsi
	addq	$8, %rdi
	subq	$8, %rdx
	jmp	.Lcopy_words
.Lcopy_bytes:
	testq	%rdx, %rdx
	jz	.Lcopy_done
	movb	(%rsi), %cl
	movb	%cl, (%rdi)
	incq	%rsi
	incq	%rdi
	decq	%rdx
	jmp	.Lcopy_bytes
.Lcopy_long:
	movq	%rdx, %rcx
	rep movsb
.Lcopy_done:
	ret
SYM_FUNC_END(__memcpy)
SYM_FUNC_ALIAS(memcpy, __memcpy)
EXPORT_SYMBOL(__memcpy)
EXPORT_SYMBOL(memcpy)

/* void *memmove(void *to, const void *from, size_t len) */
SYM_FUNC_START(__memmove)
	movq	%rdi, %rax
	subq	%rsi, %rax
	cmpq	%rdx, %rax
	jae	__memcpy		/* target not inside the source */
	movq	%rdi, %rax
	movq	%rdx, %rcx
	leaq	(%rsi, %rdx), %rsi
	leaq	(%rdi, %rdx), %rdi
.Lmove_words:
	cmpq	$8, %rcx
	jb	.Lmove_bytes
	subq	$8, %rsi
	subq	$8, %rdi
	movq	(%rsi), %rdx
	movq	%rdx, (%rdi)
	subq	$8, %rcx
	jmp	.Lmove_words
.Lmove_bytes:
	testq	%rcx, %rcx
	jz	.Lmove_done
	decq	%rsi
	decq	%rdi
	movb	(%rsi), %dl
	movb	%dl, (%rdi)
	decq	%rcx
	jmp	.Lmove_bytes
.Lmove_done:
	ret
SYM_FUNC_END(__memmove)
SYM_FUNC_ALIAS(memmove, __memmove)
EXPORT_SYMBOL(__memmove)
EXPORT_SYMBOL(memmove)

/* void *memset(void *to, int byte, size_t len) */
SYM_FUNC_START(__memset)
	movq	%rdi, %r8
	movzbl	%sil, %eax
	movq	%rdx, %rcx
	rep stosb
	movq	%r8, %rax
	ret
SYM_FUNC_END(__memset)
SYM_FUNC_ALIAS(memset, __memset)
EXPORT_SYMBOL(__memset)
EXPORT_SYMBOL(memset)

	.section .note.GNU-stack,"",@progbits
