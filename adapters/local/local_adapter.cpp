#include "adapters/local/local_adapter.hpp"

#include "adapters/local/attempt_record.hpp"
#include "adapters/local/processes.hpp"
#include "adapters/local/records/task_files.hpp"
#include "broker/support/files.hpp"
#include "broker/support/log.hpp"

#include <fcntl.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>

namespace westerly {
namespace {

constexpr const char* offer_name = "cores";
constexpr std::size_t page_items = 256;
constexpr std::size_t launch_bytes_max = 1 << 20;

std::string this_architecture() {
    utsname names{};
    ::uname(&names);
    const std::string machine = names.machine;
    return machine == "aarch64" ? "arm64" : machine;
}

/// Ids become names of folders.
bool is_plain_id(std::string_view id) {
    return !id.empty() && id.size() <= 63 && std::ranges::all_of(id, [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
    });
}

/// Units that a gang takes: each task is rounded up in every dimension that a unit has.
std::uint64_t units_needed(const launch_request& request, const local_site& site) {
    const auto parts = [](std::uint64_t need, std::uint64_t unit) {
        return unit == 0 ? 0 : (need + unit - 1) / unit;
    };
    const std::uint64_t each =
        std::max({std::uint64_t{request.vcpus}, parts(request.memory_mib, site.unit_memory_mib()),
                  parts(request.disk_mib, site.unit_disk_mib()), std::uint64_t{1}});
    return each * request.tasks;
}

/// When the attempt of this token was made, if the token tells: its id is a UUIDv7.
std::optional<instant> made_at(const std::string& token) {
    if (token.size() != 33 || token[13] != '7')
        return std::nullopt;
    std::uint64_t ms = 0;
    std::from_chars(token.data() + 1, token.data() + 13, ms, 16);
    return instant(milliseconds(static_cast<std::int64_t>(ms)));
}

std::uint64_t uptime_ms() {
    timespec t{};
    ::clock_gettime(CLOCK_BOOTTIME, &t);
    return static_cast<std::uint64_t>(t.tv_sec) * 1000 + static_cast<std::uint64_t>(t.tv_nsec) / 1'000'000;
}

std::uint16_t port_of(const task_plan& plan) {
    constexpr std::string_view name = "WESTERLY_MASTER_PORT=";
    std::uint16_t port = 0;
    for (const auto& variable : plan.env)
        if (variable.starts_with(name))
            std::from_chars(variable.data() + name.size(), variable.data() + variable.size(), port);
    return port;
}

rpc_failure no_such_attempt(const std::string& token) {
    return failed(adapter_error::not_found, "no attempt " + token + " is here");
}

}  // namespace

local_adapter::local_adapter() : architecture_(this_architecture()), launcher_(state_, book_) {}

verb_result<initialize_reply> local_adapter::initialize(const initialize_request& request, notifier& tell) {
    auto config = decode_local_config(request.config_json, request.sites);
    if (!config)
        return invalid_because(config.error());
    if (auto opened = state_.open(request.state_dir); !opened)
        return failed(adapter_error::unavailable, opened.error().detail);
    owner_ = request.owner;
    config_ = std::move(*config);
    tell_ = &tell;
    book_.configure(config_.sites);
    find_out_isolation();
    if (auto restored = restore(); !restored)
        return failed(adapter_error::unavailable, restored.error().detail);
    // Read and write, so that it never ends when the last shim closes it.
    events_ = ::open(state_.events().c_str(), O_RDWR | O_NONBLOCK | O_CLOEXEC);
    if (events_ < 0)
        return failed(adapter_error::unavailable, "the FIFO for events cannot be opened");
    // It ends with the process: see serve_and_exit.
    std::thread([this] { watch(); }).detach();
    rtts_.begin(config_.probes, seconds(config_.probe_every_s), [this] { offers_stale_ = true; });

    initialize_reply reply;
    reply.kind = "local";
    reply.adapter_version = WESTERLY_VERSION;
    reply.idempotency = idempotency_class::native_token;
    reply.capabilities = {"put", "fetch", "logs", "gang", "walltime"};
    return reply;
}

void local_adapter::find_out_isolation() {
    const auto uid_base = config_.uid_base.value_or(state_.uid_base());
    auto found = find_isolation(config_.isolation, shim_path(), state_.making(), uid_base);
    if (!found.problem.empty())
        log_event(log_level::error, "local.no_isolation", {{"detail", found.problem}});
    launcher_.configure(std::move(found), uid_base);
}

/// What the disk tells of earlier lives of this adapter.
result<void> local_adapter::restore() {
    std::error_code code;
    for (const auto& folder : std::filesystem::directory_iterator(state_.attempts(), code)) {
        const auto text = read_file(folder.path() / task_file::spec, launch_bytes_max);
        const auto document = text ? parse_json(*text, launch_bytes_max) : result<rapidjson::Document>(text.error());
        const auto spec = document ? decode_launch_request(*document) : result<launch_request>(document.error());
        const auto packed = read_file(folder.path() / task_file::plan, plan_bytes_max);
        const auto plan = packed ? unpack_plan(*packed) : result<task_plan>(packed.error());
        if (!spec || !plan) {
            log_event(log_level::error, "local.attempt_damaged", {{"folder", folder.path().string()}});
            continue;
        }
        auto entry = std::make_shared<attempt_entry>();
        entry->token = spec->token;
        entry->owner = spec->owner;
        entry->site = spec->site;
        entry->workload = spec->workload;
        entry->tasks = spec->tasks;
        const auto* site = book_.site(spec->site);
        entry->units = site ? std::max(spec->units, units_needed(*spec, *site)) : spec->units;
        entry->uid = plan->isolation == isolation_kind::uid ? plan->uid : 0;
        entry->port = port_of(*plan);
        const auto seen = read_attempt(folder.path(), entry->token, entry->tasks);
        entry->ended = seen.at == observation::phase::exited || seen.at == observation::phase::absent;
        entry->ended_at = seen.ended_at.value_or(system_wall_clock().now());
        entry->told = seen.at;
        book_.restore(entry);
    }
    return code ? result<void>(fail(errc::storage_failed, "the attempts cannot be read: " + code.message()))
                : result<void>();
}

verb_result<offers_reply> local_adapter::offers(const offers_params&, const call_state&) {
    offers_reply reply;
    reply.as_of = system_wall_clock().now();
    const auto rtts = rtts_.known();  // of this machine, so of all its sites
    for (const auto& use : book_.use()) {
        adapter_offer item;
        item.site = use.site.site;
        item.name = offer_name;
        item.shape.unit = offer_unit::core;
        item.shape.divisible = true;
        item.shape.launchable = launcher_.isolation().problem.empty();
        item.shape.vcpus = 1;
        item.shape.memory_mib = use.site.unit_memory_mib();
        item.shape.disk_mib = use.site.unit_disk_mib();
        item.shape.architecture = architecture_;
        item.shape.units_free = use.units_free;
        item.shape.units_ours = use.units_held;
        item.shape.idle_w = use.site.idle_w;
        item.shape.max_w = use.site.max_w;
        for (const auto& seen : rtts)
            reply.rtt_measured.push_back({item.site, seen});
        reply.offers.push_back(std::move(item));
    }
    reply.warnings = rtts_.troubles();
    return reply;
}

std::optional<rpc_failure> local_adapter::refusal_of(const launch_request& request) const {
    if (request.owner != owner_)
        return failed(adapter_error::invalid, "the owner mark is not the one of initialize");
    if (const auto problem = launcher_.isolation().problem; !problem.empty())
        return failed(adapter_error::invalid, problem);
    if (request.run.stack != "none")
        return failed(adapter_error::invalid, "only the stack \"none\" runs here: plain processes");
    if (book_.site(request.site) == nullptr || request.offer != offer_name)
        return failed(adapter_error::invalid, "no offer \"" + request.offer + "\" at site \"" + request.site + '"');
    if (!is_plain_id(request.workload) || !is_plain_id(request.attempt))
        return failed(adapter_error::invalid, "the ids of workload and attempt must be plain");
    // What an attempt of that age left behind may be purged already, so it cannot be known that it never ran.
    const auto made = made_at(request.token);
    const auto limit = system_wall_clock().now() - seconds(config_.retention_s);
    if (made && *made < limit && *made >= state_.born_at())
        return failed(adapter_error::invalid, "the token is older than the retention of ended attempts");
    return std::nullopt;
}

verb_result<mutation_reply> local_adapter::launch(const launch_request& request, const call_state&) {
    if (const auto entry = book_.find(request.token))
        return launch_again(entry, request);
    if (auto refused = refusal_of(request))
        return *refused;
    auto fresh = std::make_shared<attempt_entry>();
    fresh->token = request.token;
    fresh->owner = request.owner;
    fresh->site = request.site;
    fresh->workload = request.workload;
    fresh->tasks = request.tasks;
    fresh->units = std::max(request.units, units_needed(request, *book_.site(request.site)));
    auto claim = book_.take(fresh);
    if (!claim.entry)
        return failed(adapter_error::no_capacity, claim.no_room);
    if (!claim.made)
        return launch_again(claim.entry, request);
    const std::unique_lock hold(fresh->work, std::adopt_lock);
    if (const auto made = launcher_.create(request, *fresh); !made) {
        book_.end(fresh, system_wall_clock().now());
        book_.forget(fresh);
        const bool bad = made.error().code == errc::invalid;
        mutation_reply reply;
        reply.outcome = call_outcome::not_done;
        reply.why = bad ? adapter_error::invalid : adapter_error::unavailable;
        reply.message = made.error().detail;
        return reply;
    }
    return reply_after(fresh, launcher_.drive(*fresh));
}

/// One token is one attempt, however often we are called.
verb_result<mutation_reply> local_adapter::launch_again(const entry_ptr& entry, const launch_request& request) {
    const std::lock_guard hold(entry->work);
    const auto attempt = state_.attempt(entry->token);
    std::error_code code;
    if (!std::filesystem::exists(attempt, code))
        return failed(adapter_error::unavailable, "an earlier launch of this token failed just now");
    std::uint64_t fence = 0;
    const auto text = read_small(attempt / task_file::fence).value_or("");
    std::from_chars(text.data(), text.data() + text.size(), fence);
    if (request.fence < fence)
        return failed(adapter_error::unauthorised, "fence " + std::to_string(request.fence) + " is older than " + text);
    if (request.fence > fence)
        if (auto raised = write_file_atomically(attempt / task_file::fence, std::to_string(request.fence), 0600);
            !raised)
            return failed(adapter_error::unavailable, raised.error().detail);
    return reply_after(entry, launcher_.drive(*entry));
}

mutation_reply local_adapter::reply_after(const entry_ptr& entry, const std::string& why_not) {
    settle(entry);
    mutation_reply reply;
    reply.handle = entry->token;
    reply.outcome = call_outcome::done;
    if (why_not.empty())
        return reply;
    const auto seen = look(*entry);
    reply.outcome = seen.at == observation::phase::absent ? call_outcome::not_done : call_outcome::unknown;
    reply.why = adapter_error::unavailable;
    reply.message = why_not;
    return reply;
}

/// `seq` rises per token, over restarts and reboots too, without being stored: first by how far the attempt has come,
/// then by the count of boots, then by the time since boot. Equal ones tell the same.
observation local_adapter::stamped(observation seen) const {
    constexpr std::uint64_t boot_bits = 12;
    constexpr std::uint64_t time_bits = 38;
    const auto rank = static_cast<std::uint64_t>(seen.at);
    const auto boot = std::min<std::uint64_t>(state_.boots(), (1u << boot_bits) - 1);
    const auto time = std::min<std::uint64_t>(uptime_ms(), (std::uint64_t{1} << time_bits) - 1);
    seen.seq = (rank << (boot_bits + time_bits)) | (boot << time_bits) | time;
    return seen;
}

observation local_adapter::look(const attempt_entry& entry) const {
    return stamped(read_attempt(state_.attempt(entry.token), entry.token, entry.tasks));
}

/// What the broker is told when it asks. An end that nobody has noticed yet is settled first, so that whoever hears of
/// it finds the capacity free.
observation local_adapter::observe(const std::string& token) {
    const auto entry = book_.find(token);
    observation seen;
    seen.token = token;
    seen.at = observation::phase::absent;
    if (!entry)
        return stamped(seen);
    seen = look(*entry);
    // Being made just now: its folder is not there yet, but will be.
    if (seen.at == observation::phase::absent && seen.message.empty() && book_.find(token) == entry)
        seen.at = observation::phase::pending;
    if (seen.at == observation::phase::exited && entry->told != seen.at) {
        const std::lock_guard hold(entry->work);
        settle(entry);
        seen = look(*entry);
    }
    return stamped(seen);
}

verb_result<observation> local_adapter::find(const token_params& params, const call_state&) {
    return observe(params.token);
}

verb_result<std::vector<observation>> local_adapter::get(const tokens_params& params, const call_state&) {
    std::vector<observation> out;
    for (const auto& token : params.tokens)
        out.push_back(observe(token));
    return out;
}

verb_result<mutation_reply> local_adapter::cancel(const token_params& params, const call_state&) {
    const auto entry = book_.find(params.token);
    if (!entry || entry->owner != owner_)
        return no_such_attempt(params.token);
    const std::lock_guard hold(entry->work);
    const auto attempt = state_.attempt(entry->token);
    mutation_reply reply;
    reply.outcome = call_outcome::done;
    reply.handle = entry->token;
    settle(entry);
    const auto seen = look(*entry);
    if (seen.at == observation::phase::exited || seen.at == observation::phase::absent)
        return reply;
    const auto asked = write_file_atomically(attempt / task_file::cancel, std::to_string(params.grace_s), 0600);
    if (!asked)
        return failed(adapter_error::unavailable, asked.error().detail);
    wake_shims(attempt, entry->tasks);
    return reply;
}

verb_result<listing> local_adapter::list(const list_params& params, const call_state&) {
    listing page;
    page.as_of = system_wall_clock().now();
    bool more = false;
    const auto entries = book_.page(params.owner, params.cursor, page_items, more);
    for (const auto& entry : entries) {
        auto seen = observe(entry->token);
        if (seen.at != observation::phase::absent)
            page.items.push_back(std::move(seen));
    }
    page.complete = true;
    if (more)
        page.next_cursor = entries.back()->token;
    return page;
}

verb_result<probe_reply> local_adapter::probe(const call_state&) {
    if (::access(shim_path().c_str(), X_OK) != 0)
        return probe_reply{false, "westerly-local-shim is not beside the adapter; install it there"};
    // It may have been the machine's state and not its kind: a full disk.
    const std::lock_guard one_at_a_time(trial_lock_);
    if (!launcher_.isolation().problem.empty())
        find_out_isolation();
    const auto problem = launcher_.isolation().problem;
    return probe_reply{problem.empty(), problem};
}

}  // namespace westerly
