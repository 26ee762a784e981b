#include "tests/bench/broker_process.hpp"

#include "tools/load/engine/http_load.hpp"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <charconv>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <random>
#include <sstream>
#include <stdexcept>
#include <thread>

namespace westerly {

namespace fs = std::filesystem;

namespace {

using steady = std::chrono::steady_clock;

constexpr int providers = 4, sites = 10;
constexpr std::chrono::seconds start_limit{120}, end_limit{30};
constexpr std::chrono::milliseconds look_every{5};

std::string read_all(const fs::path& path) {
    std::ifstream in(path);
    return {std::istreambuf_iterator<char>(in), {}};
}

/// What follows `mark` on its line; "" while the line is not whole.
std::string word_after(const std::string& text, const std::string& mark) {
    const auto at = text.find(mark);
    const auto end = at == std::string::npos ? at : text.find('\n', at);
    return end == std::string::npos ? std::string() : text.substr(at + mark.size(), end - at - mark.size());
}

std::string field(const std::string& json, const std::string& name) {
    const auto mark = '"' + name + "\":\"";
    const auto at = json.find(mark);
    if (at == std::string::npos)
        throw std::runtime_error("no field " + name + " in " + json);
    return json.substr(at + mark.size(), json.find('"', at + mark.size()) - at - mark.size());
}

double rss_mib_of_process(const std::string& process) {
    return std::strtod(word_after(read_all("/proc/" + process + "/status"), "VmRSS:").c_str(), nullptr) / 1024;
}

template <class Ready>
void wait_until(std::chrono::seconds limit, const std::string& what, Ready ready) {
    for (const auto end = steady::now() + limit; !ready(); std::this_thread::sleep_for(look_every))
        if (steady::now() > end)
            throw std::runtime_error("waited in vain until " + what);
}

}  // namespace

broker_process::broker_process(fs::path bin, broker_plan plan) : bin_(std::move(bin)), plan_(plan) {
    std::string name = (fs::temp_directory_path() / "westerly-bench-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr)
        throw std::runtime_error("cannot make " + name);
    home_ = name;
    fs::permissions(home_, fs::perms::owner_all | fs::perms::group_exec | fs::perms::others_exec);
    fs::create_directory(home_ / "providers");
    for (int p = 0; p < providers; ++p)
        write_provider(p);
    if (plan_.local)
        write_local_provider();
}

broker_process::~broker_process() {
    end();
    std::error_code ignored;
    fs::remove_all(home_, ignored);
}

void broker_process::write_provider(int number) const {
    std::mt19937_64 random(static_cast<std::uint64_t>(number) + 1);
    const auto between = [&](double low, double high) {
        return low + (high - low) * static_cast<double>(random() % 10'000) / 10'000.0;
    };
    std::ofstream out(home_ / "providers" / ("bench-" + std::to_string(number) + ".json"));
    out << R"({"kind": "bench", "display_name": "For measuring", "adapter_command": [")"
        << (bin_ / "bench_provider").string() << R"("], "offers_refresh_s": 86400, "lost_after_s": 86400, "poll_s": )"
        << plan_.poll_s << R"(,)"
        << R"( "limits": {"call_timeout_s": 3600}, "config": {"shapes": )" << plan_.offers / (providers * sites)
        << R"(, "answers": ")" << (plan_.at_once ? "at once" : "slowly") << R"("}, "sites": [)";
    for (int s = 0; s < sites; ++s)
        out << (s > 0 ? "," : "") << R"({"site": "site-)" << s << R"(", "region": "cn-)" << number * sites + s
            << R"(", "jurisdiction": ")" << (s % 5 == 4 ? "US" : "CN") << R"(", "latitude": )" << between(20, 50)
            << R"(, "longitude": )" << between(80, 120) << R"(, "pue": {"value": )" << between(1.1, 1.6)
            << R"(, "source": "bench", "quality": "declared"}, "green_power_share": {"value": )" << between(0, 1)
            << R"(, "source": "bench", "quality": "declared"}, "carbon_g_per_kwh": {"value": )" << between(100, 800)
            << R"(, "source": "bench", "quality": "annual_provincial"}})";
    out << "]}\n";
}

void broker_process::write_local_provider() const {
    std::ofstream out(home_ / "providers" / "local.json");
    out << R"({"kind": "local", "display_name": "This machine", "sites": [{"site": "here", "region": "cn-here",)"
        << R"( "jurisdiction": "CN"}], "config": {"isolation": "unsafe_same_user",)"
        << R"( "sites": [{"site": "here", "vcpus": 1, "memory_mib": 64}]},)"
        << R"( "prices": [{"price": {"amount": "1", "currency": "CNY"}, "source": "made up for measuring"}]})" << '\n';
}

double broker_process::start_ms() {
    fs::remove(home_ / "out");  // what the start before this one said
    const auto begun = steady::now();
    pid_ = ::fork();
    if (pid_ < 0)
        throw std::runtime_error("cannot fork");
    if (pid_ == 0) {
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);
        const int out = ::open((home_ / "out").c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
        const int log = ::open((home_ / "log").c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
        ::dup2(out, STDOUT_FILENO);
        ::dup2(log, STDERR_FILENO);
        const std::string program = (bin_ / "westerlyd").string(), home = home_.string();
        ::execl(program.c_str(), "westerlyd", "--home", home.c_str(), "--port", "0", nullptr);
        ::_exit(127);
    }
    wait_until(start_limit, "westerlyd listened", [&] {
        if (!running())
            throw std::runtime_error("westerlyd ended: " + read_all(home_ / "log"));
        read_greeting();
        return port_ != 0;
    });
    wait_until(start_limit, "/readyz",
               [&] { return ask_once(port_, format_request("GET", "/readyz", {})).status == 200; });
    return std::chrono::duration<double, std::milli>(steady::now() - begun).count();
}

/// The fingerprint is the greeting's last line.
void broker_process::read_greeting() {
    const auto text = read_all(home_ / "out");
    port_ = 0;
    if (word_after(text, "fingerprint: ").empty())
        return;
    const auto address = word_after(text, "listens on https://127.0.0.1:");
    std::from_chars(address.data(), address.data() + address.size(), port_);
    if (const auto key = word_after(text, "operator key (shown once): "); !key.empty())
        operator_key_ = key;
}

bool broker_process::running() {
    int status = 0;
    if (pid_ > 0 && ::waitpid(pid_, &status, WNOHANG) == pid_)
        pid_ = -1;
    return pid_ > 0;
}

void broker_process::wait_for_offers() const {
    wait_until(start_limit, "all offers were there",
               [&] { return counter("westerly_offers") >= static_cast<double>(plan_.offers); });
}

std::vector<std::string> broker_process::make_keys(std::size_t tenants) const {
    std::vector<std::string> keys;
    for (std::size_t i = 0; i < tenants; ++i) {
        const auto name = "bench-" + std::to_string(i);
        const auto tenant =
            ask_once(port_, format_request("POST", "/v1/tenants", operator_key_, R"({"name":")" + name + "\"}"));
        const auto key = ask_once(
            port_, format_request("POST", "/v1/keys", operator_key_,
                                  R"({"name":"bench","role":"member","tenant":")" + field(tenant.body, "id") + "\"}"));
        keys.push_back(field(key.body, "secret"));
    }
    return keys;
}

void broker_process::end() {
    if (pid_ <= 0)
        return;
    ::kill(pid_, SIGTERM);
    for (const auto limit = steady::now() + end_limit; running() && steady::now() < limit;)
        std::this_thread::sleep_for(look_every);
    if (running())
        end_hard();
}

void broker_process::end_hard() {
    if (pid_ <= 0)
        return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
    pid_ = -1;
}

double broker_process::rss_mib() const {
    return rss_mib_of_process(std::to_string(pid_));
}

double broker_process::rss_mib_of(const std::string& program) const {
    const auto parent_of = [](const std::string& process) {
        return word_after(read_all("/proc/" + process + "/status"), "PPid:\t");
    };
    for (const auto& entry : fs::directory_iterator("/proc")) {
        const auto process = entry.path().filename().string();
        std::error_code gone;
        if (fs::read_symlink(entry.path() / "exe", gone).filename() != program)
            continue;
        for (auto above = parent_of(process); !above.empty() && above != "0"; above = parent_of(above))
            if (above == std::to_string(pid_))
                return rss_mib_of_process(process);
    }
    throw std::runtime_error("westerlyd has no " + program);
}

double broker_process::cpu_s() const {
    // The name before it ends in ')'; utime and stime are the 12th and 13th words after.
    std::istringstream words(word_after(read_all("/proc/" + std::to_string(pid_) + "/stat"), ") "));
    std::string word;
    double ticks = 0;
    for (int i = 1; i <= 13 && words >> word; ++i)
        if (i >= 12)
            ticks += std::strtod(word.c_str(), nullptr);
    return ticks / static_cast<double>(::sysconf(_SC_CLK_TCK));
}

double broker_process::counter(const std::string& name) const {
    const auto text = ask_once(port_, format_request("GET", "/metrics", {})).body;
    double sum = 0;
    for (auto at = text.find('\n' + name); at != std::string::npos; at = text.find('\n' + name, at + 1))
        if (const char after = text[at + 1 + name.size()]; after == ' ' || after == '{')
            sum += std::strtod(text.c_str() + text.find(' ', at + 1), nullptr);
    return sum;
}

}  // namespace westerly
