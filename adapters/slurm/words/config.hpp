#pragma once

#include "broker/domain/offer.hpp"
#include "broker/support/result.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace westerly {

/// What a GRES of the cluster is: Slurm tells names and counts, the operator tells the rest.
struct gres_facts {
    std::string gres;  // "gpu:a100", or "gpu" where the cluster names no type
    accelerator_facts card;
};

/// How a partition is offered.
struct partition_config {
    std::string partition;
    std::string site;
    compute_class compute = compute_class::super;
    std::vector<offer_unit> units = {offer_unit::core, offer_unit::card};  // or whole nodes, with the cards they have
};

/// Where the token comes from: exactly one of these.
struct token_source {
    std::string file;                  // read again at each renewal
    std::string env;                   // a variable of the adapter's environment
    std::vector<std::string> command;  // its standard output
    std::string signing_key_file;      // HS256: the adapter signs its own
};

/// The provider file's "config" object of kind "slurm".
struct slurm_config {
    std::string endpoint;  // http://HOST:PORT or https://…, without a path
    std::string ca_file;   // https: certificates to trust instead of the system's
    std::string user;      // the centre's user that submits
    token_source token;
    std::uint32_t token_lifetime_s = 600;  // of tokens that the adapter signs
    std::uint32_t request_timeout_s = 20;  // slurmrestd itself waits 9 to 18 s for a dead controller
    std::string shared_directory;          // seen by the adapter and by all nodes under this one path
    std::string scratch_directory = "/tmp";
    std::string account;
    std::string qos;
    std::uint32_t retention_s = 604'800;        // how long the files of an ended attempt stay
    std::vector<partition_config> partitions;   // empty: all of the cluster, at the file's only site
    std::vector<gres_facts> accelerators;       // GRES that are not listed are not offered
    std::uint32_t max_visibility_delay_s = 30;  // how late a submit whose answer was lost may still take effect
    std::string default_site;                   // of partitions that are not listed
};

/// `known` are the sites of the provider file. Errors: invalid, with pointers into the config.
result<slurm_config> decode_slurm_config(std::string_view json, const std::vector<std::string>& known);

}  // namespace westerly
