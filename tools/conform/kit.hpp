#pragma once

#include "broker/support/random.hpp"
#include "tools/conform/adapter_link.hpp"
#include "tools/conform/provider_proxy.hpp"
#include "tools/conform/witness.hpp"

#include <filesystem>
#include <functional>

namespace westerly {

struct conform_options {
    std::vector<std::string> command;   // the adapter
    std::filesystem::path libexec_dir;  // westerly-spawn, and adapters of a bare name
    std::string config_json = "{}";     // the provider file's "config"
    std::vector<std::string> sites;     // the provider file's sites
    std::optional<std::uint64_t> live;  // attempts at once in bounds.live; default: what fits, at most live_default
    seconds patience{60};               // for anything that the adapter or its provider must bring about
    std::vector<std::string> only;      // checks whose names begin with one of these; empty: all
};
inline constexpr std::uint64_t live_default = 100;
inline constexpr std::uint64_t live_max = 10'000;

// How a check ends early. They are thrown, because a check is a long chain of calls of which each may disprove the
// promise, and nothing but the runner of the checks has to know.
struct check_failed {
    std::string why;
};
struct check_skipped {
    std::string why;
};
[[noreturn]] inline void disprove(std::string why) {
    throw check_failed{std::move(why)};
}
inline void expect(bool holds, std::string why) {
    if (!holds)
        disprove(std::move(why));
}
[[noreturn]] inline void skip(std::string why) {
    throw check_skipped{std::move(why)};
}

/// What a call came to. For mutations, errors are already read as what they prove.
struct call_end {
    std::optional<rpc_failure> failure;  // the adapter answered with an error
    bool replied = false;                // false: no answer in time
};
struct mutation : call_end {
    call_outcome outcome = call_outcome::unknown;
    std::string handle;
    std::string told;  // "no_capacity: 8 units are wanted…", for people
};

/// One run of all checks: the adapter, what was launched, and what was ever seen of it. Calls of the adapter that do
/// not answer, or answer against the protocol, end the check that made them.
class kit {
public:
    explicit kit(conform_options options);
    ~kit();

    // The adapter's life.
    void start();    // a process and its handshake; for the first time or after an end
    void kill();     // -9
    void restart();  // kill, and start with the same state folder
    adapter_link& link() noexcept { return link_; }
    const initialize_reply& said() const noexcept { return said_; }
    bool can(std::string_view capability) const;
    initialize_request handshake() const;

    // Calls. `limit` 0: the patience.
    rpc_message answer_to(std::uint64_t id, std::string_view verb);
    /// Asks again while it answers that its provider cannot be asked now, as a broker does; the last answer.
    rpc_message lasting_answer_to(std::string_view verb, const std::string& params);
    template <class T>
    T call(std::string_view verb, const std::string& params, result<T> (*decode)(const json_value&));
    mutation mutate(std::string_view verb, const std::string& params, const line_faults& faults = {},
                    milliseconds limit = {});
    mutation mutation_of(const std::optional<rpc_message>& reply, std::string_view verb);
    /// Many calls of one verb, with as many in flight as a broker has by default; answers in the order of the params.
    std::vector<mutation> mutate_all(std::string_view verb, const std::vector<std::string>& params);
    rpc_failure refusal(std::string_view verb, const std::string& params);  // fails the check unless it is an error
    mutation launch(const launch_request& request, const line_faults& faults = {}, milliseconds limit = {});
    mutation cancel(const std::string& token, std::uint32_t grace_s, const line_faults& faults = {},
                    milliseconds limit = {});
    observation find(const std::string& token);
    std::vector<observation> get(const std::vector<std::string>& tokens);
    /// Follows the pages; `between` is called after each but the last.
    listing list_all(const std::string& owner, const std::function<void(const listing& page)>& between = {});
    /// All pages; `measured`: of RTTs, too.
    std::vector<adapter_offer> offers(std::vector<site_rtt>* measured = nullptr);
    std::string log(const std::string& token, unsigned rank = 0, bool error_stream = false);

    // Work. What a check launches is ended after it.
    launch_request task(const std::string& script, std::uint64_t tasks = 1);
    launch_request sleeper() { return task("exec sleep 600"); }
    /// What is launched counts as the check's own from here on.
    void remember(const std::string& token);
    /// Many at once; fails the check unless all are done.
    void launch_all(const std::vector<launch_request>& requests);
    /// Launches for sure, waiting for capacity and for a provider that is away; fails the check otherwise.
    std::string launched(const launch_request& request);
    /// Repeats a launch of which nothing is known: its handle, or nullopt when the adapter proves that nothing came of
    /// it nor will, so that a broker makes a new attempt.
    std::optional<std::string> launched_again(const launch_request& request);
    /// Neither told nor run.
    void expect_nothing_of(const std::string& token);
    /// Skips the check unless so many units can be had now.
    void need_units(std::uint64_t units);
    /// Of a token whose launch is done: absent only for as long as the adapter's class allows, else the check fails.
    observation find_launched(const std::string& token);
    observation until(const std::string& token, std::string_view what, const std::function<bool(const observation&)>&);
    observation until_running(const std::string& token);
    observation until_ended(const std::string& token);
    /// A promise that the adapter may keep late: asks again until it holds or patience ends.
    bool comes_true(const std::function<bool()>& holds);
    /// Whether tasks can reach the kit, so that its own count of runs is a proof. Found out by one task, once.
    bool witnessed();
    run_witness& witness() noexcept { return witness_; }
    /// One thing and one only of a token that was launched, by its list, its handle, its log and what really ran.
    std::string prove_single(const std::string& token, const std::string& handle);
    void end_all();
    /// After an interruption: ends everything that was ever launched, and gives what could not be ended, in words.
    std::vector<std::string> clean_up();

    /// Between the adapter and its provider. Skips the check where none can stand.
    provider_proxy& provider();
    void skip_without_repeats() const;  // idempotency class none: a broker never repeats
    const conform_options& options() const noexcept { return options_; }
    const std::string& owner() const noexcept { return owner_; }
    std::filesystem::path fresh_folder(const std::string& name);
    std::string new_token();
    const std::optional<adapter_offer>& offer_used() const noexcept { return offer_; }
    void choose_offer();
    bool was_launched(const std::string& token) const { return known_.contains(token); }
    const std::map<std::string, std::string>& handles() const noexcept { return handles_; }

    /// Of the adapter's process, now; 0 when the kernel does not tell.
    std::uint64_t memory_kib() const;
    std::uint64_t descriptors() const;

    std::vector<std::string> seq_faults;  // found by the way, over all checks
    /// What bounds.live measures for the checks after it.
    struct figures {
        std::uint64_t attempts, idle_kib, loaded_kib, idle_files, loaded_files, after_files;
    };
    std::optional<figures> live_figures;

private:
    void note(const observation& seen);
    void stand_before_provider();

    conform_options options_;
    random_source random_;
    std::string owner_;
    std::filesystem::path folder_;
    run_witness witness_;
    std::unique_ptr<provider_proxy> provider_;
    std::string no_provider_;  // why there is no proxy before it
    adapter_link link_;
    initialize_reply said_;
    std::optional<adapter_offer> offer_;
    std::vector<std::string> launched_;           // by the check under way
    std::set<std::string> known_;                 // all tokens that were ever given to launch
    std::map<std::string, std::string> handles_;  // of all tokens that were ever launched
    std::map<std::string, observation> seen_;     // last observation
    std::optional<bool> witnessed_;
};

template <class T>
T kit::call(std::string_view verb, const std::string& params, result<T> (*decode)(const json_value&)) {
    const auto reply = lasting_answer_to(verb, params);
    if (reply.what == rpc_message::kind::error) {
        const auto why = decode_rpc_failure(reply);
        disprove(std::string(verb) + " answered " + std::string(to_string(why.kind)) + ": " + why.message);
    }
    auto value = decode(rpc_body(reply));
    if (!value) {
        std::string text = "the answer to " + std::string(verb) + " breaks the schema: " + value.error().detail;
        for (const auto& fault : value.error().faults)
            text += "; " + fault.pointer + ' ' + fault.message;
        disprove(text);
    }
    return std::move(*value);
}

}  // namespace westerly
