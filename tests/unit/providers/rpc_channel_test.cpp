#include "broker/providers/rpc_channel.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace westerly {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

steady_time at(int ms) {
    return steady_time{milliseconds(ms)};
}

class rpc_channel_test : public testing::Test {
protected:
    void call(const std::string& verb, int deadline_ms = 1000, bool urgent = false) {
        channel_.call(
            verb, "{}", at(deadline_ms),
            [this, verb](const call_answer& answer) {
                told_.push_back(verb + (answer.value     ? " ok"
                                        : answer.silent  ? " silent"
                                        : answer.replied ? " error"
                                                         : " lost"));
                last_ = answer.failure;
            },
            urgent);
    }
    bool line(const std::string& text) { return channel_.take_line(text).has_value(); }

    rpc_channel channel_{{2, 4, 1000, 100}};
    std::vector<std::string> told_;
    rpc_failure last_;
};

TEST_F(rpc_channel_test, waits_for_the_gate_but_lets_urgent_calls_pass) {
    call("find");
    call("probe", 1000, true);
    EXPECT_THAT(channel_.take_output(), HasSubstr("probe"));
    EXPECT_THAT(channel_.take_output(), IsEmpty());
    channel_.set_gate(true);
    EXPECT_THAT(channel_.take_output(), HasSubstr("find"));
}

TEST_F(rpc_channel_test, pairs_replies_in_any_order) {
    channel_.set_gate(true);
    call("a");
    call("b");
    channel_.take_output();
    EXPECT_TRUE(line(rpc_result(2, "{}")));
    EXPECT_TRUE(line(rpc_error(1, {adapter_error::no_capacity, "full", std::nullopt})));
    EXPECT_THAT(told_, ElementsAre("b ok", "a error"));
    EXPECT_EQ(last_.kind, adapter_error::no_capacity);
}

TEST_F(rpc_channel_test, bounds_what_is_in_flight_and_what_waits) {
    channel_.set_gate(true);
    for (int i = 0; i < 5; ++i)
        call(std::to_string(i));  // the fifth finds the queue full
    EXPECT_THAT(told_, ElementsAre("4 lost"));
    channel_.take_output();
    EXPECT_EQ(channel_.in_flight(), 2u);
    EXPECT_EQ(channel_.waiting(), 2u);
    EXPECT_TRUE(line(rpc_result(1, "{}")));
    channel_.take_output();
    EXPECT_EQ(channel_.waiting(), 1u);
    EXPECT_EQ(channel_.in_flight(), 2u);
}

TEST_F(rpc_channel_test, a_deadline_tells_whether_the_call_was_sent) {
    channel_.set_gate(true);
    call("sent", 10);
    channel_.take_output();
    channel_.set_gate(false);
    call("unsent", 10);
    EXPECT_EQ(channel_.next_deadline(), at(10));
    channel_.expire(at(9));
    EXPECT_THAT(told_, IsEmpty());
    channel_.expire(at(10));
    EXPECT_THAT(told_, ElementsAre("sent silent", "unsent lost"));
    EXPECT_THAT(channel_.take_output(), HasSubstr("$/cancel"));
    EXPECT_FALSE(channel_.next_deadline());
    EXPECT_TRUE(line(rpc_result(1, "{}"))) << "a late reply is no fault";
    EXPECT_EQ(told_.size(), 2u);
}

TEST_F(rpc_channel_test, refuses_what_breaks_the_protocol) {
    channel_.set_gate(true);
    call("a");
    EXPECT_FALSE(line(rpc_result(1, "{}"))) << "answered before it was sent";
    channel_.take_output();
    for (const std::string& text : {std::string("nonsense"), std::string(), rpc_result(0, "{}"), rpc_result(2, "{}"),
                                    rpc_request(1, "offers", "{}"), std::string("[]")})
        EXPECT_FALSE(line(text)) << text;
    EXPECT_TRUE(line(rpc_notification("offers.changed", "{}")));
    EXPECT_THAT(told_, IsEmpty());
}

TEST_F(rpc_channel_test, a_death_ends_what_was_sent_and_keeps_what_waits) {
    channel_.set_gate(true);
    for (int i = 0; i < 3; ++i)
        call(std::to_string(i));
    channel_.take_output();
    call("initialize", 1000, true);  // meant for the dead one
    channel_.fail_sent("dead");
    EXPECT_THAT(told_, ElementsAre("0 lost", "1 lost", "initialize lost"));
    EXPECT_EQ(last_.message, "dead");
    EXPECT_THAT(channel_.take_output(), HasSubstr("\"2\""));
    channel_.fail_waiting("down");
    EXPECT_EQ(told_.size(), 3u);
}

TEST_F(rpc_channel_test, random_histories_answer_every_call_exactly_once) {
    for (std::uint64_t seed = 0; seed < 300; ++seed) {
        random_source random(seed);
        rpc_channel channel({3, 8, 4000, 60});
        std::map<int, int> answers;
        int made = 0;
        for (int step = 0; step < 200; ++step) {
            switch (random.next() % 8) {
                case 0:
                case 1:
                case 2: {
                    const int id = ++made;
                    answers[id] = 0;
                    channel.call(
                        "find", "{}", at(step + static_cast<int>(random.next() % 20)),
                        [&answers, id](const call_answer&) { ++answers[id]; }, random.next() % 9 == 0);
                    break;
                }
                case 3:
                    channel.set_gate(random.next() % 3 != 0);
                    channel.take_output();
                    break;
                case 4:
                case 5:  // a reply to any call ever made, perhaps one that has ended
                    if (made > 0)
                        (void)channel.take_line(rpc_result(1 + random.next() % static_cast<std::uint64_t>(made), "{}"));
                    break;
                case 6:
                    channel.expire(at(step));
                    break;
                default:
                    if (random.next() % 8 == 0)
                        channel.fail_sent("dead");
                    break;
            }
            for (const auto& [id, count] : answers)
                ASSERT_LE(count, 1) << "seed " << seed;
            ASSERT_LE(channel.in_flight(), 3u) << "seed " << seed;
        }
        channel.fail_sent("end");
        channel.fail_waiting("end");
        for (const auto& [id, count] : answers)
            ASSERT_EQ(count, 1) << "seed " << seed << " call " << id;
        EXPECT_FALSE(channel.next_deadline());
    }
}

}  // namespace
}  // namespace westerly
