#include "adapters/local/launcher.hpp"

#include "adapters/local/attempt_files.hpp"
#include "adapters/local/attempt_record.hpp"
#include "adapters/local/processes.hpp"
#include "adapters/local/records/task_files.hpp"
#include "broker/codec/protocol_json.hpp"
#include "broker/support/files.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>

namespace westerly {
namespace {

namespace fs = std::filesystem;

constexpr std::chrono::seconds ready_wait_max{120};  // unpacking files included
constexpr milliseconds ready_pause{100};             // a lost wake costs at most this
constexpr std::size_t starting_max = 64;             // shims on their way into the background at once
constexpr std::uint64_t log_bytes_max = 1ull << 30;
constexpr std::uint64_t processes_per_task = 4096;
constexpr int port_tries_max = 64;

std::uint16_t free_port() {
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof at;
    const bool good = fd >= 0 && ::bind(fd, reinterpret_cast<sockaddr*>(&at), size) == 0 &&
                      ::getsockname(fd, reinterpret_cast<sockaddr*>(&at), &size) == 0;
    if (fd >= 0)
        ::close(fd);
    return good ? ntohs(at.sin_port) : 0;
}

bool is_ours(const std::string& variable) {
    return variable.starts_with("WESTERLY_");
}

}  // namespace

void launcher::configure(isolation_found isolation, std::uint32_t uid_base) {
    const std::lock_guard hold(isolation_lock_);
    isolation_ = std::move(isolation);
    uid_base_ = uid_base;
}

isolation_found launcher::isolation() const {
    const std::lock_guard hold(isolation_lock_);
    return isolation_;
}

std::pair<isolation_kind, std::uint32_t> launcher::users() const {
    const std::lock_guard hold(isolation_lock_);
    return {isolation_.kind, uid_base_};
}

task_plan launcher::plan_for(const launch_request& request, const attempt_entry& entry) const {
    const auto isolation = this->isolation();
    task_plan plan;
    plan.isolation = isolation.kind;
    plan.uid = entry.uid;
    plan.token = request.token;
    plan.attempt_dir = state_.attempt(request.token);
    plan.checkpoint_dir = state_.checkpoints(request.workload);
    plan.events = state_.events();
    plan.shim = shim_path();
    plan.bwrap = isolation.bwrap;
    plan.command = request.run.command;
    for (const auto& [name, value] : request.run.env)
        if (!is_ours(name))
            plan.env.push_back(name + '=' + value);
    plan.env.push_back("WESTERLY_WORKLOAD=" + request.workload);
    plan.env.push_back("WESTERLY_ATTEMPT=" + request.attempt);
    plan.env.push_back("WESTERLY_TASKS=" + std::to_string(request.tasks));
    plan.env.push_back("WESTERLY_MASTER_ADDR=127.0.0.1");
    plan.env.push_back("WESTERLY_MASTER_PORT=" + std::to_string(entry.port));
    plan.tasks = request.tasks;
    plan.memory_mib = request.memory_mib;
    plan.disk_mib = request.disk_mib;
    plan.processes_max = processes_per_task * request.tasks;
    plan.log_bytes_max = log_bytes_max;
    plan.max_runtime_s = request.max_runtime_s;
    plan.grace_s = request.grace_s;
    plan.bundle = request.has_files;
    return plan;
}

result<void> launcher::create(const launch_request& request, attempt_entry& entry) {
    const auto [kind, uid_base] = users();
    if (kind == isolation_kind::uid && !book_.claim_uid(entry, uid_base, uid_count, uid_in_use))
        return fail(errc::overloaded, "no user id is free");
    int tries = 0;
    while (!book_.claim_port(entry, free_port()))
        if (++tries == port_tries_max)
            return fail(errc::overloaded, "no port is free");
    const auto making = state_.making(request.token);
    const auto plan = plan_for(request, entry);
    std::error_code code;
    fs::remove_all(making, code);
    auto made = make_attempt_files(plan, making);
    if (made)
        made = write_new_file(making / task_file::spec, encode(request));
    if (made)
        made = write_new_file(making / task_file::fence, std::to_string(request.fence));
    if (made && request.has_files &&
        ::link(state_.staged(request.token).c_str(), (making / task_file::bundle).c_str()) != 0)
        made = fail(errc::invalid, "the files of this workload were not put before the launch");
    if (made)
        made = sync_folder(making);
    if (made && ::rename(making.c_str(), state_.attempt(request.token).c_str()) != 0)
        made = fail(errc::storage_failed, std::string("the attempt cannot be made: ") + std::strerror(errno));
    if (made)
        made = sync_folder(state_.attempts());
    if (!made) {  // nothing of it has started, so nothing of it may stay
        fs::remove_all(making, code);
        fs::remove_all(state_.attempt(request.token), code);
        return made;
    }
    fs::remove(state_.staged(request.token), code);
    return {};
}

std::string launcher::drive(const attempt_entry& entry) {
    const auto attempt = state_.attempt(entry.token);
    const auto given = read_small(attempt / task_file::verdict);
    if (const auto verdict = given ? parse_verdict(*given) : std::nullopt)
        return verdict->go ? std::string() : verdict->reason;
    std::string why;
    if (::access((attempt / task_file::cancel).c_str(), F_OK) == 0)
        why = "cancelled before it began";
    if (why.empty())
        why = start_shims(entry);
    if (why.empty())
        why = wait_until_ready(entry);
    const launch_verdict verdict{why.empty(), system_wall_clock().now(), boot_id(), why, time_since_boot_ms()};
    const auto written = write_file_atomically(attempt / task_file::verdict, format_verdict(verdict), 0600);
    wake_shims(attempt, entry.tasks);
    // Without a durable verdict nothing starts, and the attempt waits for whoever comes next.
    return written ? why : written.error().detail;
}

std::string launcher::start_shims(const attempt_entry& entry) {
    const auto attempt = state_.attempt(entry.token);
    const auto shim = shim_path().string();
    std::vector<pid_t> starting;
    std::string why;
    const auto finish = [&] {
        for (const pid_t pid : starting)
            if (wait_for(pid) != 0 && why.empty())
                why = "a shim did not start";
        starting.clear();
    };
    for (std::uint32_t rank = 0; rank < entry.tasks && why.empty(); ++rank) {
        const auto task = task_dir(attempt, rank);
        if (task_locked(task))
            continue;  // started before the adapter was last ended
        std::error_code code;
        fs::remove(task / task_file::pid, code);
        fs::remove(task / task_file::failure, code);
        const pid_t pid = start_program({shim, "run", attempt.string(), std::to_string(rank)});
        if (pid < 0)
            why = std::string("a shim cannot be started: ") + std::strerror(errno);
        else
            starting.push_back(pid);
        if (starting.size() == starting_max)
            finish();
    }
    finish();
    return why;
}

std::string launcher::wait_until_ready(const attempt_entry& entry) {
    const auto attempt = state_.attempt(entry.token);
    const auto until = std::chrono::steady_clock::now() + ready_wait_max;
    for (std::uint32_t rank = 0; rank < entry.tasks;) {
        const auto heard = pokes_.load();
        const auto task = task_dir(attempt, rank);
        const bool alive = task_locked(task);
        std::error_code code;
        if (alive && fs::exists(task / task_file::pid, code)) {
            ++rank;
            continue;
        }
        if (!alive) {
            const auto failure = read_small(task / task_file::failure);
            return failure.value_or("the shim of task " + std::to_string(rank) + " died before the start");
        }
        if (std::chrono::steady_clock::now() >= until)
            return "task " + std::to_string(rank) + " did not become ready in time";
        std::unique_lock hold(ready_lock_);
        ready_changed_.wait_for(hold, ready_pause, [&] { return pokes_ != heard; });
    }
    return {};
}

void launcher::poke() {
    {
        const std::lock_guard hold(ready_lock_);
        ++pokes_;
    }
    ready_changed_.notify_all();
}

}  // namespace westerly
