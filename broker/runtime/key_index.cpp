#include "broker/runtime/key_index.hpp"

#include <algorithm>
#include <mutex>

namespace westerly {

result<void> key_index::load(queries& from) {
    const auto tenants = from.list_tenants();
    if (!tenants)
        return tenants.error();
    const auto keys = from.list_keys(std::nullopt);
    if (!keys)
        return keys.error();
    std::unordered_map<tenant_id, std::string> names;
    for (const tenant& t : *tenants)
        names.emplace(t.id, t.name);
    std::unordered_map<sha256_digest, principal, digest_hash> fresh;
    for (const api_key& key : *keys)
        if (!key.revoked_at)
            fresh.emplace(key.hash, principal{key.tenant, names[key.tenant], key.as, key.id});
    const std::unique_lock lock(mutex_);
    principals_.swap(fresh);
    return {};
}

std::optional<principal> key_index::find(const sha256_digest& hash) const {
    const std::shared_lock lock(mutex_);
    const auto found = principals_.find(hash);
    return found == principals_.end() ? std::nullopt : std::optional<principal>(found->second);
}

bool key_index::has_operator() const {
    const std::shared_lock lock(mutex_);
    return std::ranges::any_of(principals_, [](const auto& entry) { return entry.second.as == role::operator_; });
}

new_key make_key(const tenant_id& tenant, role as, std::string name, instant now, random_source& random) {
    std::array<std::uint8_t, 32> secret{};
    fill_secure(secret);
    new_key made{.secret = "wk_" + to_hex(secret), .record = {}};
    made.record = {.id = key_id::make(now, random),
                   .tenant = tenant,
                   .as = as,
                   .name = std::move(name),
                   .hash = sha256(made.secret),
                   .created_at = now,
                   .revoked_at = std::nullopt};
    return made;
}

}  // namespace westerly
