#include "adapters/local/isolation.hpp"

#include "adapters/local/attempt_files.hpp"
#include "adapters/local/processes.hpp"

#include <unistd.h>

namespace westerly {
namespace {

constexpr const char* unsafe_hint =
    "or say \"isolation\": \"unsafe_same_user\" in the provider file if every tenant "
    "may be trusted with the broker's own files";

/// Empty, or why a sandbox could not be made.
std::string try_sandbox(const task_plan& plan, const std::filesystem::path& shim) {
    const std::filesystem::path attempt = plan.attempt_dir;
    std::error_code code;
    std::filesystem::remove_all(attempt, code);
    if (auto made = make_attempt_files(plan); !made)
        return made.error().detail;
    const auto tried = run_program({shim.string(), "try", attempt.string()});
    std::filesystem::remove_all(attempt, code);
    return tried.exit_code == 0 ? std::string() : tried.output.empty() ? "the shim failed" : tried.output;
}

std::string find_bwrap() {
    for (const char* place : {"/usr/bin/bwrap", "/bin/bwrap", "/usr/local/bin/bwrap"})
        if (::access(place, X_OK) == 0)
            return place;
    return {};
}

}  // namespace

isolation_found find_isolation(isolation_choice wanted, const std::filesystem::path& shim,
                               const std::filesystem::path& scratch, std::uint32_t uid) {
    const bool root = ::geteuid() == 0;
    if (wanted == isolation_choice::unsafe_same_user)
        return {};
    if (wanted == isolation_choice::uid && !root)
        return {isolation_kind::uid,
                {},
                std::string("isolation by uid needs an adapter that runs as root; use bubblewrap ") + unsafe_hint};
    if (wanted == isolation_choice::bubblewrap && root)
        return {isolation_kind::bubblewrap,
                {},
                "isolation by bubblewrap is for an adapter that is not root; as root use "
                "\"uid\", which gives private mounts and processes too"};
    isolation_found found{root ? isolation_kind::uid : isolation_kind::bubblewrap, root ? "" : find_bwrap(), {}};
    if (!root && found.bwrap.empty()) {
        found.problem =
            std::string("tasks cannot be isolated: install bubblewrap, or run the broker as root, ") + unsafe_hint;
        return found;
    }
    task_plan plan;
    plan.isolation = found.kind;
    plan.uid = uid;
    plan.attempt_dir = scratch / "try";
    plan.checkpoint_dir = scratch / "try" / "checkpoint";
    plan.shim = shim;
    plan.bwrap = found.bwrap;
    plan.command = {"true"};
    plan.memory_mib = 64;
    if (const auto why = try_sandbox(plan, shim); !why.empty())
        found.problem = "tasks cannot be isolated here (" + why + "): " +
                        (root ? "let the broker create mount and process namespaces (CAP_SYS_ADMIN), "
                              : "allow unprivileged user namespaces, ") +
                        unsafe_hint;
    return found;
}

}  // namespace westerly
