#pragma once

#include "broker/support/random.hpp"
#include "broker/support/result.hpp"
#include "tools/load/engine/http_load.hpp"

#include <array>
#include <optional>
#include <vector>

namespace westerly {

/// What may be asked; each counts for itself.
enum class ask : std::uint8_t { submit, read, list, plan };
inline constexpr std::array<const char*, 4> ask_names = {"submit", "read", "list", "plan"};

/// How often each is asked, against the others.
using ask_weights = std::array<double, ask_names.size()>;
/// "submit=1,read=8". Errors: invalid.
result<ask_weights> parse_mix(std::string_view text);

/// A workload of which distinct ones are made: its name becomes BASE-RUN-NUMBER, and it gets the labels
/// `load`=RUN and `load-number`=NUMBER.
class workload_template {
public:
    /// From a workload's JSON. Errors: those of decode_workload.
    static result<workload_template> make(std::string_view json, const std::string& run);
    std::string number(std::size_t n) const;

private:
    std::array<std::string, 3> pieces_;  // the number goes between them
};

/// The requests of a run, and what became of them. Everything is random from one seed.
class traffic {
public:
    struct settings {
        ask_weights mix{};
        double repeat_share = 0.1;  // of submits: the same again, which must give the same workload
        std::string key, host, run;
        std::uint64_t seed = 1;
    };
    struct tally {
        histogram latency;  // of answers that were as they should be
        std::size_t repeats = 0;
    };

    /// `known`: ids of workloads that may be read from the start.
    traffic(settings how, workload_template form, std::size_t connections, std::vector<std::string> known);

    bool make(std::size_t connection, std::string& out);
    void take(std::size_t connection, const http_answer& answer);

    const tally& of(ask what) const { return tallies_[static_cast<std::size_t>(what)]; }
    /// Wrong answers, by what was wrong.
    const std::map<std::string, std::size_t>& wrong() const { return wrong_; }
    /// The first wrong answer, for people.
    const std::string& example() const { return example_; }

private:
    struct at {
        ask what = ask::submit;
        bool repeats = false;
        std::size_t number = 0;
        std::string id;  // of the submit that was answered last, with its number
        std::size_t answered_number = 0;
    };

    ask choose();
    std::string submit(at& mine);
    std::optional<std::string> fault_of(at& mine, const http_answer& answer);

    const settings how_;
    const workload_template form_;
    random_source random_;
    std::vector<at> at_;
    std::vector<std::string> known_;
    std::size_t next_ = 0;
    std::array<tally, ask_names.size()> tallies_;
    std::map<std::string, std::size_t> wrong_;
    std::string example_;
};

}  // namespace westerly
