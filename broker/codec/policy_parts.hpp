#pragma once

#include "broker/codec/reader.hpp"
#include "broker/codec/writer.hpp"
#include "broker/domain/policy.hpp"

namespace westerly {

/// Parts of a policy file beside its prices and order, and what workloads set in place of it.

/// The field "overrides" of a policy file: what workloads may set. `ordered`: there are no prices to set.
void read_bounds(object_reader& o, override_bounds& bounds, bool ordered);
/// applies_to, default_for and forced_for.
void read_groups(object_reader& o, policy& p);
/// The field "replacement": when what runs is moved.
void read_replacement(object_reader& o, replacement_rule& rule);
/// What a term costs per its unit, in the currency of decisions: {"amount", "currency"}.
void read_term_price(object_reader& o, unit_price& into);
/// The field "overrides" of a workload's policy.
void read_overrides(object_reader& o, policy_overrides& asked);

/// Nothing is written for what says nothing.
void put_bounds(json_writer& out, const override_bounds& bounds);
void put_groups(json_writer& out, const policy& p);
void put_replacement(json_writer& out, const policy& p);
/// The field "policy" of a workload: a name, or an object where there are overrides.
void put_policy_choice(json_writer& out, const workload_spec& spec);

}  // namespace westerly
