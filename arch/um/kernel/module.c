// SPDX-License-Identifier: GPL-2.0
/*
 * Relocations of modules. Modules are built with the small code model and
 * loaded in the low 2 GiB next to the image, so 32-bit relocations always
 * reach; one that does not is reported instead of truncated.
 */
#include <linux/elf.h>
#include <linux/module.h>
#include <linux/moduleloader.h>

static int relocate(struct module *me, const Elf64_Rela *rel, void *loc, u64 value)
{
	u32 type = ELF64_R_TYPE(rel->r_info);
	s64 sval = value;

	switch (type) {
	case R_X86_64_NONE:
		return 0;
	case R_X86_64_64:
		memcpy(loc, &value, 8);
		return 0;
	case R_X86_64_32:
		if (value != (u32)value)
			break;
		memcpy(loc, &value, 4);
		return 0;
	case R_X86_64_32S:
		if (sval != (s32)sval)
			break;
		memcpy(loc, &value, 4);
		return 0;
	case R_X86_64_PC32:
	case R_X86_64_PLT32:
		sval -= (s64)loc;
		if (sval != (s32)sval)
			break;
		memcpy(loc, &sval, 4);
		return 0;
	case R_X86_64_PC64:
		sval -= (s64)loc;
		memcpy(loc, &sval, 8);
		return 0;
	default:
		pr_err("%s: unknown relocation type %u\n", me->name, type);
		return -ENOEXEC;
	}
	pr_err("%s: relocation of type %u does not reach its target %llx\n",
	       me->name, type, value);
	return -ENOEXEC;
}

int apply_relocate_add(Elf64_Shdr *sechdrs, const char *strtab,
		       unsigned int symindex, unsigned int relsec, struct module *me)
{
	const Elf64_Shdr *section = &sechdrs[relsec];
	const Elf64_Rela *rel = (void *)section->sh_addr;
	const Elf64_Sym *symbols = (void *)sechdrs[symindex].sh_addr;
	void *target = (void *)sechdrs[section->sh_info].sh_addr;
	unsigned long i, nr = section->sh_size / sizeof(*rel);

	for (i = 0; i < nr; i++) {
		const Elf64_Sym *sym = symbols + ELF64_R_SYM(rel[i].r_info);
		int err = relocate(me, rel + i, target + rel[i].r_offset,
				   sym->st_value + rel[i].r_addend);

		if (err)
			return err;
	}
	return 0;
}
