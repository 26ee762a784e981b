#include "tests/bench/filled_store.hpp"

#include "broker/codec/workload_json.hpp"
#include "broker/runtime/home.hpp"
#include "broker/store/store.hpp"
#include "broker/support/random.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <stdexcept>

namespace westerly {

namespace {

constexpr std::size_t group_size = 1'000;
constexpr std::size_t tenants = 4;
constexpr std::size_t ranked = 5;
constexpr const char* database = "westerly.db";
constexpr seconds ran{3'600};

constexpr std::string_view spec_json =
    R"({"kind":"batch","name":"stored","policy":"balanced","resources":{"vcpus":2,"memory_mib":2048},)"
    R"("variants":[{"command":["python3","train.py","--epochs","12"],"env":{"SEED":"7"}}],"work":{"runtime_s":3600},)"
    R"("constraints":{"jurisdictions":["CN"],"max_pue":1.55,"min_green_power_share":0.2}})";

/// What a verb gives, or the end of this program.
template <class T>
T sure(result<T> given) {
    if (!given)
        throw std::runtime_error(given.error().detail);
    return std::move(*given);
}
void sure(const result<void>& done) {
    if (!done)
        throw std::runtime_error(done.error().detail);
}

class filling {
public:
    explicit filling(const std::filesystem::path& file)
        : store_(sure(open_sqlite_store({.file = file, .machine_id = read_machine_id()}))),
          now_(system_wall_clock().now() - std::chrono::hours(1)),
          state_(sure(store_->load(now_))),
          spec_(std::make_shared<const workload_spec>(sure(decode_workload(spec_json)))),
          spec_text_(std::make_shared<const std::string>(encode_workload_spec(*spec_))) {
        for (std::size_t i = 0; i < tenants; ++i) {
            tenants_.push_back(tenant_id::make(now_, random_));
            group_.tenants.push_back({tenants_.back(), "stored-" + std::to_string(i), now_});
        }
    }

    void add(std::size_t number, bool lives) {
        now_ += milliseconds(1);  // ids follow time
        workload w;
        w.id = workload_id::make(now_, random_);
        w.tenant = tenants_[number % tenants];
        w.spec = spec_;
        w.spec_text = spec_text_;
        w.created_at = w.updated_at = now_ - ran - seconds(60);
        w.state = lives ? workload_state::launching : workload_state::succeeded;
        w.attempts = w.attempts_counted = 1;
        const decision made = choose(w);
        const attempt a = run(w, made, number, lives);
        w.current = a.id;
        w.last_decision = made.id;
        for (const char* type : {"workload.queued", "workload.launching", "attempt.submitting", "attempt.pending"})
            tell(w, a.id, type);
        if (!lives) {
            w.started_at = a.started_at;
            w.ended_at = a.ended_at;
            w.exit_code = 0;
            tell(w, a.id, "attempt.running");
            tell(w, a.id, "workload.succeeded");
            account(w, a);
        }
        group_.workloads_new.push_back(std::move(w));
        group_.attempts_new.push_back(a);
        group_.decisions.push_back(made);
        if (group_.workloads_new.size() == group_size)
            commit();
    }

    void commit() {
        group_.epoch = state_.epoch;
        rows_ += group_.tenants.size() + group_.workloads_new.size() + group_.attempts_new.size() +
                 group_.decisions.size() + group_.events.size() + group_.usages.size() + group_.charges.size();
        sure(store_->commit(std::span(&group_, 1)));
        group_ = {};
    }

    std::size_t rows() const { return rows_; }

private:
    decision choose(const workload& w) {
        decision made;
        made.id = decision_id::make(now_, random_);
        made.workload = w.id;
        made.at = w.created_at;
        made.policy = "balanced";
        made.policy_version = "1";
        made.considered = 1'000;
        made.rejections = {{rejection::jurisdiction, 200}, {rejection::pue, 300}};
        for (std::size_t i = 0; i < ranked; ++i) {
            appraisal one;
            one.provider = "bench-" + std::to_string(i % 4);
            one.site = "site-" + std::to_string(i);
            one.region = "cn-" + std::to_string(i);
            one.offer = one.provider + '/' + one.site + "/shape-1/on_demand";
            one.units = 2;
            one.cost_base = one.j = static_cast<double>(i) + 0.25;
            one.terms = {{"latency", 0.125}, {"non_green_power", 0.5}};
            one.rtt_ms = 12.5;
            one.rtt_method = "declared";
            one.energy_kwh = one.non_green_kwh = one.carbon_kg = 0.75;
            made.ranked.push_back(std::move(one));
        }
        return made;
    }

    attempt run(const workload& w, const decision& made, std::size_t number, bool lives) {
        attempt a;
        a.id = attempt_id::make(now_, random_);
        a.workload = w.id;
        a.tenant = w.tenant;
        a.provider = "bench-" + std::to_string(number % 4);
        a.site = "site-" + std::to_string(number % 10);
        a.offer = a.provider + '/' + a.site + "/shape-1/on_demand";
        a.decision = made.id;
        a.terms.price = {60'000'000, currency::cny};
        a.terms.units = 2;
        a.fence = state_.epoch;
        a.handle = launch_token(a.id);
        a.created_at = a.updated_at = w.created_at;
        a.last_seen_at = now_ - seconds(30);
        a.seen_seq = 1;
        a.state = attempt_state::pending;
        if (!lives) {
            a.state = attempt_state::ended;
            a.outcome = attempt_outcome::succeeded;
            a.started_at = now_ - ran - seconds(30);
            a.ended_at = now_ - seconds(30);
            a.exit_code = 0;
        }
        return a;
    }

    void tell(workload& w, const attempt_id& about, const char* type) {
        const auto shard = shard_of(w.tenant);
        event e;
        e.shard = shard;
        e.seq = ++state_.event_seq[shard];
        e.prev_seq = std::exchange(w.revision, e.seq);
        e.at = w.created_at;
        e.tenant = w.tenant;
        e.workload = w.id;
        e.attempt = about;
        e.type = type;
        group_.events.push_back(std::move(e));
    }

    void account(const workload& w, const attempt& a) {
        const auto of_run = [&](auto& row) {
            row.attempt = a.id;
            row.workload = w.id;
            row.tenant = w.tenant;
            row.provider = a.provider;
            row.site = a.site;
            row.offer = a.offer;
            row.start_at = *a.started_at;
            row.end_at = *a.ended_at;
            row.units = a.terms.units;
        };
        usage u;
        u.id = usage_id::make(now_, random_);
        of_run(u);
        charge c;
        c.usage = u.id;
        of_run(c);
        c.price = a.terms.price;
        c.billed_ms = 3'600'000;
        c.list_micros = c.contracted_micros = c.billed_micros = c.effective_micros = 120'000;
        group_.usages.push_back(std::move(u));
        group_.charges.push_back(std::move(c));
    }

    random_source random_{7};
    std::unique_ptr<store> store_;
    instant now_;
    stored_state state_;
    const std::shared_ptr<const workload_spec> spec_;
    const std::shared_ptr<const std::string> spec_text_;
    std::vector<tenant_id> tenants_;
    change_set group_;
    std::size_t rows_ = 0;
};

}  // namespace

std::size_t fill_store(const std::filesystem::path& file, std::size_t stored, std::size_t live) {
    filling fill(file);
    const std::size_t step = live > 0 ? stored / live : stored + 1;
    for (std::size_t i = 0; i < stored; ++i)
        fill.add(i, i % step == step - 1);
    fill.commit();
    return fill.rows();
}

filled_master::filled_master(std::size_t stored) {
    std::string name = (std::filesystem::temp_directory_path() / "westerly-filled-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr)
        throw std::runtime_error("cannot make " + name);
    folder_ = name;
    const auto rows = fill_store(folder_ / database, stored, 0);
    std::fprintf(stderr, "  a database of %zu ended workloads: %zu rows, %.0f MiB\n", stored, rows,
                 static_cast<double>(std::filesystem::file_size(folder_ / database)) / (1 << 20));
}

filled_master::~filled_master() {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
}

void filled_master::copy_to(const std::filesystem::path& home) const {
    std::filesystem::copy_file(folder_ / database, home / database);
    const int file = ::open((home / database).c_str(), O_RDONLY | O_CLOEXEC);
    ::fsync(file);  // else it would be written out beside what is measured
    ::close(file);
}

}  // namespace westerly
