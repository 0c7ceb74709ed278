# Runs in the booted machine of scripts/kernel-test; what it writes to its output is the test's report.
kit=/var/lib/barrow/virtual-kit
failures=0
barrow_status() { barrow status --json -c "$kit/kit.yaml"; }
ready() { barrow_status | grep -q '"ready":true'; }
reason() { barrow_status | grep -q "\"$1\""; }
driver_ready() { barrow_status | /usr/lib/barrow/bin/node -e 'let s = ""; process.stdin.on("data", (d) => (s += d)).on("end", () => process.exit(JSON.parse(s).drivers.some((d) => d.id === process.argv[1] && d.state === "ready") ? 0 : 1))' "$1"; }
expect() {
  local what="$1" seconds="$2" begun=$SECONDS
  shift 2
  while ! "$@" >/dev/null 2>&1; do
    if [ $((SECONDS - begun)) -ge "$seconds" ]; then
      echo "FAIL  $what"
      failures=$((failures + 1))
      barrow_status >&2
      return
    fi
    sleep 1
  done
  echo "ok    $what ($((SECONDS - begun)) s)"
}
plug_in() {
  setpriv --reuid barrow --regid barrow --init-groups barrow-sim run /usr/share/barrow/virtual-kit.yaml --dir "$kit" --kernel-adapter >/run/sim.log 2>&1 &
  sim=$!
}

systemctl stop barrow
modprobe hci_vhci && modprobe vivid n_devs=1
chmod 666 /dev/vhci
mkdir -p "$kit" && chown barrow: "$kit"
plug_in
expect 'the kernel has taken the virtual adapter' 60 test -e /sys/class/bluetooth/hci0
expect 'the virtual kit is there' 60 grep -q 'kind: hci' "$kit/kit.yaml"
cat >>"$kit/kit.yaml" <<'YAML'
  - id: door
    type: camera-counter
    source: { kind: v4l2, device: /dev/video0 }
    fps: 1
    input: { width: 64, height: 64 }
    lines: [{ id: entrance, from: [350, 180], to: [350, 420] }]
YAML
echo "BARROW_KIT=$kit/kit.yaml" >/etc/default/barrow
systemctl start barrow
expect 'ready: shelves over hci0, which the agent switched on itself' 120 driver_ready shelves
expect 'ready: pictures from /dev/video0 within the sandbox of the unit' 120 driver_ready door
expect 'and the whole kit' 60 ready

rfkill block bluetooth
expect 'a blocked adapter is unblocked and heard again' 60 sh -c 'rfkill -n -o SOFT | grep -qx unblocked'
expect 'and the kit is ready again' 120 ready

kill "$sim"
expect 'a pulled adapter is named as missing' 120 reason radio-missing
# The virtual kit would write the kit.yaml anew.
cp "$kit/kit.yaml" /run/kit.yaml
plug_in
expect 'plugged in again it is taken' 60 test -e /sys/class/bluetooth/hci0
sleep 5
cp /run/kit.yaml "$kit/kit.yaml"
expect 'and the kit is ready again by itself' 180 ready
journalctl -u barrow --no-pager >&2
[ "$failures" = 0 ] && echo 'all of it holds'
