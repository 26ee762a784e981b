#include "policies/table.hpp"
#include "tests/unit/engine/rig.hpp"

using namespace westerly;
using namespace westerly::testing_support;

namespace {

constexpr std::int64_t one = 1'000'000'000;

policy file(std::string name) {
    policy p;
    p.name = std::move(name);
    p.version = "sha256:0123456789ab";
    return p;
}

void use(engine_rig& rig, std::vector<policy> all) {
    rig.give(policies_configured{std::move(all), {}});
}

/// The rig's principal is then of this tenant.
void be(engine_rig& rig, const std::string& name) {
    rig.give(create_tenant{1, name});
    const auto& made = rig.store.tenants;
    for (const auto& [id, each] : made)
        if (each.name == name)
            rig.who.tenant = id;
    rig.who.tenant_name = name;
}

workload_spec asks(std::string name, std::vector<std::pair<std::string, std::string>> labels = {}) {
    auto spec = small_spec();
    spec.policy = std::move(name);
    spec.labels = std::move(labels);
    return spec;
}

const decision& made_for(engine_rig& rig, const workload_id& id) {
    return rig.store.decisions.at(*rig.stored(id).last_decision);
}

/// Cheapest, which lets workloads stay within so much of it.
policy bounded(double max) {
    policy p = file("cheapest");
    p.overrides.within_of_cheapest = number_bounds{0, max};
    return p;
}

workload_spec within(double share) {
    auto spec = small_spec();
    spec.overrides.within_of_cheapest = share;
    return spec;
}

TEST(policy_overrides, outside_the_bounds_are_refused_at_submit_and_in_plans) {
    engine_rig rig;
    use(rig, {bounded(1)});
    const auto refused = rig.ask_submit(within(1.5));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, errc::invalid);
    EXPECT_EQ(refused.error().faults.at(0).pointer, "/policy/overrides/within_of_cheapest");
    EXPECT_EQ(refused.error().faults.at(0).message, "1.5 is outside what the policy \"cheapest\" allows: 0 to 1.");
    EXPECT_TRUE(rig.store.workloads.empty());
    rig.give(plan_workload{7, rig.who, std::make_shared<const workload_spec>(within(1.5))});
    EXPECT_FALSE(rig.answered());
    rig.give(plan_workload{8, rig.who, std::make_shared<const workload_spec>(within(0.5))});
    EXPECT_TRUE(rig.answered());
}

TEST(policy_overrides, are_told_by_the_decision) {
    engine_rig rig;
    use(rig, {bounded(1)});
    rig.add_provider("p", 2);
    const auto plain = rig.submit(), changed = rig.submit(within(0.5));
    EXPECT_EQ(made_for(rig, plain).policy_version, "sha256:0123456789ab");
    const decision& made = made_for(rig, changed);
    EXPECT_TRUE(made.policy_version.starts_with("sha256:0123456789ab+overrides:")) << made.policy_version;
    EXPECT_EQ(made.policy, "cheapest");
    const note told{note_kind::policy_overridden, {"within_of_cheapest: – → 0.5"}, {}};
    EXPECT_NE(std::ranges::find(made.notes, told), made.notes.end());
}

TEST(value_of_time, is_held_against_the_file_and_told_by_the_decision) {
    engine_rig rig;
    rig.terms = built_in_terms();
    rig.restart();
    policy rules = file("cheapest");
    rules.overrides.prices = {{.term = "time", .max_nanos = 20'000'000'000}};
    use(rig, {rules});
    rig.add_provider("p", 2);
    auto spec = small_spec();
    spec.when.value_of_time = unit_price{20'000'000'001, currency::cny};
    const auto refused = rig.ask_submit(spec);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().faults.at(0).pointer, "/timing/value_of_time");
    spec.when.value_of_time->nanos = 20'000'000'000;
    const decision& made = made_for(rig, rig.submit(spec));
    EXPECT_TRUE(made.policy_version.starts_with("sha256:0123456789ab+overrides:")) << made.policy_version;
    EXPECT_NE(std::ranges::find(made.notes, note{note_kind::value_of_time, {}, {20}}), made.notes.end());
    EXPECT_EQ(made.ranked.at(0).terms.at(0).first, "time") << "a line of its own";
}

TEST(policy_overrides, that_the_file_no_longer_allows_wait_until_it_does) {
    engine_rig rig;
    use(rig, {bounded(1)});
    const auto id = rig.submit(within(0.5));
    use(rig, {bounded(0.25)});
    rig.add_provider("p", 1);
    ASSERT_EQ(rig.stored(id).state, workload_state::queued);
    EXPECT_EQ(rig.stored(id).waiting.at(0).code, "policy_refused");
    EXPECT_NE(rig.stored(id).waiting.at(0).detail.find("allows: 0 to 0.25"), std::string::npos);
    use(rig, {bounded(0.5)});
    EXPECT_EQ(rig.stored(id).state, workload_state::launching);
}

TEST(policy_overrides, of_others_in_the_queue_do_not_hold_a_workload_up) {
    engine_rig rig;
    use(rig, {bounded(1)});
    const auto first = rig.submit(within(0.5)), second = rig.submit(within(0.2));
    use(rig, {bounded(0.25)});
    rig.add_provider("p", 2);
    EXPECT_EQ(rig.stored(first).state, workload_state::queued);
    EXPECT_EQ(rig.stored(second).state, workload_state::launching);
}

TEST(policy_groups, choose_by_tenant_and_label) {
    engine_rig rig;
    policy usual = file("usual"), forced = file("forced");
    usual.default_for = {workload_group{}};
    forced.forced_for = {{.tenants = {"acme"}, .labels = {{"stage", {"prod"}}}}};
    use(rig, {usual, forced, file("cheapest")});
    rig.add_provider("p", 9);
    be(rig, "globex");
    EXPECT_EQ(made_for(rig, rig.submit(asks(""))).policy, "usual");
    EXPECT_EQ(made_for(rig, rig.submit(asks("cheapest", {{"stage", "prod"}}))).policy, "cheapest");
    be(rig, "acme");
    const auto id = rig.submit(asks("", {{"stage", "prod"}}));
    EXPECT_EQ(made_for(rig, id).policy, "forced");
    const auto& notes = made_for(rig, id).notes;
    EXPECT_NE(std::ranges::find(notes, note{note_kind::policy_by_default, {"forced"}, {}}), notes.end());
    const auto refused = rig.ask_submit(asks("cheapest", {{"stage", "prod"}}));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().faults.at(0).pointer, "/policy");
}

TEST(policy_groups, that_change_reseat_those_who_wait) {
    engine_rig rig;
    use(rig, {file("cheapest"), file("balanced")});
    be(rig, "acme");
    const auto acmes = rig.submit(asks(""));
    be(rig, "globex");
    const auto globexes = rig.submit(asks(""));
    policy theirs = file("balanced"), forced = file("forced");
    theirs.applies_to = {{.tenants = {"acme"}, .labels = {}}};
    use(rig, {file("cheapest"), theirs});
    rig.add_provider("p", 1);
    EXPECT_EQ(rig.stored(acmes).state, workload_state::launching);
    EXPECT_EQ(rig.stored(globexes).waiting.at(0).code, "policy_refused");
    forced.forced_for = {{.tenants = {"globex"}, .labels = {}}};
    use(rig, {file("cheapest"), theirs, forced});
    rig.send_offers("p", 2);
    EXPECT_EQ(rig.stored(globexes).state, workload_state::launching);
    EXPECT_EQ(made_for(rig, globexes).policy, "forced");
}

}  // namespace
