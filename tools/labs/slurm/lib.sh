# Processes of a laboratory, for up and down. A file DIR/run/NAME.pid holds "PID START": the start time (field 22 of
# /proc/PID/stat) tells the process from a later one of the same id.

start_of() { # PID: its start time; nothing if it is gone or a zombie
  local stat fields
  { read -r stat <"/proc/$1/stat"; } 2>/dev/null || return 0
  read -ra fields <<<"${stat##*) }"
  case "${fields[0]}" in Z | X) return 0 ;; esac
  printf '%s' "${fields[19]}"
}

pid_of() { # NAME: the pid if that very process runs
  local pid start
  [ -r "$dir/run/$1.pid" ] && read -r pid start <"$dir/run/$1.pid" || return 1
  [ -n "$start" ] && [ "$(start_of "$pid")" = "$start" ] && printf '%s' "$pid"
}

run() { # NAME COMMAND...: a daemon in the foreground of a session of its own
  local name=$1
  shift
  setsid "$@" </dev/null >>"$dir/log/$name.out" 2>&1 &
  local pid=$!
  printf '%s %s\n' "$pid" "$(start_of "$pid")" >"$dir/run/$name.pid"
}

until_true() { # SECONDS WHAT COMMAND...
  local end=$((SECONDS + $1)) what=$2
  shift 2
  until "$@" >/dev/null 2>&1; do
    if [ "$SECONDS" -ge "$end" ]; then
      printf 'slurm laboratory: no %s in time; see %s/log\n' "$what" "$dir" >&2
      return 1
    fi
    sleep 0.1
  done
}

stop() { # NAME SECONDS: SIGTERM, then SIGKILL
  local pid i
  for ((i = 0; i <= $2 * 10; i++)); do
    pid=$(pid_of "$1") || break
    [ "$i" -gt 0 ] || kill -TERM "$pid" 2>/dev/null || true
    [ "$i" -lt $(($2 * 10)) ] || kill -KILL "$pid" 2>/dev/null || true
    sleep 0.1
  done
  rm -f "$dir/run/$1.pid"
}
