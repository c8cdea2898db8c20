# Sourced by the benchmarks beside it, which have set `work`, a directory to throw away: how things are measured, printed
# and cleaned up.
pids=()
cleanup() {
  for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done
  wait 2>/dev/null || true
  rm -rf "$work"
}
trap cleanup EXIT

now_ms() { echo $(($(date +%s%N) / 1000000)); }
median() { sort -n | awk '{v[NR]=$1} END {print v[int((NR+1)/2)]}'; }
row() { printf '%-34s %14s %14s   %s\n' "$@"; }
ratio() { awk "BEGIN {printf \"%.2f\", $1/($2 == 0 ? 1 : $2)}"; }

# wait_for PID COMMAND...: until it succeeds; gives up when the process ends or after 10 s.
wait_for() {
  local pid=$1 end=$(($(now_ms) + 10000))
  shift
  until "$@" >/dev/null 2>&1; do
    kill -0 "$pid" 2>/dev/null || return 1
    [[ $(now_ms) -lt $end ]] || return 1
  done
}
cpu_ticks() { awk '{print $14 + $15}' "/proc/$1/stat"; }
