// First process of an emulated kit: loads what Debian's kernel needs to see its disk, and hands over to systemd.
// An initramfs of Debian's own takes half an hour to be made under emulation.
#include <fcntl.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#ifndef ROOT
#define ROOT "/dev/vda2"
#define ROOT_FLAGS (MS_RDONLY | MS_NOATIME)
#endif
static const char *modules[] = {MODULES, 0};
int main(void) {
  mkdir("/proc", 0755); mkdir("/sys", 0755); mkdir("/dev", 0755); mkdir("/root", 0755);
  mount("proc", "/proc", "proc", 0, 0); mount("sysfs", "/sys", "sysfs", 0, 0); mount("devtmpfs", "/dev", "devtmpfs", 0, 0);
  for (int i = 0; modules[i]; i++) {
    int fd = open(modules[i], O_RDONLY);
    if (fd < 0 || syscall(SYS_finit_module, fd, "", 0) != 0) perror(modules[i]);
    close(fd);
  }
  for (int i = 0; i < 300 && mount(ROOT, "/root", "ext4", ROOT_FLAGS, 0) != 0; i++) usleep(100000);
  mount("/dev", "/root/dev", 0, MS_MOVE, 0); umount("/proc"); umount("/sys");
  if (chdir("/root") != 0 || mount(".", "/", 0, MS_MOVE, 0) != 0 || chroot(".") != 0 || chdir("/") != 0) perror("root");
  execl("/sbin/init", "/sbin/init", (char *)0);
  perror("/sbin/init");
  return 1;
}
