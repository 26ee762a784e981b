#include "broker/domain/ids.hpp"

#include "broker/support/bytes.hpp"

#include <array>
#include <optional>

namespace westerly {

std::string launch_token(const attempt_id& attempt) {
    return "w" + to_hex(attempt.bytes);
}

std::optional<attempt_id> attempt_of_token(std::string_view token) noexcept {
    attempt_id attempt;
    if (token.size() != 1 + 2 * attempt.bytes.size() || token.front() != 'w')
        return std::nullopt;
    for (std::size_t i = 1; i < token.size(); ++i) {
        const char c = token[i];
        const bool decimal = c >= '0' && c <= '9';
        if (!decimal && !(c >= 'a' && c <= 'f'))
            return std::nullopt;
        auto& byte = attempt.bytes[(i - 1) / 2];
        byte = static_cast<std::uint8_t>(byte << 4 | (decimal ? c - '0' : c - 'a' + 10));
    }
    return attempt;
}

std::uint8_t shard_of(const tenant_id& tenant) {
    // Asked for every row and event, of few tenants at a time: the last one of each slot is remembered.
    struct remembered {
        tenant_id tenant;
        std::optional<std::uint8_t> shard;
    };
    static thread_local std::array<remembered, 256> slots;
    remembered& slot = slots[tenant.bytes.back()];
    if (!slot.shard || slot.tenant != tenant)
        slot = {tenant, sha256(to_string(tenant)).front()};
    return *slot.shard;
}

}  // namespace westerly
