# Installs what is missing of the Debian 12 packages that are named, with apt-get as root or through sudo.
# Sourced by tools/quickstart, tools/check and tools/bench.

build_packages=(g++ cmake ninja-build ccache mold pkg-config ca-certificates
  libboost1.81-dev libboost-url1.81-dev libssl-dev rapidjson-dev libsqlite3-dev
  libmimalloc-dev libspdlog-dev libfmt-dev libcli11-dev libyaml-cpp-dev prometheus-cpp-dev zlib1g-dev
  coinor-libclp-dev)
run_packages=(bubblewrap tar)
test_packages=(libgtest-dev libgmock-dev python3 python3-jsonschema python3-yaml openssl curl sqlite3 patch)
# A real Slurm for tools/labs/slurm; with accounting also the second line.
slurm_packages=(slurmctld slurmd slurm-client slurmrestd slurm-wlm-jwt-plugin slurm-wlm-basic-plugins munge)
slurm_accounting_packages=(slurmdbd slurm-wlm-mysql-plugin mariadb-server)
fuzz_packages=(clang libclang-rt-14-dev)
full_packages=("${fuzz_packages[@]}" clang-tidy clang-format)

missing_packages() {
  local name
  for name in "$@"; do
    dpkg-query -W -f='${Status}' "$name" 2>/dev/null | grep -q 'install ok installed' || printf '%s\n' "$name"
  done
}

install_missing() {
  local missing
  mapfile -t missing < <(missing_packages "$@")
  [ "${#missing[@]}" -eq 0 ] && return 0
  local as_root=()
  if [ "$(id -u)" -ne 0 ]; then
    if ! command -v sudo >/dev/null; then
      printf 'These packages are missing and this user may not install them:\n  %s\nAs root: apt-get install %s\n' \
        "${missing[*]}" "${missing[*]}" >&2
      return 1
    fi
    as_root=(sudo)
  fi
  printf 'installing: %s\n' "${missing[*]}"
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get update -qq || return 1
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" \
    >/dev/null || return 1
}

# The same, but what is installed is not started: a laboratory runs its own daemons. As root.
install_without_services() {
  [ -z "$(missing_packages "$@")" ] && return 0
  local policy=/usr/sbin/policy-rc.d made=no done=0
  if [ "$(id -u)" -eq 0 ] && [ ! -e "$policy" ]; then
    printf '#!/bin/sh\nexit 101\n' >"$policy" && chmod 755 "$policy" && made=yes
  fi
  install_missing "$@" || done=$?
  [ "$made" = no ] || rm -f "$policy"
  return "$done"
}

# The compiler cache then serves every build folder and every clone of this machine.
export CCACHE_BASEDIR=$PWD CCACHE_NOHASHDIR=1
export CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime
