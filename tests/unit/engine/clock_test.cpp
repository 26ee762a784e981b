#include "tests/unit/engine/rig.hpp"

using namespace westerly;
using namespace westerly::testing_support;

namespace {

using phase = observation::phase;

void set_clock(engine_rig& rig, milliseconds by) {
    rig.now += by;
    rig.give(clock_stepped{by});
}

/// A provider where what is made may stay unseen for 30 s, and an attempt there whose launch has just been answered.
attempt_id just_launched(engine_rig& rig) {
    rig.add_provider("p", 1);
    provider_health late;
    late.id = "p";
    late.state = provider_state::ready;
    late.max_visibility_delay_s = 30;
    rig.give(provider_reported{late});
    rig.submit();
    const auto call = rig.only<call_provider>();
    rig.answer_call(call, call_outcome::done);
    return call.attempt;
}

listing empty_list(instant as_of) {
    listing out;
    out.complete = true;
    out.as_of = as_of;
    return out;
}

TEST(clock, set_forward_proves_no_absence) {
    engine_rig rig;
    const auto id = just_launched(rig);
    set_clock(rig, std::chrono::hours(1));
    rig.observe(id, phase::absent, 0);  // a look that finds nothing is a hint
    rig.run_for(seconds(1));
    rig.found(id, rig.seen(id, phase::absent, 0));
    EXPECT_TRUE(live(rig.stored(id).state));
    rig.give(provider_listed{"p", empty_list(rig.now)});
    EXPECT_TRUE(live(rig.stored(id).state));
    rig.pass(seconds(31));
    rig.give(provider_listed{"p", empty_list(rig.now)});
    EXPECT_FALSE(live(rig.stored(id).state));
}

TEST(clock, set_back_makes_no_proof_of_a_list_that_was_taken_before) {
    engine_rig rig;
    rig.add_provider("p", 1);
    const auto taken = rig.now;  // the list is taken now, and is long on its way
    set_clock(rig, -seconds(20));
    rig.submit();
    const auto call = rig.only<call_provider>();
    rig.answer_call(call, call_outcome::done);
    rig.pass(seconds(25));
    rig.give(provider_listed{"p", empty_list(taken)});
    EXPECT_TRUE(live(rig.stored(call.attempt).state));
    rig.give(provider_listed{"p", empty_list(rig.now + seconds(1))});  // nor does a clock that runs ahead
    EXPECT_TRUE(live(rig.stored(call.attempt).state));
    rig.pass(seconds(1));
    rig.give(provider_listed{"p", empty_list(rig.now)});
    EXPECT_FALSE(live(rig.stored(call.attempt).state));
}

TEST(clock, set_back_puts_nothing_off) {
    engine_rig rig;
    rig.add_provider("p", 1);
    rig.submit();
    const auto call = rig.only<call_provider>();
    rig.answer_call(call, call_outcome::unknown);
    set_clock(rig, -std::chrono::hours(1));
    rig.run_for(seconds(2));
    EXPECT_EQ(rig.all<find_attempt>().size(), 1u);
    rig.found(call.attempt, std::nullopt);
    rig.run_for(seconds(61));
    EXPECT_FALSE(rig.all<find_attempt>().empty());
    EXPECT_FALSE(rig.all<list_provider>().empty());
}

TEST(clock, set_forward_ends_no_run_and_loses_none) {
    engine_rig rig;
    rig.add_provider("p", 1);
    auto spec = small_spec();
    spec.when.max_runtime_s = 600;
    rig.submit(spec);
    const auto call = rig.only<call_provider>();
    rig.answer_call(call, call_outcome::done);
    rig.observe(call.attempt, phase::running, 1);
    set_clock(rig, std::chrono::hours(5));
    rig.run_for(seconds(30));
    EXPECT_TRUE(rig.all<call_provider>().empty());
    EXPECT_EQ(rig.stored(call.attempt).state, attempt_state::running);
}

}  // namespace
