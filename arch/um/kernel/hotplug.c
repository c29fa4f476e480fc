// SPDX-License-Identifier: GPL-2.0
/*
 * The registry of device classes whose devices can be made and removed while
 * the machine runs (asm/hotplug.h). A word such as "ubd1=file" finds its class
 * by how it begins.
 *
 * The file um/hotplug in debugfs is a front door for tests and for root: write
 * "config <device>=<setting>", "config <device>" or "remove <device>", then
 * read the error number and the answer through the same open file. It gives the
 * guest whatever file of the host we may open, so it is there only if the
 * command line says hotplug_from_guest.
 */
#include <linux/debugfs.h>
#include <linux/fs.h>
#include <linux/init.h>
#include <linux/moduleparam.h>
#include <linux/mutex.h>
#include <linux/string.h>
#include <asm/hotplug.h>

static LIST_HEAD(classes);
static DEFINE_MUTEX(lock);

void um_hotplug_register(struct um_hotplug *class)
{
	mutex_lock(&lock);
	list_add_tail(&class->list, &classes);
	mutex_unlock(&lock);
}

/* Moves @text behind the class's name. */
static struct um_hotplug *find_class(const char **text)
{
	struct um_hotplug *class;
	size_t len;

	list_for_each_entry(class, &classes, list) {
		len = str_has_prefix(*text, class->name);
		if (len) {
			*text += len;
			return class;
		}
	}
	return NULL;
}

static int finish(int err, const char *why, char *reply, size_t size)
{
	if (err)
		strscpy(reply, why, size);
	return err;
}

int um_hotplug_config(const char *text, char *reply, size_t size)
{
	bool query = !strchr(text, '=');
	const char *why = "Bad configuration option";
	struct um_hotplug *class;
	int err = 1;

	*reply = '\0';
	mutex_lock(&lock);
	class = find_class(&text);
	if (class && !query)
		err = class->config(text, &why);
	else if (class && class->query)
		err = class->query(text, reply, size, &why);
	else if (class)
		why = "No get_config routine defined";
	mutex_unlock(&lock);
	return finish(err, why, reply, size);
}

int um_hotplug_remove(const char *text, char *reply, size_t size)
{
	const char *why = "Bad remove option";
	struct um_hotplug *class;
	int err = 1;

	*reply = '\0';
	mutex_lock(&lock);
	class = find_class(&text);
	if (class && class->remove)
		err = class->remove(text, &why);
	mutex_unlock(&lock);
	return finish(err, why, reply, size);
}

struct dentry *um_debugfs(void)
{
	static struct dentry *folder;

	if (!folder)
		folder = debugfs_create_dir("um", NULL);
	return folder;
}

#ifdef CONFIG_DEBUG_FS
static bool from_guest;
core_param(hotplug_from_guest, from_guest, bool, 0);

static ssize_t hotplug_write(struct file *file, const char __user *user, size_t count,
			     loff_t *pos)
{
	char *text = simple_transaction_get(file, user, count);
	char *reply, *word;
	size_t size;
	int err, n;

	if (IS_ERR(text))
		return PTR_ERR(text);
	/* The answer takes the place of the command. */
	word = kstrdup(strim(text), GFP_KERNEL);
	if (!word)
		return -ENOMEM;
	size = SIMPLE_TRANSACTION_LIMIT - 16;
	reply = kmalloc(size, GFP_KERNEL);
	if (!reply) {
		kfree(word);
		return -ENOMEM;
	}
	if (str_has_prefix(word, "config "))
		err = um_hotplug_config(word + 7, reply, size);
	else if (str_has_prefix(word, "remove "))
		err = um_hotplug_remove(word + 7, reply, size);
	else
		err = finish(-EINVAL, "use config or remove", reply, size);
	n = snprintf(text, SIMPLE_TRANSACTION_LIMIT, "%d %s\n", err, reply);
	simple_transaction_set(file, min_t(size_t, n, SIMPLE_TRANSACTION_LIMIT));
	kfree(reply);
	kfree(word);
	return count;
}

static const struct file_operations hotplug_fops = {
	.owner = THIS_MODULE,
	.write = hotplug_write,
	.read = simple_transaction_read,
	.release = simple_transaction_release,
	.llseek = noop_llseek,
};

static int __init hotplug_init(void)
{
	if (from_guest)
		debugfs_create_file("hotplug", 0600, um_debugfs(), NULL, &hotplug_fops);
	return 0;
}
late_initcall(hotplug_init);
#endif
