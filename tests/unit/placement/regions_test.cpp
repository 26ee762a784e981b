#include "policies/table.hpp"
#include "tests/unit/placement/builders.hpp"

#include <gmock/gmock.h>

namespace westerly {
namespace {

using built::decide_on;
using built::plain;
using built::task;
using testing::ElementsAre;

constexpr const char* nobody = "No offer and no fact knows the region ";

std::vector<std::string> told_of_regions(const std::vector<offer>& offers, const workload_spec& spec,
                                         std::span<const region_place> facts = {}) {
    decision_world around = built::world();
    around.regions = facts;
    const decision made = decide_on(offers, spec, {}, around);
    std::vector<std::string> told;
    for (const note& each : made.notes)
        if (each.kind == note_kind::region_unknown || each.kind == note_kind::region_misspelt)
            told.push_back(in_words(each, currency::cny, language::en));
    return told;
}

/// In cn-hall, with an RTT to cn-guangdong declared and one to cn-port measured.
std::vector<offer> offers() {
    offer o = plain("a");
    o.site.region = "cn-hall";
    o.site.rtt_ms = {{"cn-guangdong", 30}};
    o.site.rtt_measured = {{"cn-port", 5, built::now}};
    return {o};
}

TEST(regions, that_a_fact_an_offer_or_an_rtt_knows_are_not_spoken_of) {
    const region_place facts[] = {{"cn-east", 31, 121}};
    workload_spec spec = task();
    spec.limits.regions = {"cn-hall", "cn-east"};
    spec.limits.origins = {{{"cn-guangdong", {}}, 1}, {{"cn-port", {}}, 1}};
    spec.inputs = {{1, "cn-east", {}}};
    EXPECT_THAT(told_of_regions(offers(), spec, facts), ElementsAre());
    EXPECT_THAT(told_of_regions(offers(), task(), facts), ElementsAre());
}

TEST(regions, that_nobody_knows_are_told_with_their_places_and_what_may_be_meant) {
    const region_place facts[] = {{"cn-east", 31, 121}, {"cn-west", 30, 104}};
    workload_spec spec = task();
    spec.limits.regions = {"cn-east", "cn-esat", "moon"};
    spec.limits.origins = {{{"cn-hal", {}}, 1}};
    spec.inputs = {{1, "cnwest", {}}};
    spec.checkpoint = checkpoint_rule{.region = "far-away"};
    const std::string n = nobody;
    EXPECT_THAT(told_of_regions(offers(), spec, facts),
                ElementsAre(n + "\"cn-esat\" (/constraints/regions/1); \"cn-east\" may be meant.",
                            n + "\"moon\" (/constraints/regions/2).",
                            n + "\"cn-hal\" (/constraints/origins/0/region); \"cn-hall\" may be meant.",
                            n + "\"cnwest\" (/data/inputs/0/region); \"cn-west\" may be meant.",
                            n + "\"far-away\" (/checkpoint/region)."));
}

TEST(regions, of_an_origin_with_coordinates_may_be_called_anything) {
    workload_spec spec = task();
    spec.limits.from = origin{"our-office", std::pair{31.0, 121.0}};
    EXPECT_THAT(told_of_regions(offers(), spec), ElementsAre());
    spec.limits.from->latitude_longitude.reset();
    EXPECT_THAT(told_of_regions(offers(), spec),
                ElementsAre(std::string(nobody) + "\"our-office\" (/constraints/origin/region)."));
}

}  // namespace
}  // namespace westerly
