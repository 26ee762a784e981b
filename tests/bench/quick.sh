#!/usr/bin/env bash
# Runs every program of tests/bench for a moment and holds each line that comes out against the form that tools/bench
# promises. No times are judged: a busy machine must not fail this.
set -euo pipefail
bin=$1
TMPDIR=$(mktemp -d "${TMPDIR:-/tmp}/westerly-bench-XXXXXX")
export TMPDIR
trap 'rm -rf "$TMPDIR"' EXIT
lines=$(timeout --foreground 240 "$bin/bench_http" --quick && timeout --foreground 120 "$bin/bench_decide" --quick &&
  timeout --foreground 120 "$bin/bench_assign" 1 && timeout --foreground 120 "$bin/bench_term" --quick &&
  timeout --foreground 120 "$bin/bench_refresh" --quick &&
  timeout --foreground 120 "$bin/bench_scale" --quick && timeout --foreground 120 "$bin/bench_flow" --quick)
if /usr/bin/python3 -c 'import jsonschema' 2>/dev/null; then
  lines+=$'\n'$(timeout --foreground 240 /usr/bin/python3 "$(dirname "$0")/abused.py" "$bin" --quick)
fi
printf '%s\n' "$lines"
number='-?[0-9]+(\.[0-9]+)?'
form="^\{\"name\":\"[a-z0-9_]+\",\"value\":$number,\"unit\":\"[^\"]+\",\"target\":($number|null),\"met\":(true|false|null)\}$"
if printf '%s\n' "$lines" | grep -qvE "$form"; then
  printf 'a line is not of the form that docs/benchmarks.md promises\n' >&2
  exit 1
fi
for name in submit_durable_per_s submit_p99_ms read_per_s decide_100k_p50_us decide_100k_over_scan \
  decide_100k_168h_over_plain pareto_100k_us decide_1m_p50_us assign_10k_s assign_tick_1k_ms refresh_100k_delay_ms signals_300_delay_ms certificates_10k_us idle_rss_mib start_ms tls_echo_per_s \
  fdatasync_per_s submit_cpu_us read_cpu_us restart_1m_s live_100k_refresh_s live_100k_rss_mib \
  submit_100k_offers_per_s launch_per_s end_to_end_per_s adapter_rss_mib foreign_term_100k_us \
  foreign_term_100k_over_plain foreign_term_answer_100k_us; do
  if [ "$(printf '%s\n' "$lines" | grep -c "\"name\":\"$name\"")" -ne 1 ]; then
    printf '%s must come out once\n' "$name" >&2
    exit 1
  fi
done
