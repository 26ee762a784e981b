#pragma once

#include "broker/support/ids.hpp"

#include <string>

namespace westerly {

using workload_id = typed_id<struct workload_tag>;
using attempt_id = typed_id<struct attempt_tag>;
using decision_id = typed_id<struct decision_tag>;
using tenant_id = typed_id<struct tenant_tag>;
using key_id = typed_id<struct key_tag>;
using usage_id = typed_id<struct usage_tag>;
/// The owner mark: this installation's random id, which everything created at a provider carries.
using owner_id = typed_id<struct owner_tag>;

using provider_id = std::string;  // ^[a-z][a-z0-9-]{0,62}$, the operator's choice
using offer_id = std::string;     // "provider/site/name/billing_mode": unique in the book, stable across refreshes

/// Our idempotency key toward providers: 'w' + 32 lower-case hex digits of the attempt's id, so that a token and its
/// attempt find each other without a table. Fits Slurm names, Kubernetes labels, EC2 client tokens, OpenStack tags.
std::string launch_token(const attempt_id& attempt);
std::optional<attempt_id> attempt_of_token(std::string_view token) noexcept;

/// Which of 256 shards owns a tenant's rows: the first byte of SHA-256 of the tenant id's text form.
std::uint8_t shard_of(const tenant_id& tenant);

}  // namespace westerly
