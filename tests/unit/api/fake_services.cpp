#include "broker/support/bytes.hpp"
#include "tests/unit/api/fake_broker.hpp"

namespace westerly::testing {
namespace {

constexpr std::size_t log_piece_max = 512 * 1024;

}  // namespace

api_services fake_broker::services() {
    api_services out;
    out.ask = [this](input in, std::function<void(result<answer>)> done) {
        const std::lock_guard guard(lock);
        inputs.push_back(in);
        waiting_.emplace_back(std::move(in), std::move(done));
        changed_.notify_all();
    };
    out.read = this;
    out.market = [this] {
        return market;
    };
    out.authenticate = [this](const sha256_digest& hash) -> std::optional<principal> {
        const std::lock_guard guard(lock);
        const auto at = principals_.find(hash);
        return at == principals_.end() ? std::nullopt : std::optional(at->second);
    };
    out.subscribe = [this](std::function<void(const event&)> one) {
        const std::lock_guard guard(lock);
        subscribers_[next_subscriber_] = std::move(one);
        return next_subscriber_++;
    };
    out.unsubscribe = [this](std::uint64_t id) {
        const std::lock_guard guard(lock);
        subscribers_.erase(id);
    };
    out.logs = [this](const attempt& of, std::uint32_t, bool, std::uint64_t from,
                      std::function<void(result<byte_piece>)> done) {
        result<byte_piece> said = fail(errc::not_found, "no log");
        {
            const std::lock_guard guard(lock);
            if (const auto at = logs.find(of.id); at != logs.end()) {
                const auto& [text, complete] = at->second;
                const auto bytes = from < text.size() ? text.substr(from, log_piece_max) : std::string();
                said = byte_piece{from, from + bytes.size(), bytes, complete && from + bytes.size() >= text.size()};
            }
        }
        done(std::move(said));
    };
    out.fetch = [this](const attempt&, std::string path, std::uint64_t from,
                       std::function<void(result<fetch_reply>)> done) {
        fetch_reply said;
        bool found = path.empty();
        {
            const std::lock_guard guard(lock);
            if (path.empty()) {
                said.directory = true;
                for (const auto& [name, bytes] : outputs)
                    said.entries.push_back({name, bytes.size()});
            } else if (const auto at = outputs.find(path); at != outputs.end()) {
                found = true;
                auto bytes = from < at->second.size() ? at->second.substr(from, fetch_piece_max) : std::string();
                const auto next = from + bytes.size();
                said.piece = byte_piece{from, next, std::move(bytes), next >= at->second.size()};
            }
        }
        found ? done(std::move(said)) : done(fail(errc::not_found, "no such file"));
    };
    out.probe = [](const provider_id&, std::function<void(result<probe_reply>)> done) {
        done(probe_reply{true, "all is well"});
    };
    out.keep_bundle = [this](const tenant_id&, std::string bytes) -> result<std::string> {
        const std::lock_guard guard(lock);
        auto name = "sha256:" + to_hex(sha256(bytes));
        bundles[name] = std::move(bytes);
        return name;
    };
    out.has_bundle = [this](const tenant_id&, const std::string& files) {
        const std::lock_guard guard(lock);
        return bundles.count(files) != 0;
    };
    out.replay = [this](const decision_id& id) -> result<replay_report> {
        const std::lock_guard guard(lock);
        if (decisions.empty() || id != decisions.back().id)
            return fail(errc::conflict, "what it was made from is not kept", "newer ones can be replayed");
        return replay_report{id, false, "/ranked/0/cost", "1", "2"};
    };
    out.compare_policies = [](const policy_comparison_request& asked) -> result<policy_comparison> {
        if (asked.after.name == "none")
            return fail(errc::not_found, "there is no such policy", "see the list of policies");
        policy_comparison report;
        report.before = {asked.before.name, "sha256:1", {}};
        report.after = {asked.after.name, "sha256:2", {}};
        report.compared = asked.last;
        return report;
    };
    out.backup = []() -> result<std::string> {
        return std::string("backups/one.db");
    };
    out.ready = [this] {
        return is_ready;
    };
    out.why_not_ready = [] {
        return std::string("the store is loading");
    };
    out.extra_metrics = [] {
        return std::string("westerly_extra 1\n");
    };
    return out;
}

}  // namespace westerly::testing
