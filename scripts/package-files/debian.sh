# Sourced by scripts/systemd-test and scripts/package-test: a Debian tree, and a real systemd in it.
# Nothing of the machine is used but its kernel: own mounts, processes, names, network and cgroups.

[ "$(id -u)" = 0 ] || { echo 'error[not-root]: A real systemd needs root' >&2; echo 'hint: Run it with sudo' >&2; exit 2; }
command -v mmdebstrap >/dev/null || { echo 'error[mmdebstrap]: mmdebstrap is missing' >&2; echo 'hint: apt-get install mmdebstrap' >&2; exit 2; }

debian_cache="$PWD/.cache/debian"
failures=0
booted=
tree=
leaf=

# bookworm with systemd and a broker, made once: 3 minutes on two cores, 300 MB.
debian_tarball() {
  local tarball="$debian_cache/bookworm-amd64-broker.tar"
  mkdir -p "$debian_cache"
  if [ ! -e "$tarball" ]; then
    echo '  a Debian tree (once, some minutes)' >&2
    mmdebstrap --quiet --format=tar --variant=minbase --include=systemd,systemd-sysv,udev,dbus,ca-certificates,mosquitto bookworm "$tarball.part" >&2
    mv "$tarball.part" "$tarball"
  fi
  echo "$tarball"
}

# A fresh copy, so that no test finds what another left.
fresh_tree() {
  tree="$(mktemp -d "$debian_cache/tree.XXXXXX")"
  tar -xf "$(debian_tarball)" -C "$tree"
  echo kit >"$tree/etc/hostname"
  : >"$tree/etc/machine-id"
  mkdir -p "$tree/var/log/journal"
  # There is no network in there to wait for, and no console to log in at.
  ln -sf /dev/null "$tree/etc/systemd/system/systemd-networkd-wait-online.service"
  ln -sf /dev/null "$tree/etc/systemd/system/console-getty.service"
}

# Becomes process 1 of the tree. Runs inside `unshare`.
enter_tree() {
  mount --make-rprivate /
  mount --bind "$tree" "$tree"
  cd "$tree"
  mkdir -p proc sys dev run old
  mount -t proc proc proc
  mount -t sysfs sysfs sys
  mount -t tmpfs -o mode=755 tmpfs dev
  mkdir dev/pts dev/shm
  mknod -m 666 dev/null c 1 3
  mknod -m 666 dev/zero c 1 5
  mknod -m 666 dev/full c 1 7
  mknod -m 666 dev/random c 1 8
  mknod -m 666 dev/urandom c 1 9
  mknod -m 666 dev/tty c 5 0
  mount -t devpts -o newinstance,ptmxmode=0666,mode=0620,gid=5 devpts dev/pts
  ln -s pts/ptmx dev/ptmx
  ln -s /proc/self/fd dev/fd
  mount -t tmpfs tmpfs dev/shm
  mount -t tmpfs -o mode=755 tmpfs run
  mount -t tmpfs tmpfs sys/fs/cgroup
  mount -t cgroup2 cgroup2 sys/fs/cgroup
  ip link set lo up
  pivot_root . old
  umount -l /old
  # Without this a unit's LoadCredential fails with EACCES: its mounts would not be seen by its namespace.
  mount --make-rshared /
  exec env -i container=unshare PATH=/usr/sbin:/usr/bin:/sbin:/bin /sbin/init >/dev/null 2>&1 </dev/null
}

boot_tree() {
  local cgroup
  cgroup="$(awk '$3 == "cgroup2" { print $2; exit }' /proc/mounts)"
  [ -n "$cgroup" ] || { echo 'error[cgroup2]: No cgroup2 file system is mounted' >&2; exit 2; }
  leaf="$cgroup/barrow-test.$$"
  mkdir -p "$leaf"
  export tree
  export -f enter_tree
  (
    echo "$BASHPID" >"$leaf/cgroup.procs"
    exec unshare --mount --pid --fork --uts --ipc --net --cgroup bash -ec enter_tree
  ) &
  booted=$!
  for _ in $(seq 300); do
    init="$(pgrep -P "$booted" | head -n1 || true)"
    if [ -n "$init" ] && inside systemctl is-system-running >"$tree/running" 2>/dev/null || grep -qs degraded "$tree/running"; then return; fi
    sleep 0.2
  done
  echo 'error[no-boot]: systemd did not come up in a minute' >&2
  return 1
}

inside() { nsenter -t "$init" -m -u -i -n -p -C env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin DEBIAN_FRONTEND=noninteractive HOME=/root TERM=dumb LC_ALL=C "$@"; }
property() { inside systemctl show -P "$1" "${2:-barrow.service}"; }

halt_tree() {
  [ -n "$booted" ] || return 0
  if [ -n "${init:-}" ] && kill -0 "$init" 2>/dev/null; then
    kill -s RTMIN+3 "$init" || true
    for _ in $(seq 100); do kill -0 "$init" 2>/dev/null || break; sleep 0.1; done
    kill -9 "$init" 2>/dev/null || true
  fi
  wait "$booted" 2>/dev/null || true
  booted=
  for _ in $(seq 50); do
    find "$leaf" -depth -type d -exec rmdir {} + 2>/dev/null && break
    sleep 0.1
  done
}

clean_up() {
  halt_tree
  [ -n "$tree" ] && [ -z "${BARROW_KEEP_TREE:-}" ] && rm -rf --one-file-system "$tree"
  return 0
}
trap clean_up EXIT

now_ms() { date +%s%3N; }
step() { printf '%-76s' "$1" >&2; }
good() { printf 'ok  %s\n' "${1:-}" >&2; }
bad() { printf 'FAIL  %s\n' "${1:-}" >&2; failures=$((failures + 1)); }
# expect WHAT COMMAND…: one line, ok or FAIL with what the command said.
expect() {
  local said status=0
  step "$1"
  shift
  said="$("$@" 2>&1)" || status=$?
  if [ "$status" = 0 ]; then good "$(tail -n1 <<<"$said" | cut -c1-100)"; else bad "$(tail -n3 <<<"$said" | cut -c1-300)"; fi
}
# eventually SECONDS COMMAND…
eventually() {
  local until=$(($(now_ms) + $1 * 1000)) said=
  shift
  while [ "$(now_ms)" -lt "$until" ]; do
    if said="$("$@" 2>&1)"; then echo "$said"; return 0; fi
    sleep 0.2
  done
  echo "not within the time: $* ($said)"
  return 1
}
finish() {
  if [ "$failures" = 0 ]; then echo 'all of it holds' >&2; else echo "$failures failed" >&2; exit 1; fi
}
