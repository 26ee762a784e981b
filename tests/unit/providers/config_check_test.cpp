#include "broker/providers/config_check.hpp"

#include "tests/unit/providers/hub_fixture.hpp"

#include <gmock/gmock.h>

#include <csignal>

namespace westerly {
namespace {

using testing::HasSubstr;
using verdict = config_verdict::kind;

struct config_check : hub_test {
    config_check() {
        std::signal(SIGPIPE, SIG_IGN);  // as westerlyd: an adapter may end before it has read what it is asked
    }
    std::vector<config_verdict> ask(std::vector<config_question> questions, milliseconds limit = seconds(20)) {
        return ask_adapters(questions, options_.spawn_helper, options_.state_dir / "scratch", limit);
    }
    config_question fake_question(const std::string& config, const std::string& id = "fake") const {
        auto of = fake(config, id);
        auto command = of.adapter_command;
        return {std::move(of), std::move(command)};
    }
};

TEST_F(config_check, an_adapter_says_what_it_takes_and_what_not) {
    const auto told = ask({fake_question("{}", "good"), fake_question(R"({"refuse": "/colour is no colour"})", "bad")});
    ASSERT_EQ(told.size(), 2u);
    EXPECT_EQ(told[0].is, verdict::sound) << told[0].why;
    EXPECT_EQ(told[1].is, verdict::refused);
    EXPECT_EQ(told[1].why, "/colour is no colour");
}

TEST_F(config_check, what_does_not_answer_proves_nothing) {
    auto silent = fake_question("{}", "silent");
    silent.command = {"sleep", "60"};
    auto dead = fake_question("{}", "dead");
    dead.command = {"sh", "-c", "echo no licence >&2; exit 3"};
    auto noise = fake_question("{}", "noise");
    noise.command = {"sh", "-c", "echo hello; sleep 60"};
    const auto told = ask({silent, dead, noise}, seconds(2));
    ASSERT_EQ(told.size(), 3u);
    for (const auto& each : told)
        EXPECT_EQ(each.is, verdict::unknown) << each.why;
    EXPECT_THAT(told[0].why, HasSubstr("did not answer in time"));
    EXPECT_THAT(told[1].why, HasSubstr("exit code 3"));
    EXPECT_THAT(told[1].why, HasSubstr("no licence"));
}

TEST_F(config_check, prices_of_offers_that_it_does_not_have_are_told) {
    auto question = fake_question(R"({"pages": 3})");
    question.of.prices.push_back(question.of.prices[0]);
    question.of.prices[0].offer = "cpu";
    question.of.prices[1].offer = "gpu";
    const auto told = ask({question}).at(0);
    EXPECT_EQ(told.is, verdict::sound);
    EXPECT_THAT(told.unmet_prices, testing::ElementsAre(HasSubstr("/prices/1/offer")));
}

TEST_F(config_check, another_kind_is_refused) {
    auto question = fake_question("{}");
    question.of.kind = "slurm";
    EXPECT_THAT(ask({question}).at(0).why, HasSubstr("it is of kind fake"));
}

}  // namespace
}  // namespace westerly
