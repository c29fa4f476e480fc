// SPDX-License-Identifier: GPL-2.0
/*
 * The block device: host files as disks /dev/ubda to /dev/ubdp.
 *
 * Each disk is a platform device uml-blkdev.<n>, made for the command line or
 * later (ubd_hotplug.c). Its requests are ubd_queue.c's.
 */
#include <linux/ata.h>
#include <linux/blk-mq.h>
#include <linux/blkdev.h>
#include <linux/cdrom.h>
#include <linux/delay.h>
#include <linux/device.h>
#include <linux/hdreg.h>
#include <linux/init.h>
#include <linux/major.h>
#include <linux/platform_device.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include "ubd.h"

#define UBD_NAME		"uml-blkdev"
#define UBD_MINORS		16
#define UBD_HEADS		128
#define UBD_SECTORS		32
#define LOCK_TRIES		10
#define LOCK_RETRY_MS		50

static struct ubd *ubds[HOST_UBD_MAX];

static int ubd_getgeo(struct block_device *bdev, struct hd_geometry *geo)
{
	geo->heads = UBD_HEADS;
	geo->sectors = UBD_SECTORS;
	geo->cylinders = get_capacity(bdev->bd_disk) / (UBD_HEADS * UBD_SECTORS);
	return 0;
}

/* What old programs ask of a disk and of a drive for CDs. */
static int ubd_ioctl(struct block_device *bdev, blk_mode_t mode, unsigned int cmd,
		     unsigned long arg)
{
	struct cdrom_volctrl volume = { 255, 255, 255, 255 };
	u16 id[ATA_ID_WORDS] = { };

	switch (cmd) {
	case HDIO_GET_IDENTITY:
		id[ATA_ID_CYLS] = get_capacity(bdev->bd_disk) / (UBD_HEADS * UBD_SECTORS);
		id[ATA_ID_HEADS] = UBD_HEADS;
		id[ATA_ID_SECTORS] = UBD_SECTORS;
		return copy_to_user((void __user *)arg, id, sizeof(id)) ? -EFAULT : 0;
	case CDROMVOLREAD:
		return copy_to_user((void __user *)arg, &volume, sizeof(volume)) ? -EFAULT : 0;
	}
	return -ENOTTY;
}

static int ubd_open(struct gendisk *disk, blk_mode_t mode)
{
	struct ubd *ubd = disk->private_data;

	return ubd->gone ? -ENXIO : 0;
}

static void ubd_free(struct gendisk *disk)
{
	kfree(disk->private_data);
}

/*
 * Users know the disks also as /dev/ubd0 and /dev/ubd/0. udev makes, and
 * systemd waits for, the links that the event names.
 */
static int ubd_uevent(const struct device *dev, struct kobj_uevent_env *env)
{
	struct block_device *bdev = dev_to_bdev(dev);
	struct ubd *ubd = bdev->bd_disk->private_data;

	if (bdev_is_partition(bdev))
		return add_uevent_var(env, "DEVLINKS=/dev/ubd%dp%d /dev/ubd/%dp%d",
				      ubd->nr, bdev_partno(bdev), ubd->nr, bdev_partno(bdev));
	return add_uevent_var(env, "DEVLINKS=/dev/ubd%d /dev/ubd/%d", ubd->nr, ubd->nr);
}

static const struct block_device_operations ubd_fops = {
	.owner = THIS_MODULE,
	.open = ubd_open,
	.free_disk = ubd_free,
	.ioctl = ubd_ioctl,
	.compat_ioctl = blkdev_compat_ptr_ioctl,
	.getgeo = ubd_getgeo,
	.uevent = ubd_uevent,
};

/* The same names where there is no udev; no links if @make is false. */
static void ubd_links(struct ubd *ubd, bool make)
{
	char name[16], target[DISK_NAME_LEN + 4];

	snprintf(name, sizeof(name), "ubd%d", ubd->nr);
	devtmpfs_create_symlink(name, make ? ubd->disk->disk_name : NULL);
	snprintf(name, sizeof(name), "ubd/%d", ubd->nr);
	snprintf(target, sizeof(target), "../%s", ubd->disk->disk_name);
	devtmpfs_create_symlink(name, make ? target : NULL);
}

static ssize_t serial_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	struct ubd *ubd = dev_to_disk(dev)->private_data;

	return sysfs_emit(buf, "%s\n", ubd->info.serial);
}
static DEVICE_ATTR_RO(serial);

static struct attribute *ubd_attrs[] = {
	&dev_attr_serial.attr,
	NULL,
};

static const struct attribute_group ubd_group = {
	.attrs = ubd_attrs,
};

static const struct attribute_group *ubd_groups[] = {
	&ubd_group,
	&ubd_limit_group,
	NULL,
};

static void report_open_error(struct ubd *ubd, int err, const char *why)
{
	const char *file = ubd->info.file;
	char name = 'a' + ubd->nr;

	if (err == -EAGAIN && ubd->info.size)
		pr_err("ubd%c: F_SETLK failed, file already locked by pid %llu\n",
		       name, ubd->info.size);
	if (err == -EAGAIN)
		pr_err("ubd%c: Failed to lock '%s', err = %d: another machine uses it (ubd%dc= shares it)\n",
		       name, file, -err, ubd->nr);
	else if (err == -EMEDIUMTYPE)
		pr_err("ubd%c: \"%s\": %s (ubd%dd= takes it as plain data)\n",
		       name, file, why, ubd->nr);
	else
		pr_err("ubd%c: Can't open \"%s\": errno = %d (%s)\n", name, file, -err, why);
}

/* What the host half has to say, errors that it explains included. */
static void print_log(struct ubd *ubd)
{
	const char *line;
	int level;

	while (host_ubd_log(&level, &line))
		printk("%s%d" "ubd%c: %s\n", KERN_SOH, level, 'a' + ubd->nr, line);
}

static int ubd_open_host(struct ubd *ubd, const char **why)
{
	bool wanted_ro = ubd->info.flags & HOST_UBD_READ_ONLY;
	int err, try = 0;

	if (IS_ENABLED(CONFIG_BLK_DEV_UBD_SYNC))
		ubd->info.flags |= HOST_UBD_SYNC;
	/*
	 * The lock of a machine that was killed ends when the host has done the
	 * last of its requests, a moment after its process is gone.
	 */
	while ((err = host_ubd_open(ubd->nr, &ubd->info, &ubd->host, why)) == -EAGAIN &&
	       ++try < LOCK_TRIES)
		msleep(LOCK_RETRY_MS);
	print_log(ubd);
	if (err) {
		report_open_error(ubd, err, *why);
		return err;
	}
	if (*ubd->info.backing)
		pr_info("ubd%c: \"%s\" is a COW file over \"%s\"\n", 'a' + ubd->nr,
			ubd->info.file, ubd->info.backing);
	if (ubd->info.flags & HOST_UBD_SHARED)
		pr_info("ubd%c: Not locking \"%s\" on the host\n", 'a' + ubd->nr, ubd->info.file);
	if (!wanted_ro && (ubd->info.flags & HOST_UBD_READ_ONLY))
		pr_notice("ubd%c: \"%s\" can't be written; the disk is read-only\n",
			  'a' + ubd->nr, ubd->info.file);
	return 0;
}

static int ubd_add_disk(struct ubd *ubd, struct device *parent)
{
	struct queue_limits lim = { };
	struct gendisk *disk;
	int err;

	ubd_init_tags(ubd);
	err = blk_mq_alloc_tag_set(&ubd->tags);
	if (err)
		return err;

	ubd_limits(ubd, &lim);
	disk = blk_mq_alloc_disk(&ubd->tags, &lim, ubd);
	if (IS_ERR(disk)) {
		err = PTR_ERR(disk);
		goto free_tags;
	}
	ubd->disk = disk;
	disk->major = UBD_MAJOR;
	disk->first_minor = ubd->nr * UBD_MINORS;
	disk->minors = UBD_MINORS;
	disk->fops = &ubd_fops;
	disk->private_data = ubd;
	snprintf(disk->disk_name, sizeof(disk->disk_name), "ubd%c", 'a' + ubd->nr);
	set_capacity(disk, round_up(ubd->info.size, lim.logical_block_size) >> SECTOR_SHIFT);
	set_disk_ro(disk, ubd->info.flags & HOST_UBD_READ_ONLY);

	err = device_add_disk(parent, disk, ubd_groups);
	if (err)
		goto put_disk;
	return 0;

put_disk:
	put_disk(disk);
free_tags:
	blk_mq_free_tag_set(&ubd->tags);
	return err;
}

static int ubd_probe(struct platform_device *pdev)
{
	struct ubd *ubd = ubds[pdev->id];
	int err;

	ubd->pdev = pdev;
	ubd_limit_init(ubd);
	err = ubd_add_disk(ubd, &pdev->dev);
	if (err) {
		pr_err("ubd%c: Can't add the disk: %pe\n", 'a' + ubd->nr, ERR_PTR(err));
		ubd->pdev = NULL;
		return -ENODEV;
	}
	ubd_links(ubd, true);
	return 0;
}

static void ubd_remove(struct platform_device *pdev)
{
	struct ubd *ubd = ubds[pdev->id];

	ubd_links(ubd, false);
	del_gendisk(ubd->disk);
	ubd_limit_exit(ubd);
	blk_mq_free_tag_set(&ubd->tags);
}

static struct platform_driver ubd_driver = {
	.probe = ubd_probe,
	.remove = ubd_remove,
	.driver = {
		.name = UBD_NAME,
		.suppress_bind_attrs = true,
	},
};

int ubd_plug(int nr, const char **why)
{
	struct ubd *ubd = kzalloc(sizeof(*ubd), GFP_KERNEL);
	struct platform_device *pdev;
	int err = -ENOMEM;

	*why = "Out of memory";
	if (!ubd)
		goto forget;
	ubd->nr = nr;
	host_ubd_configured(nr, &ubd->info);
	err = ubd_open_host(ubd, why);
	if (err)
		goto free;
	ubds[nr] = ubd;
	*why = "Couldn't add the device";
	pdev = platform_device_register_simple(UBD_NAME, nr, NULL, 0);
	err = PTR_ERR_OR_ZERO(pdev);
	if (!err && ubd->pdev)
		return 0;
	if (!err) {
		platform_device_unregister(pdev);
		err = -ENODEV;
	}
	ubds[nr] = NULL;
	host_ubd_close(ubd->host);
free:
	kfree(ubd);
forget:
	host_ubd_forget(nr);
	pr_err("Failed to initialize ubd device %d: %pe\n", nr, ERR_PTR(err));
	return err;
}

int ubd_unplug(int nr)
{
	struct ubd *ubd = ubds[nr];
	struct gendisk *disk;

	if (!ubd)
		return -ENODEV;
	disk = ubd->disk;
	mutex_lock(&disk->open_mutex);
	ubd->gone = !disk_openers(disk);
	mutex_unlock(&disk->open_mutex);
	if (!ubd->gone)
		return -EBUSY;

	platform_device_unregister(ubd->pdev);
	host_ubd_close(ubd->host);
	ubds[nr] = NULL;
	put_disk(disk);		/* the last to know it frees ubd */
	host_ubd_forget(nr);
	return 0;
}

const struct host_ubd_info *ubd_info(int nr)
{
	return ubds[nr] ? &ubds[nr]->info : NULL;
}

static int __init ubd_init(void)
{
	struct host_ubd_info info;
	const char *why;
	int err, i;

	err = ubd_queue_init();
	if (!err)
		err = register_blkdev(UBD_MAJOR, "ubd");
	if (err)
		return err;
	err = platform_driver_register(&ubd_driver);
	if (err) {
		unregister_blkdev(UBD_MAJOR, "ubd");
		return err;
	}
	/* The machine goes on without a disk that is not there. */
	for (i = 0; i < HOST_UBD_MAX; i++)
		if (host_ubd_configured(i, &info))
			ubd_plug(i, &why);
	return 0;
}
device_initcall(ubd_init);
