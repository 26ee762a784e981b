#include "tests/unit/providers/hub_fixture.hpp"

#include <unistd.h>

#include <fstream>

namespace westerly {

hub_test::hub_test() {
    auto name = (std::filesystem::temp_directory_path() / "westerly-providers-XXXXXX").string();
    if (!::mkdtemp(name.data()))
        throw std::runtime_error("cannot make a folder for the test");
    dir_ = name;
    options_.owner = owner_id::make(instant{milliseconds(1)}, random_);
    options_.state_dir = dir_ / "adapters";
    options_.spawn_helper = std::filesystem::path(WESTERLY_BIN_DIR) / "westerly-spawn";
    options_.adapter_dirs = {dir_ / "bin"};
    options_.read_bundle = [this](const std::string&, std::uint64_t from,
                                  std::size_t bytes_max) -> result<std::string> {
        if (bundle_.empty())
            return fail(errc::not_found, "no such bundle");
        return bundle_.substr(std::min<std::size_t>(from, bundle_.size()), bytes_max);
    };
    options_.keep_log = [this](const attempt_id&, std::uint32_t rank, bool error_stream, std::uint64_t from,
                               const std::string& bytes) -> result<void> {
        const std::lock_guard lock(mutex_);
        auto& kept = kept_[std::to_string(rank) + (error_stream ? "/err" : "/out")];
        EXPECT_EQ(from, kept.size());
        kept += bytes;
        return {};
    };
    options_.sink = [this](input in) {
        const std::lock_guard lock(mutex_);
        inputs_.push_back(std::move(in));
        came_.notify_all();
    };
}

hub_test::~hub_test() {
    hub_.reset();
    std::error_code ignored;
    std::filesystem::remove_all(dir_, ignored);
}

void hub_test::start() {
    hub_ = std::make_unique<provider_hub>(options_);
}

provider_config hub_test::fake(const std::string& config_json, const std::string& id) const {
    provider_config config;
    config.id = id;
    config.kind = "fake";
    config.config_json = config_json;
    config.adapter_command = {"/usr/bin/python3",
                              std::string(WESTERLY_SOURCE_DIR) + "/tests/unit/providers/fake_adapter.py"};
    for (const char* name : {"east", "west"}) {
        site_facts facts;
        facts.site = name;
        facts.region = std::string("cn-") + name;
        facts.jurisdiction = "CN";
        config.sites.push_back(facts);
    }
    config.prices.push_back({"", "", {250'000'000, currency::cny}, "example", 1, 0, {}, {}, {}, {}});
    return config;
}

void hub_test::start_ready(const std::string& config_json) {
    start();
    hub_->configure({fake(config_json)});
    ASSERT_TRUE(becomes(provider_state::ready));
}

std::shared_ptr<launch_request> hub_test::request(const attempt_id& attempt) const {
    auto made = std::make_shared<launch_request>();
    made->token = launch_token(attempt);
    made->owner = to_string(options_.owner);
    made->workload = made->attempt = to_string(attempt);
    made->name = "job";
    made->tenant = to_string(attempt);
    made->site = "east";
    made->offer = "cpu";
    made->run.command = {"true"};
    return made;
}

call_provider hub_test::launch_of(const attempt_id& attempt, std::uint64_t seq) const {
    return {"fake", attempt, outbox_verb::launch, seq, request(attempt), 30};
}

call_provider hub_test::cancel_of(const attempt_id& attempt, std::uint64_t seq) const {
    return {"fake", attempt, outbox_verb::cancel, seq, nullptr, 5};
}

std::vector<std::string> hub_test::calls(const std::string& provider) const {
    std::vector<std::string> lines;
    std::ifstream in(options_.state_dir / provider / "calls");
    for (std::string line; std::getline(in, line);)
        lines.push_back(line);
    return lines;
}

std::size_t hub_test::calls_of(const std::string& verb) const {
    const auto lines = calls();
    return static_cast<std::size_t>(std::count(lines.begin(), lines.end(), verb));
}

int hub_test::adapter_pid() const {
    int pid = 0;
    for (const auto& line : calls())
        if (line.rfind("initialize ", 0) == 0)
            pid = std::stoi(line.substr(line.rfind(' ')));
    return pid;
}

}  // namespace westerly
