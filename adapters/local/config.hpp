#pragma once

#include "broker/support/result.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace westerly {

/// One site: a share of this machine that is offered by the core.
struct local_site {
    std::string site;
    std::uint32_t vcpus = 1;       // units
    std::uint64_t memory_mib = 0;  // of all units together
    std::uint64_t disk_mib = 0;    // likewise; 0: not stated
    std::optional<double> idle_w;  // IT power of one unit
    std::optional<double> max_w;

    std::uint64_t unit_memory_mib() const noexcept { return memory_mib / vcpus; }
    std::uint64_t unit_disk_mib() const noexcept { return disk_mib / vcpus; }
};

/// Something that answers TCP connects where users of a region are.
struct rtt_probe {
    std::string region;   // of the origin
    std::string address;  // numeric, IPv4 or IPv6
    std::uint16_t port = 0;
};

enum class isolation_choice : std::uint8_t { automatic, uid, bubblewrap, unsafe_same_user };

/// The provider file's "config" object of kind "local".
struct local_config {
    std::vector<local_site> sites;  // 1..256
    isolation_choice isolation = isolation_choice::automatic;
    std::optional<std::uint32_t> uid_base;  // first of uid_count ids; absent: chosen once per state directory
    std::uint64_t retention_s = 604'800;    // how long an ended attempt's files stay
    std::vector<rtt_probe> probes;          // 0..16, one a region; what they measure holds for all sites
    std::uint32_t probe_every_s = 600;
};

/// `known` are the sites of the provider file; a site that is not among them is refused, unless there are none.
/// Errors: invalid, with pointers into the config.
result<local_config> decode_local_config(std::string_view json, const std::vector<std::string>& known);

}  // namespace westerly
