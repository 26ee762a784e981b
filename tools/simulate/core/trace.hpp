#pragma once

#include "broker/domain/workload.hpp"
#include "tools/simulate/core/lines.hpp"

#include <deque>
#include <map>

namespace westerly {

/// One workload of a trace, in the order of submission.
struct traced_job {
    double submit_s = 0;    // since the trace's begin
    double duration_s = 0;  // > 0: as it was recorded
    std::string user;
    workload_spec spec;  // runtime_s is the duration, rounded up; instants of `when` count from the trace's begin
    /// Since the trace's begin: before this it is not waited for.
    double ready_s() const noexcept;
};
/// The begin as time zero, which instants of a traced job's `when` count from, put at its place.
void begin_at(instant begin, workload_spec& spec);

/// What a trace leaves open.
struct trace_rules {
    std::string accelerator;             // model asked for where the trace names none; empty: any
    double interactive_below_s = 0;      // shorter work is waited for by somebody
    double input_gib = 0;                // data that each workload reads …
    std::string input_region;            // … and where it lies
    std::optional<origin> from;          // where users sit
    double duration_max_s = 40 * 86400;  // longer work is left out and counted
};

/// Reads a trace a workload at a time: CSV (submit_time_s, duration_s, gpus, cpus, memory_gib, gpu_type, user), plain
/// or gzipped; SWF, the standard workload format; or our own list of workloads as GET /v1/workloads gives it (one page
/// or several, one JSON object a line). What cannot be run (no duration, no processors) is counted by reason in
/// `left_out`.
class trace_reader {
public:
    static result<trace_reader> open(const std::string& path, trace_rules rules);
    /// Nothing at the end. Errors: invalid with file and line; also where a workload is submitted before the one above
    /// it.
    result<std::optional<traced_job>> next();
    const std::map<std::string, std::size_t>& left_out() const noexcept { return left_out_; }
    /// When its first workload was created, where the trace tells (our own list).
    const std::optional<instant>& begin() const noexcept { return begin_; }

private:
    explicit trace_reader(trace_rules rules) : rules_(std::move(rules)) {}
    result<std::optional<traced_job>> from_csv();
    result<std::optional<traced_job>> from_swf();
    result<std::optional<traced_job>> from_pages();
    result<void> read_pages(const std::string& path);
    bool usable(double duration_s, double cpus, double gpus);

    trace_rules rules_;
    std::optional<csv_reader> csv_;
    std::optional<line_reader> swf_;
    std::deque<traced_job> pages_;
    std::optional<instant> begin_;
    std::map<std::string, std::size_t> left_out_;
    double before_s_ = 0;
};

/// A gang for so many cards and processors: cards come in tasks of eight where they are more, shared ones count whole.
workload_spec traced_spec(double gpus, double cpus, double memory_gib, std::string_view model, double duration_s,
                          const trace_rules& rules);

}  // namespace westerly
