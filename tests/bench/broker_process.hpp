#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace westerly {

/// What the broker of a measurement has behind it.
struct broker_plan {
    std::size_t offers = 1'000;  // launchable: four providers of ten sites each, all served by made_up_provider
    bool at_once = false;        // their launches end at once; else each takes 0.1 s and never starts
    unsigned poll_s = 3'600;     // how often each live attempt is looked at
    bool local = false;          // and a provider `local` of the local kind
};

/// A real westerlyd on a home of its own below TMPDIR. Ended and removed with the object. Every method throws
/// std::runtime_error.
class broker_process {
public:
    /// `bin` holds westerlyd, westerly-spawn and bench_provider.
    explicit broker_process(std::filesystem::path bin, broker_plan plan = {});
    ~broker_process();
    broker_process(const broker_process&) = delete;
    broker_process& operator=(const broker_process&) = delete;

    /// Starts it and waits for /readyz; gives how long that took.
    double start_ms();
    /// Waits until all offers are there.
    void wait_for_offers() const;
    /// Tenants of their own, each with a member's key.
    std::vector<std::string> make_keys(std::size_t tenants) const;

    void end();       // SIGTERM, and SIGKILL when that does not help
    void end_hard();  // SIGKILL

    std::uint16_t port() const { return port_; }
    double rss_mib() const;
    /// The same of the process below it that runs this program.
    double rss_mib_of(const std::string& program) const;
    /// Processor time of all its threads so far; steps of 10 ms.
    double cpu_s() const;
    /// The sum of a counter in /metrics, over all of its labels or over those that are named: `name{state="ended"}`.
    double counter(const std::string& name) const;
    const std::filesystem::path& home() const { return home_; }

private:
    void write_provider(int number) const;
    void write_local_provider() const;
    void read_greeting();
    bool running();

    const std::filesystem::path bin_;
    const broker_plan plan_;
    std::filesystem::path home_;
    std::string operator_key_;
    pid_t pid_ = -1;
    std::uint16_t port_ = 0;
};

}  // namespace westerly
