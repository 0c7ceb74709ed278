# Sourced by scripts/systemd-test: what an idle kit costs. The shop is empty: sensors send, nobody touches anything.
sed -i "s/^shoppersPerMin: .*/shoppersPerMin: 0.001/" "$tree/usr/share/barrow/virtual-kit.yaml"
inside systemctl restart barrow-virtual-kit
inside systemctl restart barrow
eventually 30 ready >/dev/null
sleep 20
unit_pids() { sed "s/\$//" "$leaf"/system.slice/barrow.service/cgroup.procs; }
ticks() { for p in $(unit_pids); do awk '{ print $14 + $15 }' "/proc/$p/stat"; done | awk '{ sum += $1 } END { print sum }'; }
written() { for p in $(unit_pids); do sed -n 's/^write_bytes: //p' "/proc/$p/io"; done | awk '{ sum += $1 } END { print sum }'; }
rss_kb() { for p in $(unit_pids); do sed -n 's/^VmRSS:\s*\([0-9]*\).*/\1/p' "/proc/$p/status"; done | awk '{ sum += $1 } END { print sum }'; }
t0=$(ticks) w0=$(written) at0=$(now_ms)
sleep "$BARROW_MEASURE_S"
t1=$(ticks) w1=$(written) at1=$(now_ms)
step "idle for $BARROW_MEASURE_S s"
good "$(awk -v t=$((t1 - t0)) -v w=$((w1 - w0)) -v ms=$((at1 - at0)) -v rss="$(rss_kb)" -v main="$(sed -n 's/^VmRSS:\s*\([0-9]*\).*/\1/p' "/proc/$(inside_pid "$(main_pid)")/status")" -v n="$(unit_pids | wc -l)" \
  'BEGIN { printf "RSS %.1f MB in %d processes (main %.1f MB), CPU %.2f %% of a core, %.1f MB written a day", rss * 1024 / 1e6, n, main * 1024 / 1e6, t * 10 * 100 / ms, w / ms * 86400000 / 1e6 }')"
pid="$(main_pid)"
