#pragma once

#include "broker/codec/reader.hpp"
#include "broker/codec/writer.hpp"

namespace westerly {

/// Parts of a workload that both directions know: how much there is to do, checkpoints, and compliance rules, which a
/// policy may have as well.

/// `spec.resources` has been read before: a reference needs accelerators to compare with.
void read_work(object_reader& o, workload_spec& spec);
/// Refuses communication on a reference of one card. Nothing that is stored is held to it: earlier versions accepted
/// it.
void check_communication(object_reader& o, const work_estimate& work);
void read_checkpoint(object_reader& o, checkpoint_rule& saves);
/// Reads the field "compliance" of `o`.
void read_compliance(object_reader& o, std::vector<compliance_rule>& rules);

/// Nothing is written for what says nothing.
void put_work(json_writer& out, const work_estimate& work);
void put_checkpoint(json_writer& out, const std::optional<checkpoint_rule>& saves);
void put_compliance(json_writer& out, const std::vector<compliance_rule>& rules);

}  // namespace westerly
