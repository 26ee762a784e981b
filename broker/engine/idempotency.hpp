#pragma once

#include "broker/domain/records.hpp"

#include <deque>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

namespace westerly {

/// How long a client's key is remembered.
inline constexpr std::chrono::hours idempotency_kept{24};

/// The clients' idempotency keys of the last 24 hours, bounded per tenant by the caller through `count`.
class idempotency_book {
public:
    const idempotency_record* find(const tenant_id& tenant, std::string_view route, std::string_view key) const;
    std::size_t count(const tenant_id& tenant) const;
    /// Records come in order of their creation; one whose key is known already is left out.
    void add(idempotency_record record);
    void reserve(std::size_t records) { records_.reserve(records); }
    /// Forgets what is older; true when anything was.
    bool expire(instant before);
    /// When the oldest was made.
    std::optional<instant> oldest() const;

private:
    struct name {
        tenant_id tenant;
        std::string_view route;
        std::string_view key;
        friend bool operator==(const name&, const name&) = default;
    };
    static name name_of(const name& n) noexcept { return n; }
    static name name_of(const idempotency_record& r) noexcept { return {r.tenant, r.route, r.key}; }
    struct hash {
        using is_transparent = void;
        std::size_t operator()(const auto& of) const noexcept {
            const name n = name_of(of);
            constexpr std::hash<std::string_view> text;
            return std::hash<tenant_id>{}(n.tenant) ^ (text(n.key) * 31) ^ (text(n.route) * 17);
        }
    };
    struct equal {
        using is_transparent = void;
        bool operator()(const auto& a, const auto& b) const noexcept { return name_of(a) == name_of(b); }
    };

    std::unordered_set<idempotency_record, hash, equal> records_;
    std::unordered_map<tenant_id, std::size_t> counts_;
    std::deque<const idempotency_record*> by_age_;  // into records_
};

}  // namespace westerly
