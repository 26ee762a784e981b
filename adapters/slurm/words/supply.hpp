#pragma once

#include "adapters/slurm/words/config.hpp"
#include "adapters/slurm/words/replies.hpp"
#include "broker/domain/protocol.hpp"

#include <map>

namespace westerly {

/// One offer with what a job on it must ask for.
struct supply_item {
    adapter_offer shown;
    std::string partition;
    std::optional<std::uint32_t> max_minutes;
    std::string gres;  // "gpu:a100"; empty: no cards
    std::uint32_t node_cpus = 0;
    std::uint64_t node_memory_mib = 0;
    std::uint32_t node_cards = 0;
};

/// The offers of a cluster now, by "SITE/NAME": each partition in the units it is configured for (cores, cards of each
/// known GRES, whole nodes) and for each shape of node. Names are made of the partition and the shape
/// ("batch.64c-256g", "gpu.gpu-a100.64c-256g"), so that they stay when nodes come and go. `units_ours`: by "SITE/NAME",
/// what running jobs of ours hold. Nodes that are down or drained keep their offer, with nothing free.
std::vector<supply_item> supply_of(const slurm_config& config, const std::vector<slurm_node>& nodes,
                                   const std::vector<slurm_partition>& partitions,
                                   const std::map<std::string, std::uint64_t>& units_ours);

/// How many of "gpu:a100" a node's list names: "gpu:a100:4(S:0-1),npu:ascend910b:8" gives 4. Without a type in `gres`,
/// all types of that name count.
std::uint32_t gres_count(std::string_view list, std::string_view gres);

}  // namespace westerly
