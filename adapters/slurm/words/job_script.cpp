#include "adapters/slurm/words/job_script.hpp"

#include <charconv>

namespace westerly {
namespace {

constexpr std::uint32_t many_tasks = 8;  // from here on ranks look at the shared directory less often

constexpr std::string_view batch_body = R"sh(
say() { echo "westerly: $*" >&2; }
# The record of this job may reach this node a little after the job does.
for ((i = 0; i < 30; i++)); do
  recorded=$(cat "$folder/control/job" 2>/dev/null) && [ -n "$recorded" ] && break
  sleep 1
done
if [ "$recorded" != "$SLURM_JOB_ID" ]; then
  say "this is job $SLURM_JOB_ID, but the attempt is job ${recorded:-unknown}; nothing is run"
  exit 1
fi
cd "$folder" || exit 1
if ! mkdir gate 2>/dev/null; then
  say "this attempt has begun before, or was given up; it is not run again"
  : >again
  exit 1
fi
now_ms() { local t=${EPOCHREALTIME/[.,]/}; echo "${t%???}"; }
put() { printf '%s\n' "$2" >"$1.new" && mv "$1.new" "$1"; }
put began "$(now_ms)"
mkdir -p output input tasks

host=127.0.0.1
if [ "$tasks" -gt 1 ]; then
  # Asking for names may take seconds, so a task by itself is spared it.
  host=${SLURMD_NODENAME:-}
  getent hosts "$host" >/dev/null 2>&1 || host=$(hostname)
fi
export WESTERLY_MASTER_ADDR=$host
# Jobs that share a node have different ids.
export WESTERLY_MASTER_PORT=$((15000 + SLURM_JOB_ID % 16000))

# Slurm signals every process of a job at once. The shells around the task ignore that from here on, so that they live
# to write its record; they must not catch it, because bash may wait for ever after a signal has ended its wait.
trap '' TERM INT
(
  trap - TERM INT  # what is ignored would stay ignored
  [ "$tasks" -gt 1 ] || SLURM_PROCID=0 exec bash control/rank
  exec srun --ntasks="$tasks" --cpus-per-task="$cpus" --kill-on-bad-exit=0 --wait=0 bash control/rank
) &
ranks=$!
while kill -0 $$ 2>/dev/null; do : >alive; sleep "$alive_every"; done &
heart=$!
wait "$ranks"
code=$?
kill -KILL "$heart" 2>/dev/null
rank=0
why=exit
if [ -s first/rank ]; then
  read -r rank code why <first/rank
fi
put ended "$(now_ms) $code $rank $why"
[ "$code" -eq 0 ]
)sh";

constexpr std::string_view rank_body = R"sh(
# As the shell of the batch does, and before anything is run that a signal could end: that would look like a failure.
trap '' TERM INT
rank=${SLURM_PROCID:-0}
cd "$folder" || exit 1
mine=$folder/tasks/$rank
# The task has these two files to itself; what this shell says goes to Slurm's log.
mkdir -p "$mine" && : >"$mine/stdout" && : >"$mine/stderr" || exit 1
fail() { echo "westerly: $*" >>"$mine/stderr"; end 1 start; }
# The first rank that fails tells for all.
end() {
  if { [ "$1" -ne 0 ] || [ "$2" = time_limit ]; } && mkdir "$folder/first" 2>/dev/null; then
    printf '%s %s %s\n' "$rank" "$1" "$2" >"$folder/first/rank.new"
    mv "$folder/first/rank.new" "$folder/first/rank"
  fi
  [ -z "$scratch" ] || rm -rf "$scratch"
  exit "$1"
}
# A job that is killed hard leaves its scratch directory; the next one on that node removes it. Its name tells whose it
# is: of which boot and process namespace, and which process. Any other node's or namespace's cannot be judged here.
start_of() { local stat; { read -r stat <"/proc/$1/stat"; } 2>/dev/null || return; set -- ${stat##*) }; echo "${20}"; }
here=$(head -c 8 /proc/sys/kernel/random/boot_id).$(readlink /proc/self/ns/pid | tr -dc 0-9)
for old in "$scratch_root/westerly-$here".*; do
  who=${old##*/westerly-"$here".}
  who=${who%%-*}
  [ ! -O "$old" ] || [ "$(start_of "${who%.*}")" = "${who#*.}" ] || rm -rf "$old"
done
scratch=$(mktemp -d "$scratch_root/westerly-$here.$$.$(start_of $$)-XXXXXXXX") || fail "no scratch directory in $scratch_root"
cd "$scratch" || fail "no way into the scratch directory"
if [ "$bundle" = yes ]; then
  tar --extract --file="$folder/control/bundle.tar" --no-same-owner --no-same-permissions \
    2>>"$mine/stderr" || fail "the files cannot be unpacked"
fi
export HOME=$scratch
unset OLDPWD
export WESTERLY_TASKS=$tasks WESTERLY_RANK=$rank
export WESTERLY_INPUT_DIR=$folder/input WESTERLY_OUTPUT_DIR=$folder/output

began=$SECONDS
(trap - TERM INT; exec setsid bash "$folder/control/run" >>"$mine/stdout" 2>>"$mine/stderr") &
task=$!
# Ends the task in order: on a stop, at the time limit, after another rank's failure.
watch() {
  local why=
  while sleep "$look_every"; do
    if [ -e "$folder/control/stop" ]; then
      why=stop
      read -r grace <"$folder/control/stop"
    elif [ "$limit" -gt 0 ] && ((SECONDS - began >= limit)); then
      why=time_limit
    elif [ "$tasks" -gt 1 ] && [ -d "$folder/first" ]; then
      why=peer
    else
      continue
    fi
    echo "$why" >"$mine/why"
    kill -TERM -- "-$task" 2>/dev/null
    sleep "$grace"
    kill -KILL -- "-$task" 2>/dev/null
    return
  done
}
watch &
watcher=$!
wait "$task"
code=$?
kill -KILL "$watcher" 2>/dev/null
kill -KILL -- "-$task" 2>/dev/null
why=exit
[ ! -s "$mine/why" ] || why=$(cat "$mine/why")
end "$code" "$why"
)sh";

std::string set(std::string_view name, std::string_view value) {
    return std::string(name) + '=' + shell_quoted(value) + '\n';
}
std::string set(std::string_view name, std::uint64_t value) {
    return std::string(name) + '=' + std::to_string(value) + '\n';
}

template <class Number>
bool take(std::string_view& text, Number& into) {
    const auto read = std::from_chars(text.data(), text.data() + text.size(), into);
    if (read.ec != std::errc())
        return false;
    text.remove_prefix(static_cast<std::size_t>(read.ptr - text.data()));
    if (text.starts_with(' '))
        text.remove_prefix(1);
    return true;
}

}  // namespace

std::string shell_quoted(std::string_view text) {
    std::string out = "'";
    for (const char c : text)
        if (c == '\'')
            out += "'\\''";
        else
            out += c;
    return out + '\'';
}

std::optional<run_record> read_run_record(std::string_view text) {
    run_record record;
    if (!take(text, record.ended_ms) || !take(text, record.code) || !take(text, record.rank))
        return std::nullopt;
    record.timed_out = text.starts_with("time_limit");
    return record;
}

std::string batch_script(const slurm_config& /*config*/, const launch_request& request, const std::string& folder,
                         const job_shape& shape) {
    return "#!/bin/bash\numask 022\n" + set("folder", folder) + set("tasks", request.tasks) +
           set("cpus", shape.cpus_per_task) + set("alive_every", alive_every_s) + std::string(batch_body);
}

std::string rank_script(const slurm_config& config, const launch_request& request, const std::string& folder,
                        const std::string& checkpoint_folder) {
    return "umask 022\n" + set("folder", folder) + set("tasks", request.tasks) +
           set("scratch_root", config.scratch_directory) + set("bundle", request.has_files ? "yes" : "no") +
           set("limit", request.max_runtime_s.value_or(0)) + set("grace", request.grace_s) +
           set("look_every", request.tasks < many_tasks ? 1 : 5) + set("scratch", "") +
           "export WESTERLY_CHECKPOINT_DIR=" + shell_quoted(checkpoint_folder) +
           "\nexport WESTERLY_WORKLOAD=" + shell_quoted(request.workload) +
           "\nexport WESTERLY_ATTEMPT=" + shell_quoted(request.attempt) + '\n' + std::string(rank_body);
}

std::string run_script(const launch_request& request) {
    std::string text;
    for (const auto& [name, value] : request.run.env)
        text += "export " + name + '=' + shell_quoted(value) + '\n';
    text += "exec --";
    for (const auto& word : request.run.command)
        text += ' ' + shell_quoted(word);
    return text + '\n';
}

}  // namespace westerly
