#pragma once

#include "broker/domain/records.hpp"

#include <functional>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <vector>

namespace westerly {

/// Wakes event streams when something that they may show became durable. Streams read the events themselves, from the
/// store and from after their own cursor: nothing is queued per stream, so a slow reader costs no memory and misses
/// nothing. Thread-safe.
class event_hub {
public:
    /// Called on the publishing thread; must be short. Holds no strong reference to its stream: it may run once more
    /// while the watch ends.
    using waker = std::function<void()>;

    /// Watches one tenant's events, or everyone's. The watch ends when it is destroyed.
    class watch;
    std::shared_ptr<watch> add(std::optional<tenant_id> tenant, std::optional<workload_id> workload, waker wake);

    void publish(const event& what);

private:
    struct table;
    std::shared_ptr<table> table_ = make_table();
    static std::shared_ptr<table> make_table();
};

/// Streams open per tenant, bounded.
class stream_counter {
public:
    explicit stream_counter(std::uint32_t per_tenant_max) : per_tenant_max_(per_tenant_max) {}
    /// Counts one more until the ticket is destroyed; nullptr when the tenant has its most.
    std::shared_ptr<void> enter(const tenant_id& tenant);
    std::uint64_t open() const;

private:
    struct counts {
        std::mutex lock;
        std::unordered_map<tenant_id, std::uint32_t> by_tenant;
        std::uint64_t open = 0;
    };
    const std::uint32_t per_tenant_max_;
    std::shared_ptr<counts> counts_ = std::make_shared<counts>();
};

}  // namespace westerly
