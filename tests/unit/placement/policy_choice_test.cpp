#include "broker/placement/policy_choice.hpp"

#include <gtest/gtest.h>

namespace westerly {
namespace {

policy named(std::string name) {
    policy p;
    p.name = std::move(name);
    return p;
}

policy_table table(std::vector<policy> all) {
    policy_table made;
    for (policy& p : all) {
        const std::string name = p.name;
        made.emplace(name, std::move(p));
    }
    return made;
}

workload_group of_tenant(std::string tenant) {
    return {.tenants = {std::move(tenant)}, .labels = {}};
}
workload_group labelled(std::string key, std::vector<std::string> values) {
    return {.tenants = {}, .labels = {{std::move(key), std::move(values)}}};
}

workload_spec asks(std::string name, std::vector<std::pair<std::string, std::string>> labels = {}) {
    workload_spec spec;
    spec.policy = std::move(name);
    spec.labels = std::move(labels);
    return spec;
}

std::string chosen(const policy_table& all, std::string_view tenant, const workload_spec& spec) {
    const auto use = policy_for(all, tenant, spec);
    return use ? (*use)->name : "none: " + use.error().detail;
}

TEST(policy_choice, without_rules_the_named_one_else_balanced) {
    const auto all = table({named("balanced"), named("cheapest")});
    EXPECT_EQ(chosen(all, "acme", asks("cheapest")), "cheapest");
    EXPECT_EQ(chosen(all, "acme", asks("")), "balanced");
    const auto none = policy_for(all, "acme", asks("cheapset"));
    ASSERT_FALSE(none);
    EXPECT_EQ(none.error().faults.front().pointer, "/policy");
    EXPECT_EQ(none.error().faults.front().remedy, "Use one of: balanced, cheapest.");
}

TEST(policy_choice, the_group_that_says_more_decides_the_default) {
    policy everybodys = named("a-everybodys"), prods = named("b-prods"), acmes = named("c-acmes"),
           both = named("d-both");
    everybodys.default_for = {workload_group{}};
    prods.default_for = {labelled("stage", {"prod", "canary"})};
    acmes.default_for = {of_tenant("acme")};
    both.default_for = {{.tenants = {"acme"}, .labels = {{"stage", {"prod"}}}}};
    const auto all = table({everybodys, prods, acmes, both, named("balanced")});
    EXPECT_EQ(chosen(all, "other", asks("")), "a-everybodys");
    EXPECT_EQ(chosen(all, "other", asks("", {{"stage", "canary"}})), "b-prods");
    EXPECT_EQ(chosen(all, "acme", asks("", {{"stage", "canary"}})), "c-acmes") << "a tenant says more than a label";
    EXPECT_EQ(chosen(all, "acme", asks("", {{"stage", "prod"}})), "d-both");
    EXPECT_EQ(chosen(all, "acme", asks("balanced", {{"stage", "prod"}})), "balanced") << "a default forces nothing";
}

TEST(policy_choice, a_forced_one_goes_before_what_is_named_and_refuses_others) {
    policy forced = named("greenest");
    forced.forced_for = {{.tenants = {"acme"}, .labels = {{"stage", {"prod"}}}}};
    forced.applies_to = {of_tenant("acme")};
    const auto all = table({forced, named("balanced"), named("cheapest")});
    const auto prod = asks("cheapest", {{"stage", "prod"}});
    EXPECT_EQ(chosen(all, "acme", prod), "greenest");
    const auto refused = refuse_policy(all, "acme", prod);
    ASSERT_TRUE(refused);
    EXPECT_EQ(refused->faults.front().pointer, "/policy");
    EXPECT_NE(refused->detail.find("\"greenest\" only"), std::string::npos) << refused->detail;
    EXPECT_FALSE(refuse_policy(all, "acme", asks("", {{"stage", "prod"}})));
    EXPECT_FALSE(refuse_policy(all, "acme", asks("greenest", {{"stage", "prod"}})));
    EXPECT_FALSE(refuse_policy(all, "acme", asks("cheapest", {{"stage", "dev"}})));
}

TEST(policy_choice, one_for_other_tenants_only_does_not_exist_for_this_one) {
    policy theirs = named("secret-deal");
    theirs.applies_to = {of_tenant("globex")};
    const auto all = table({theirs, named("balanced")});
    const auto refused = policy_for(all, "acme", asks("secret-deal"));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().detail, "There is no policy \"secret-deal\".");
    EXPECT_EQ(refused.error().remedy, "Use one of: balanced.");
    EXPECT_FALSE(as_seen_by(theirs, "acme"));
    EXPECT_EQ(chosen(all, "globex", asks("secret-deal")), "secret-deal");
}

TEST(policy_choice, one_for_other_labels_says_which) {
    policy prods = named("prods");
    prods.applies_to = {{.tenants = {"globex", "acme"}, .labels = {{"stage", {"prod", "canary"}}}},
                        of_tenant("globex")};
    const auto all = table({prods, named("balanced")});
    const auto refused = policy_for(all, "acme", asks("prods"));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().detail,
              "The policy \"prods\" is only for workloads of tenant acme labelled stage=prod|canary.");
    const auto seen = as_seen_by(prods, "acme");
    ASSERT_TRUE(seen);
    ASSERT_EQ(seen->applies_to.size(), 1u) << "nothing of another tenant's groups";
    EXPECT_EQ(seen->applies_to.front().tenants, std::vector<std::string>{"acme"});
}

TEST(policy_choice, groups_that_say_as_much_and_overlap_are_refused) {
    struct row {
        const char* what;
        workload_group a, b;
        bool refused;
    };
    const row rows[] = {
        {"the same", of_tenant("acme"), of_tenant("acme"), true},
        {"other tenants", of_tenant("acme"), of_tenant("globex"), false},
        {"one says more", of_tenant("acme"), {}, false},
        {"everybody twice", {}, {}, true},
        {"values apart", labelled("stage", {"prod"}), labelled("stage", {"dev"}), false},
        {"a value shared", labelled("stage", {"prod", "dev"}), labelled("stage", {"dev"}), true},
        {"two labels may both stand", labelled("stage", {"prod"}), labelled("team", {"ml"}), true},
    };
    for (const row& each : rows) {
        policy first = named("first"), second = named("second");
        first.forced_for = {each.a};
        second.forced_for = {each.b};
        first.default_for = {each.b};
        const auto faults = check_groups(table({first, second}));
        ASSERT_EQ(faults.size(), each.refused ? 1u : 0u) << each.what;
        if (each.refused) {
            EXPECT_EQ(faults.front().first, "second");
            EXPECT_EQ(faults.front().second.pointer, "/forced_for/0");
            EXPECT_NE(faults.front().second.message.find("\"first\""), std::string::npos);
        }
    }
}

TEST(policy_choice, same_groups_looks_at_nothing_else) {
    policy plain = named("a"), grouped = named("b");
    grouped.applies_to = {of_tenant("acme")};
    policy renewed = grouped;
    renewed.version = "sha256:1";
    EXPECT_TRUE(same_groups(table({plain}), table({})));
    EXPECT_TRUE(same_groups(table({plain, grouped}), table({renewed})));
    EXPECT_FALSE(same_groups(table({plain}), table({grouped})));
    EXPECT_FALSE(same_groups(table({grouped}), table({})));
}

}  // namespace
}  // namespace westerly
