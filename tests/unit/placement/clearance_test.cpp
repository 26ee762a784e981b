// What a site is cleared for: classes of data, and licences of software.
#include "tests/unit/placement/builders.hpp"

#include <gmock/gmock.h>

namespace westerly {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

offer at_site(const std::string& site, std::vector<std::string> classes, std::vector<std::string> licences = {}) {
    offer o = built::plain(site);
    o.site.data_classes = std::move(classes);
    o.site.licences = std::move(licences);
    return o;
}

workload_spec handling(const std::string& data_class) {
    workload_spec spec = built::task();
    spec.data_class = data_class;
    return spec;
}

TEST(data_class, goes_only_where_the_site_states_it) {
    const std::vector<offer> all = {at_site("a", {}), at_site("b", {"internal", "public"}), at_site("c", {"internal"})};
    EXPECT_THAT(built::sites_of(built::decide_on(all, handling("internal"))), ElementsAre("b", "c"));
    EXPECT_THAT(built::sites_of(built::decide_on(all, handling("public"))), ElementsAre("a", "b"))
        << "a site that states nothing is cleared for public data; a list is the whole list";
    EXPECT_THAT(built::sites_of(built::decide_on(all, built::task())), ElementsAre("a", "b", "c"))
        << "what states no class is not held against sites";
    const decision none = built::decide_on(all, handling("personal"));
    EXPECT_EQ(built::only_rejection(none), rejection::data_class) << "a class that no site has ever stated";
    EXPECT_THAT(explain(none), HasSubstr("3 at a site that is not cleared for data of this class (data_class)"));
}

TEST(licences, are_needed_all) {
    const std::vector<offer> all = {at_site("a", {}), at_site("b", {}, {"ansys"}),
                                    at_site("c", {}, {"ansys", "matlab"})};
    workload_spec spec = built::task();
    spec.licences = {"ansys"};
    EXPECT_THAT(built::sites_of(built::decide_on(all, spec)), ElementsAre("b", "c"));
    spec.licences = {"ansys", "matlab"};
    EXPECT_THAT(built::sites_of(built::decide_on(all, spec)), ElementsAre("c"));
    spec.licences = {"ansys", "nobodys"};
    EXPECT_EQ(built::only_rejection(built::decide_on(all, spec)), rejection::licence);
}

TEST(clearance, jurisdictions_come_first_and_shapes_after) {
    workload_spec spec = handling("internal");
    spec.licences = {"ansys"};
    spec.limits.jurisdictions = {"SG"};
    EXPECT_EQ(built::only_rejection(built::decide_on({at_site("a", {})}, spec)), rejection::jurisdiction);
    spec.limits.jurisdictions.clear();
    spec.compute = compute_class::super;
    EXPECT_EQ(built::only_rejection(built::decide_on({at_site("a", {})}, spec)), rejection::data_class);
    EXPECT_EQ(built::only_rejection(built::decide_on({at_site("a", {"internal"})}, spec)), rejection::licence);
    EXPECT_EQ(built::only_rejection(built::decide_on({at_site("a", {"internal"}, {"ansys"})}, spec)),
              rejection::compute_class);
}

TEST(clearance, a_site_that_is_cleared_later_is_looked_at_anew) {
    offer_book book = built::book_of({at_site("a", {})});
    const auto decided = [&] {
        return decide(book, {}, built_in_terms(), handling("internal"), built::world());
    };
    EXPECT_EQ(built::only_rejection(decided()), rejection::data_class);
    book.replace_provider("p", std::vector<offer>{at_site("a", {"internal"})});
    EXPECT_EQ(decided().ranked.size(), 1u);
}

}  // namespace
}  // namespace westerly
