#pragma once

#include "broker/domain/queries.hpp"
#include "broker/domain/replay.hpp"
#include "broker/placement/replay.hpp"

#include <memory>
#include <mutex>

namespace westerly {

/// Makes stored decisions again from the store's records. Thread-safe, one at a time: the offers of a moment of the
/// past are kept for the next decision of the same moment.
class replayer {
public:
    replayer(queries& read, term_table terms) : read_(read), terms_(terms) {}

    /// Errors: not_found; conflict when what it was made from is not kept (any more), with the reason; storage_failed
    /// when the records were damaged or changed.
    result<replay_report> replay(const decision_id& id);

    /// Both policies over the newest decisions. Errors: not_found for a policy of the past, invalid for a text.
    result<policy_comparison> compare(const policy_comparison_request& asked, std::span<const policy> in_use);

private:
    struct record {
        decision made;
        decision_basis basis;
        std::shared_ptr<const workload_spec> spec;
        std::vector<foreign_column> said;  // by libraries
    };
    result<record> read_record(const decision_id& id);
    result<std::vector<foreign_column>> said_to(const decision_basis& basis);
    result<decision> make_again(const record& from, const policy& rules);
    result<past_book*> book_at(std::uint64_t seq);
    result<policy> policy_of_the_past(const std::string& name, const std::string& version);
    result<policy> policy_asked(const policy_choice& asked, std::span<const policy> in_use);

    queries& read_;
    const term_table terms_;
    std::mutex mutex_;
    std::unique_ptr<past_book> book_;
};

}  // namespace westerly
