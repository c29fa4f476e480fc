// SPDX-License-Identifier: GPL-2.0
/*
 * Mapping the vDSO into guest programs.
 *
 * Guests can only map pages of guest memory, which the kernel image is not.
 * So the linked image is copied to allocated pages at boot, and so is the
 * clock data, which the timekeeping code has been writing since before there
 * was an allocator.
 *
 * In an mm the clock data lies in the pages before the image ("[vvar]"). In a
 * time namespace its place is taken by the namespace's page of offsets, and
 * the true data comes next.
 */
#include <linux/binfmts.h>
#include <linux/cache.h>
#include <linux/elf.h>
#include <linux/err.h>
#include <linux/gfp.h>
#include <linux/init.h>
#include <linux/mm.h>
#include <linux/printk.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/time_namespace.h>
#include <vdso/datapage.h>
#include <vdso/vsyscall.h>
#include <asm/elf.h>
#include <asm/vdso.h>
#include <asm/vdso/vsyscall.h>
#include <host/usermode.h>

extern const char vdso_image_start[], vdso_image_end[];

/* In use until vdso_init() has memory that guests can map. */
static union vdso_data_store early_vdso_data __initdata __aligned(8);

struct vdso_data *vdso_data __refdata = early_vdso_data.data;

static struct page **vdso_pages __ro_after_init;
static unsigned long vdso_size __ro_after_init;

static int vdso_mremap(const struct vm_special_mapping *sm, struct vm_area_struct *vma)
{
	current->mm->context.vdso = (void *)vma->vm_start;
	return 0;
}

static vm_fault_t vdso_fault(const struct vm_special_mapping *sm, struct vm_area_struct *vma,
			     struct vm_fault *vmf)
{
	if (vmf->pgoff >= vdso_size >> PAGE_SHIFT)
		return VM_FAULT_SIGBUS;

	vmf->page = vdso_pages[vmf->pgoff];
	get_page(vmf->page);
	return 0;
}

static vm_fault_t vvar_fault(const struct vm_special_mapping *sm, struct vm_area_struct *vma,
			     struct vm_fault *vmf)
{
	struct page *timens_page = find_timens_vvar_page(vma);
	struct page *page = virt_to_page(vdso_data);

	switch (vmf->pgoff) {
	case VVAR_DATA_PAGE:
		if (timens_page)
			page = timens_page;
		break;
	case VVAR_TIMENS_PAGE:
		if (!timens_page)
			return VM_FAULT_SIGBUS;
		break;
	default:
		return VM_FAULT_SIGBUS;
	}
	return vmf_insert_pfn(vma, vmf->address, page_to_pfn(page));
}

static const struct vm_special_mapping vdso_mapping = {
	.name	= "[vdso]",
	.fault	= vdso_fault,
	.mremap	= vdso_mremap,
};

static const struct vm_special_mapping vvar_mapping = {
	.name	= "[vvar]",
	.fault	= vvar_fault,
};

#define VVAR_SIZE	(VVAR_PAGES * PAGE_SIZE)
#define VVAR_FLAGS	(VM_READ | VM_MAYREAD | VM_IO | VM_DONTDUMP | VM_PFNMAP)

/* MAYWRITE: debuggers may set breakpoints in a private copy. */
#define VDSO_FLAGS	(VM_READ | VM_EXEC | VM_MAYREAD | VM_MAYWRITE | VM_MAYEXEC)

/* Caller holds the mmap lock for writing. */
static int map_vdso(struct mm_struct *mm)
{
	unsigned long vvar = get_unmapped_area(NULL, 0, VVAR_SIZE + vdso_size, 0, 0);
	unsigned long vdso = vvar + VVAR_SIZE;
	struct vm_area_struct *vma;

	if (IS_ERR_VALUE(vvar))
		return vvar;

	vma = _install_special_mapping(mm, vvar, VVAR_SIZE, VVAR_FLAGS, &vvar_mapping);
	if (IS_ERR(vma))
		return PTR_ERR(vma);

	vma = _install_special_mapping(mm, vdso, vdso_size, VDSO_FLAGS, &vdso_mapping);
	if (IS_ERR(vma)) {
		do_munmap(mm, vvar, VVAR_SIZE, NULL);
		return PTR_ERR(vma);
	}

	mm->context.vdso = (void *)vdso;
	return 0;
}

/**
 * arch_setup_additional_pages() - map the vDSO into a new program
 * @bprm: the program
 * @uses_interp: ignored
 *
 * Placed by the mmap rules, so it is randomised as other mappings are.
 * Returns 0 or a negative errno. Task context.
 */
int arch_setup_additional_pages(struct linux_binprm *bprm, int uses_interp)
{
	struct mm_struct *mm = current->mm;
	int ret;

	if (!vdso_pages)
		return 0;
	if (mmap_write_lock_killable(mm))
		return -EINTR;
	ret = map_vdso(mm);
	mmap_write_unlock(mm);
	return ret;
}

#ifdef CONFIG_TIME_NS
struct vdso_data *arch_get_vdso_data(void *vvar_page)
{
	return vvar_page;
}

/**
 * vdso_join_timens() - a task entered another time namespace
 * @task: the task, current
 * @ns: the namespace
 *
 * Its clock data pages are mapped anew at the next access.
 */
int vdso_join_timens(struct task_struct *task, struct time_namespace *ns)
{
	VMA_ITERATOR(vmi, task->mm, 0);
	struct vm_area_struct *vma;

	mmap_read_lock(task->mm);
	for_each_vma(vmi, vma)
		if (vma_is_special_mapping(vma, &vvar_mapping))
			zap_vma_pages(vma);
	mmap_read_unlock(task->mm);
	return 0;
}
#endif

/* Tells the image where the host's clock is. */
static void __init patch_host_clock(void *image)
{
	const Elf64_Ehdr *ehdr = image;
	unsigned long *word;

	word = image + ALIGN(ehdr->e_phoff + ehdr->e_phnum * sizeof(Elf64_Phdr), sizeof(*word));
	BUG_ON(*word != VDSO_HOST_CLOCK_MAGIC);
	*word = host_vdso_clock();
}

static void __init move_clock_data(void *page)
{
	unsigned long flags = vdso_update_begin();

	memcpy(page, vdso_data, sizeof(union vdso_data_store));
	vdso_data = page;
	vdso_update_end(flags);
}

/*
 * Without memory for it programs do without a vDSO, but the clock data must
 * not stay in an init section.
 */
static int __init vdso_init(void)
{
	unsigned long image_size = vdso_image_end - vdso_image_start;
	struct page **pages;
	void *image, *data;
	int i;

	data = (void *)get_zeroed_page(GFP_KERNEL | __GFP_NOFAIL);
	move_clock_data(data);

	vdso_size = PAGE_ALIGN(image_size);
	image = alloc_pages_exact(vdso_size, GFP_KERNEL | __GFP_ZERO);
	pages = kcalloc(vdso_size >> PAGE_SHIFT, sizeof(*pages), GFP_KERNEL);
	if (!image || !pages) {
		pr_warn("vdso: out of memory, programs run without\n");
		if (image)
			free_pages_exact(image, vdso_size);
		kfree(pages);
		return -ENOMEM;
	}

	memcpy(image, vdso_image_start, image_size);
	patch_host_clock(image);
	for (i = 0; i < vdso_size >> PAGE_SHIFT; i++)
		pages[i] = virt_to_page(image + i * PAGE_SIZE);
	vdso_pages = pages;
	return 0;
}
arch_initcall(vdso_init);
