#pragma once

#include "broker/domain/queries.hpp"

#include <memory>
#include <shared_mutex>
#include <unordered_map>

namespace westerly {

/// Who each API key is, by its SHA-256: a snapshot of the store's keys, replaced when they change. Thread-safe.
class key_index {
public:
    /// Errors: storage_failed; the old snapshot stays.
    result<void> load(queries& from);
    std::optional<principal> find(const sha256_digest& hash) const;
    bool has_operator() const;

private:
    struct digest_hash {
        std::size_t operator()(const sha256_digest& digest) const noexcept {
            std::size_t head = 0;
            std::memcpy(&head, digest.data(), sizeof head);  // a digest is evenly spread already
            return head;
        }
    };
    mutable std::shared_mutex mutex_;
    std::unordered_map<sha256_digest, principal, digest_hash> principals_;
};

/// A new key: the secret "wk_" + 64 hex digits to show once, and the record to keep.
struct new_key {
    std::string secret;
    api_key record;
};
new_key make_key(const tenant_id& tenant, role as, std::string name, instant now, random_source& random);

}  // namespace westerly
