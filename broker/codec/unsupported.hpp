#pragma once

#include "broker/codec/reader.hpp"

namespace westerly {

/// A field that schema/workload.schema.json describes and this version refuses as "not supported yet". Supporting one
/// means to take its row out here, its note out of the schema, and to read it in decode_workload.
struct unsupported_field {
    std::string_view parent;  // JSON Pointer of its object; * stands for every index
    std::string_view name;
    std::string_view remedy;
};

inline constexpr unsupported_field unsupported_workload_fields[] = {
    {"", "preemptible", "leave it out: nothing is preempted for another workload yet"},
    {"", "checkpoint", "leave it out and keep checkpoints inside the command"},
    {"", "replicas", "leave it out: services come later"},
    {"", "ports", "leave it out: services come later"},
    {"", "health_check", "leave it out: services come later"},
    {"", "spread", "leave it out: services come later"},
    {"/policy", "overrides", "leave it out and name a policy file that has these settings"},
    {"/variants/*", "image", "give a command that the site has, or ship the code with files"},
    {"/variants/*", "secrets", "leave it out: secrets by reference come later"},
    {"/work", "accelerator_hours", "give runtime_s, your estimate of the whole run"},
    {"/work", "reference", "give runtime_s, your estimate of the whole run"},
    {"/work", "communication_fraction", "give runtime_s, your estimate of the whole run"},
    {"/work", "relative_throughput", "give runtime_s, your estimate of the whole run"},
    {"/data", "outputs", "leave it out: outputs are fetched through the API"},
    {"/data/inputs/*", "uri", "leave it out: data is weighed but not moved yet"},
    {"/constraints", "compliance", "leave it out and name regions, jurisdictions or providers instead"},
};

/// Refuses those of the table's fields under `parent` that `o` has.
void refuse_unsupported(object_reader& o, std::string_view parent);

}  // namespace westerly
