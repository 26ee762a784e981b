#pragma once

#include "broker/domain/records.hpp"

#include <deque>
#include <unordered_map>

namespace westerly {

/// How long a client's key is remembered.
inline constexpr std::chrono::hours idempotency_kept{24};

/// The clients' idempotency keys of the last 24 hours, bounded per tenant by the caller through `count`.
class idempotency_book {
public:
    const idempotency_record* find(const tenant_id& tenant, const std::string& route, const std::string& key) const;
    std::size_t count(const tenant_id& tenant) const;
    /// Records come in order of their creation.
    void add(idempotency_record record);
    /// Forgets what is older; true when anything was.
    bool expire(instant before);
    /// When the oldest was made.
    std::optional<instant> oldest() const;

private:
    struct name {
        tenant_id tenant;
        std::string route;
        std::string key;
        friend bool operator==(const name&, const name&) = default;
    };
    struct name_hash {
        std::size_t operator()(const name& n) const noexcept {
            return std::hash<tenant_id>{}(n.tenant) ^ (std::hash<std::string>{}(n.key) * 31) ^
                   (std::hash<std::string>{}(n.route) * 17);
        }
    };
    std::unordered_map<name, idempotency_record, name_hash> records_;
    std::unordered_map<tenant_id, std::size_t> counts_;
    std::deque<std::pair<instant, name>> by_age_;
};

}  // namespace westerly
