#include "broker/runtime/settings.hpp"

#include "broker/support/files.hpp"
#include "tests/unit/runtime/temporary_folder.hpp"

#include <gtest/gtest.h>

namespace westerly {
namespace {

result<broker_options> read(const std::string& text) {
    const temporary_folder folder;
    const auto file = folder.path() / "westerlyd.yaml";
    EXPECT_TRUE(write_file_atomically(file, text));
    broker_options options;
    if (auto done = read_settings(file, options); !done)
        return done.error();
    return options;
}

TEST(settings, the_shipped_example_says_nothing_and_is_sound) {
    const auto example =
        read_file(std::filesystem::path(WESTERLY_SOURCE_DIR) / "tools/packaging/westerlyd.yaml", 1 << 20);
    ASSERT_TRUE(example);
    const auto options = read(*example);
    ASSERT_TRUE(options) << options.error().detail;
    EXPECT_EQ(options->port, broker_options().port);
    EXPECT_TRUE(read("\n# later\n"));
    EXPECT_FALSE(read("port: 1\nport: 2\n"));
}

TEST(settings, lays_the_file_over_what_stands) {
    const auto options = read(
        "listen_address: 0.0.0.0\n"
        "port: 9443  # ours\n"
        "config_dir: conf\n"
        "cny_per_usd: \"7.05\"\n"
        "tls:\n"
        "  certificate: /etc/tls/a.pem\n"
        "  private_key: key.pem\n"
        "  names: [broker.example]\n"
        "fair_share:\n"
        "  overdue_after_s: 7200\n"
        "  tenants:\n"
        "    - {name: physics, weight: 3, guaranteed_per_h: 120.5}\n"
        "    - {name: biology}\n");
    ASSERT_TRUE(options) << options.error().detail;
    EXPECT_EQ(options->listen_address, "0.0.0.0");
    EXPECT_EQ(options->port, 9443);
    EXPECT_EQ(options->config_dir.filename(), "conf");
    EXPECT_TRUE(options->config_dir.is_absolute());
    EXPECT_EQ(options->certificate, "/etc/tls/a.pem");
    EXPECT_TRUE(options->private_key.is_absolute());
    EXPECT_EQ(options->certificate_names, std::vector<std::string>{"broker.example"});
    EXPECT_EQ(options->usd_rate, "7.05");
    EXPECT_EQ(options->io_threads, 2u);
    EXPECT_EQ(options->fair_share.overdue_after, seconds(7200));
    EXPECT_EQ(options->fair_share.tenants.at("physics").weight, 3);
    EXPECT_EQ(options->fair_share.tenants.at("physics").guaranteed_micros_per_h, 120'500'000);
    EXPECT_EQ(options->fair_share.tenants.at("biology").weight, 1);
}

struct bad_case {
    const char* text;
    const char* pointer;
};

TEST(settings, names_every_fault) {
    for (const auto& [text, pointer] :
         {bad_case{"port: 99999\n", "/port"}, bad_case{"prot: 8443\n", "/prot"}, bad_case{"port: \"8443\"\n", "/port"},
          bad_case{"io_threads: 0\n", "/io_threads"},
          bad_case{"fair_share: {tenants: [{name: a, weight: 0}]}\n", "/fair_share/tenants/0/weight"},
          bad_case{"fair_share: {tenants: [{name: a}, {name: a}]}\n", "/fair_share/tenants/1/name"},
          bad_case{"tls: {certificate: a.pem}\n", "/tls"}}) {
        const auto options = read(text);
        ASSERT_FALSE(options) << text;
        ASSERT_EQ(options.error().faults.size(), 1u) << text;
        EXPECT_EQ(options.error().faults[0].pointer, pointer);
    }
    EXPECT_EQ(read("port: [1\n").error().code, errc::invalid);
}

}  // namespace
}  // namespace westerly
