#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace westerly {

/// A real westerlyd on a home of its own below TMPDIR with 1 000 launchable offers: four providers of ten sites each,
/// all served by slow_provider. Ended and removed with the object. Every method throws std::runtime_error.
class broker_process {
public:
    static constexpr std::size_t offers = 1'000;

    static constexpr unsigned hardly_polled_s = 3'600;

    /// `bin` holds westerlyd, westerly-spawn and bench_slow_provider; each live attempt is looked at once per `poll_s`.
    explicit broker_process(std::filesystem::path bin, unsigned poll_s = hardly_polled_s);
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
    /// Processor time of all its threads so far; steps of 10 ms.
    double cpu_s() const;
    /// The sum of a counter in /metrics.
    double counter(const std::string& name) const;
    const std::filesystem::path& home() const { return home_; }

private:
    void write_provider(int number) const;
    void read_greeting();
    bool running();

    const std::filesystem::path bin_;
    const unsigned poll_s_;
    std::filesystem::path home_;
    std::string operator_key_;
    pid_t pid_ = -1;
    std::uint16_t port_ = 0;
};

}  // namespace westerly
