#include "adapters/slurm/slurm_adapter.hpp"

#include "broker/support/log.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <set>

namespace westerly {
namespace {

constexpr std::size_t page_items = 256;
constexpr std::int64_t purge_every_s = 600;
constexpr seconds listing_kept{60};   // from its first page to its last
constexpr int failures_in_a_row = 2;  // a dead controller takes up to 18 s to say nothing

std::int64_t now_s() {
    return std::chrono::floor<seconds>(system_wall_clock().now().time_since_epoch()).count();
}

bool looks_like_token(std::string_view name) {
    return name.size() == 33 && name[0] == 'w' &&
           std::ranges::all_of(name.substr(1), [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

}  // namespace

verb_result<initialize_reply> slurm_adapter::initialize(const initialize_request& request, notifier& /*tell*/) {
    auto config = decode_slurm_config(request.config_json, request.sites);
    if (!config)
        return invalid_because(config.error());
    if (auto opened = book_.open(request.state_dir); !opened)
        return failed(adapter_error::unavailable, opened.error().detail);
    owner_ = request.owner;
    provider_ = request.provider;
    config_ = std::move(*config);
    client_ = std::make_unique<slurm_client>(config_);
    shared_ = std::make_unique<shared_folder>(config_, request.provider + '-' + request.owner);
    if (const auto problem = shared_->problem(); !problem.empty())
        log_event(log_level::error, "slurm.no_shared_directory", {{"detail", problem}});

    initialize_reply reply;
    reply.kind = "slurm";
    reply.adapter_version = WESTERLY_VERSION;
    reply.idempotency = idempotency_class::tag_and_find;
    reply.max_visibility_delay_s = config_.max_visibility_delay_s;
    reply.capabilities = {"put", "fetch", "logs", "gang", "walltime"};
    return reply;
}

result<void> slurm_adapter::refresh_supply() {
    const auto partitions = client_->partitions();
    if (!partitions)
        return partitions.error();
    const auto nodes = client_->nodes();
    if (!nodes)
        return nodes.error();
    // What waits in Slurm's queue takes nothing from `units_free` yet, so only what runs is told as ours.
    std::map<std::string, std::uint64_t> ours;
    for (const auto& entry : book_.all()) {
        const std::unique_lock hold(entry->work, std::try_to_lock);
        if (hold.owns_lock() && entry->record.running && !entry->record.last)
            ours[entry->record.site + '/' + entry->record.offer] += entry->record.units;
    }
    auto fresh = supply_of(config_, *nodes, *partitions, ours);
    const std::lock_guard hold(supply_lock_);
    supply_ = std::move(fresh);
    return {};
}

std::optional<supply_item> slurm_adapter::supply_for(const std::string& site, const std::string& offer) {
    const auto look = [&]() -> std::optional<supply_item> {
        const std::lock_guard hold(supply_lock_);
        for (const auto& item : supply_)
            if (item.shown.site == site && item.shown.name == offer)
                return item;
        return std::nullopt;
    };
    if (auto known = look())
        return known;
    return refresh_supply() ? look() : std::nullopt;
}

verb_result<offers_reply> slurm_adapter::offers(const offers_params& params, const call_state&) {
    purge();
    if (params.cursor.empty())
        if (auto fresh = refresh_supply(); !fresh)
            return failed(adapter_error::unavailable, fresh.error().detail);
    offers_reply reply;
    reply.as_of = system_wall_clock().now();
    const std::lock_guard hold(supply_lock_);
    for (const auto& item : supply_) {
        const auto key = item.shown.site + '/' + item.shown.name;
        if (key <= params.cursor)
            continue;
        if (reply.offers.size() == page_items) {
            reply.next_cursor = reply.offers.back().site + '/' + reply.offers.back().name;
            break;
        }
        reply.offers.push_back(item.shown);
    }
    return reply;
}

verb_result<observation> slurm_adapter::find(const token_params& params, const call_state&) {
    // Without a record nothing was submitted from this state directory; a job of an earlier one shows in the list.
    const auto entry = book_.at(params.token);
    const std::lock_guard hold(entry->work);
    auto seen = observe(*entry);
    if (!entry->saved) {
        book_.forget(entry);
    } else if (entry->record.intended_at == instant{}) {
        // Taken over just now, and the broker means it: it may run.
        entry->record.intended_at = system_wall_clock().now();
        seen = observe(*entry);
    }
    return seen ? verb_result<observation>(std::move(*seen))
                : verb_result<observation>(failed(adapter_error::unavailable, "Slurm does not tell now"));
}

verb_result<std::vector<observation>> slurm_adapter::get(const tokens_params& params, const call_state& call) {
    std::vector<observation> out;
    int failures = 0;
    for (const auto& token : params.tokens) {
        if (call.cancelled() || failures == failures_in_a_row)
            break;
        const auto entry = book_.find(token);
        if (!entry)
            continue;
        const std::lock_guard hold(entry->work);
        auto seen = observe(*entry);
        failures = seen ? 0 : failures + 1;
        if (seen)
            out.push_back(std::move(*seen));
    }
    return out;
}

std::shared_ptr<const slurm_adapter::job_map> slurm_adapter::jobs_of_ours(bool first_page) {
    const std::lock_guard hold(listing_lock_);
    const auto now = system_wall_clock().now();
    if (!first_page && listing_ && now < listed_at_ + listing_kept)
        return listing_;
    auto jobs = client_->jobs();
    if (!jobs)
        return nullptr;
    auto fresh = std::make_shared<job_map>();
    for (auto& job : *jobs)
        if (is_ours(job))
            fresh->emplace(job.id, std::move(job));
    listing_ = std::move(fresh);
    listed_at_ = now;
    return listing_;
}

/// Records what carries our mark and no record knows, and ends what must not be there.
void slurm_adapter::take_over(const job_map& jobs) {
    for (const auto& [id, job] : jobs) {
        const auto entry = book_.at(job.name);
        const std::lock_guard hold(entry->work);
        if (entry->record.job_id == 0 && !entry->record.last)
            adopt(*entry, job);
        else if ((entry->record.job_id != id || entry->record.last) && !is_end(meaning_of(job)))
            // A second job of one launch, whose submit was believed lost; it never runs, see batch_script. Or one whose
            // end the controller has forgotten after it was seen here.
            if (const auto ended = client_->kill(id); ended)
                log_event(log_level::warning, "slurm.stray_job_ended",
                          {{"token", job.name}, {"job", static_cast<std::int64_t>(id)}});
    }
}

verb_result<listing> slurm_adapter::list(const list_params& params, const call_state& call) {
    listing page;
    page.as_of = system_wall_clock().now();
    if (params.owner != owner_)
        return page;  // another installation's jobs are not told, and so this is not complete
    const auto jobs = jobs_of_ours(params.cursor.empty());
    if (!jobs)
        return page;  // nothing, and not complete
    page.complete = true;
    if (params.cursor.empty())
        take_over(*jobs);
    for (const auto& entry : book_.all()) {
        if (entry->record.token <= params.cursor)
            continue;
        if (page.items.size() == page_items) {
            page.next_cursor = page.items.back().token;
            break;
        }
        if (call.cancelled())
            return failed(adapter_error::unavailable, "cancelled");
        const std::lock_guard hold(entry->work);
        const auto known = jobs->find(entry->record.job_id);
        auto seen = observe(*entry, known == jobs->end() ? nullptr : &known->second);
        page.complete = page.complete && seen.has_value();
        if (seen && seen->at != observation::phase::absent)
            page.items.push_back(std::move(*seen));
    }
    return page;
}

verb_result<probe_reply> slurm_adapter::probe(const call_state&) {
    if (const auto version = client_->version(); !version)
        return probe_reply{false, version.error().detail};
    if (const auto alive = client_->ping(); !alive)
        return probe_reply{false, alive.error().detail};
    if (const auto fresh = refresh_supply(); !fresh)
        return probe_reply{false, fresh.error().detail};
    if (const auto problem = shared_->problem(); !problem.empty())
        return probe_reply{false, problem};
    const std::lock_guard hold(supply_lock_);
    for (const auto& how : config_.partitions)
        if (std::ranges::none_of(supply_, [&](const supply_item& item) { return item.partition == how.partition; }))
            return probe_reply{false, "partition " + how.partition + " has nothing to offer; see sinfo"};
    return probe_reply{!supply_.empty(), supply_.empty() ? "no partition has nodes" : ""};
}

void slurm_adapter::purge() {
    auto last = purged_s_.load();
    if (now_s() - last < purge_every_s || !purged_s_.compare_exchange_strong(last, now_s()))
        return;
    const auto limit = system_wall_clock().now() - seconds(config_.retention_s);
    std::set<std::string> workloads;
    for (const auto& entry : book_.all()) {
        const std::lock_guard hold(entry->work);
        const auto& last_seen = entry->record.last;
        const auto ended_at = last_seen ? last_seen->ended_at.value_or(entry->record.intended_at) : instant::max();
        if (ended_at < limit) {
            shared_->remove(entry->record.token);
            book_.forget(entry);
        } else {
            workloads.insert(entry->record.workload);
        }
    }
    shared_->remove_old([&](const std::string& workload) { return workloads.contains(workload); });
}

bool slurm_adapter::is_ours(const slurm_job& job) const {
    return job.user == config_.user && looks_like_token(job.name) && comment_is_of(job.comment, owner_, provider_);
}

bool slurm_adapter::is_the_job(const job_entry& entry, const slurm_job& job) const {
    const auto& record = entry.record;
    return is_ours(job) && job.id == record.job_id && job.name == record.token &&
           (record.cluster.empty() || job.cluster == record.cluster);
}

void slurm_adapter::adopt(job_entry& entry, const slurm_job& job) {
    auto& record = entry.record;
    record.job_id = job.id;
    record.cluster = job.cluster;
    if (record.workload.empty())
        record.workload = comment_field(job.comment, "workload");
    record.tasks = std::max(record.tasks, job.tasks);
    if (auto saved = book_.save(entry); !saved)
        log_event(log_level::error, "slurm.record_not_saved", {{"detail", saved.error().detail}});
    log_event(log_level::info, "slurm.job_adopted",
              {{"token", record.token}, {"job", static_cast<std::int64_t>(job.id)}});
}

std::string slurm_adapter::handle_of(const job_record& record) const {
    return record.job_id == 0 ? std::string() : record.cluster + '/' + std::to_string(record.job_id);
}

}  // namespace westerly
