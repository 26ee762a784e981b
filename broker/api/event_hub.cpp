#include "broker/api/event_hub.hpp"

#include <algorithm>

namespace westerly {

class event_hub::watch {
public:
    watch(std::shared_ptr<table> in, std::optional<tenant_id> tenant, std::optional<workload_id> workload, waker wake)
        : tenant(tenant), workload(workload), wake(std::move(wake)), table_(std::move(in)) {}
    ~watch();
    watch(const watch&) = delete;
    watch& operator=(const watch&) = delete;

    const std::optional<tenant_id> tenant;
    const std::optional<workload_id> workload;
    const waker wake;

private:
    const std::shared_ptr<table> table_;
};

struct event_hub::table {
    std::mutex lock;
    std::unordered_map<tenant_id, std::vector<watch*>> by_tenant;
    std::vector<watch*> of_all;  // operators: every tenant

    std::vector<watch*>& list_of(const watch& one) { return one.tenant ? by_tenant[*one.tenant] : of_all; }
};

event_hub::watch::~watch() {
    const std::lock_guard guard(table_->lock);
    auto& list = table_->list_of(*this);
    list.erase(std::ranges::find(list, this));
    if (tenant && list.empty())
        table_->by_tenant.erase(*tenant);
}

std::shared_ptr<event_hub::table> event_hub::make_table() {
    return std::make_shared<table>();
}

std::shared_ptr<event_hub::watch> event_hub::add(std::optional<tenant_id> tenant, std::optional<workload_id> workload,
                                                 waker wake) {
    auto made = std::make_shared<watch>(table_, tenant, workload, std::move(wake));
    const std::lock_guard guard(table_->lock);
    table_->list_of(*made).push_back(made.get());
    return made;
}

void event_hub::publish(const event& what) {
    // Woken outside the lock: a wake may drop the last reference to a stream, whose watch then leaves the table.
    std::vector<waker> wakers;
    const auto gather = [&](const std::vector<watch*>& list) {
        for (const auto* one : list)
            if (!one->workload || *one->workload == what.workload)
                wakers.push_back(one->wake);
    };
    {
        const std::lock_guard guard(table_->lock);
        gather(table_->of_all);
        if (const auto at = table_->by_tenant.find(what.tenant); at != table_->by_tenant.end())
            gather(at->second);
    }
    for (const auto& wake : wakers)
        wake();
}

std::shared_ptr<void> stream_counter::enter(const tenant_id& tenant) {
    const std::lock_guard guard(counts_->lock);
    auto& mine = counts_->by_tenant[tenant];
    if (mine >= per_tenant_max_) {
        if (mine == 0)
            counts_->by_tenant.erase(tenant);
        return nullptr;
    }
    ++mine;
    ++counts_->open;
    return std::shared_ptr<void>(counts_.get(), [counts = counts_, tenant](void*) {
        const std::lock_guard inside(counts->lock);
        --counts->open;
        if (--counts->by_tenant[tenant] == 0)
            counts->by_tenant.erase(tenant);
    });
}

std::uint64_t stream_counter::open() const {
    const std::lock_guard guard(counts_->lock);
    return counts_->open;
}

}  // namespace westerly
