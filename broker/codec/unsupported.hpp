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
    {"", "replicas", "leave it out: services come later"},
    {"", "ports", "leave it out: services come later"},
    {"", "health_check", "leave it out: services come later"},
    {"/spread", "regions_min", "leave it out: replicas go where their users are"},
    {"/spread", "max_per_region", "leave it out: replicas go where their users are"},
    {"/variants/*", "image", "give a command that the site has, or ship the code with files"},
    {"/variants/*", "secrets", "leave it out: secrets by reference come later"},
    {"/data", "outputs", "leave it out: outputs are fetched through the API"},
    {"/data/inputs/*", "uri", "leave it out: data is weighed but not moved yet"},
};

/// Refuses those of the table's fields under `parent` that `o` has.
void refuse_unsupported(object_reader& o, std::string_view parent);

}  // namespace westerly
