// A list that is taken over in pieces gives the same book as one that is taken over whole.
#include "tests/unit/placement/builders.hpp"

#include <gtest/gtest.h>

#include <random>

namespace westerly {
namespace {

using built::plain;

/// Everything that decisions read of a book, with the rows that its numbers stand for.
std::string picture(const offer_book& book) {
    std::string text;
    const auto add = [&](const auto& value) {
        text += std::to_string(value) + ' ';
    };
    std::size_t covered = 0;
    for (const auto& run : book.runs()) {
        EXPECT_EQ(run.begin, covered);
        covered = run.end;
        for (std::uint32_t i = run.begin; i < run.end; ++i) {
            EXPECT_EQ(book.cols().site[i], run.site);
            EXPECT_EQ(book.cols().shape[i], book.sequences()[run.sequence + (i - run.begin)]);
        }
    }
    EXPECT_EQ(covered, book.size());
    for (std::size_t i = 0; i < book.size(); ++i) {
        text += "\n" + book.at(i).id + ' ';
        const auto& site = book.sites()[book.cols().site[i]];
        text += std::string(book.names().name(site.provider)) + ' ' + std::string(book.names().name(site.site)) + ' ';
        add(site.pue);
        const auto& shape = book.shapes()[book.cols().shape[i]];
        add(shape.vcpus);
        add(shape.max_w);
        add(book.cols().price_nanos[i]);
        add(book.cols().price[i]);
        add(book.free_units(i));
        add(book.total_units(i));
        add(book.cols().free_narrow[i]);
        add(book.at(i).as_of.time_since_epoch().count());
    }
    for (const auto& [index, free] : book.less_free())
        text += "\nless " + std::to_string(index) + ' ' + std::to_string(free);
    return text + (book.prices_exact() ? "" : "\nnot exact");
}

class part_test : public testing::Test {
protected:
    std::mt19937_64 random{21};
    std::uint64_t below(std::uint64_t n) { return random() % n; }

    offer_list some_offers(const provider_id& provider) {
        std::vector<offer> all;
        for (int site = 0; site < 6; ++site)
            for (int kind = 0; kind < 6; ++kind) {
                if (below(4) == 0)
                    continue;
                offer o = plain("s" + std::to_string(site), 1.0 + static_cast<double>(below(3)));
                o.provider = provider;
                o.id = provider + "/" + o.site.site + "/k" + std::to_string(kind) + "/on_demand";
                o.site.pue = built::said(1.1 + 0.1 * static_cast<double>(below(2)));
                o.vcpus = 1u << below(4);
                o.units_free = below(9);
                o.as_of = built::now + seconds(static_cast<std::int64_t>(below(2)));
                all.push_back(std::move(o));
            }
        return offer_list(std::move(all)).sorted();
    }
    /// In pieces of random length; what they say of changes, together.
    offer_book::part_change in_pieces(offer_book& book, const provider_id& provider, const offer_list& list) {
        offer_book::part_change all;
        const auto& told = list.all();
        for (std::size_t next = 0;;) {
            const std::size_t end = std::min<std::size_t>(told.size(), next + 1 + below(12));
            const bool last = end == told.size();
            const auto made =
                book.replace_part(provider, std::span(told).subspan(next, end - next),
                                  next > 0 ? &told[next - 1]->id : nullptr, last ? nullptr : &told[end - 1]->id);
            all.changed.insert(all.changed.end(), made.changed.begin(), made.changed.end());
            all.gone.insert(all.gone.end(), made.gone.begin(), made.gone.end());
            all.trusted |= made.trusted;
            if (last)
                return all;
            next = end;
        }
    }
};

TEST_F(part_test, pieces_make_the_book_that_the_whole_makes) {
    for (int world = 0; world < 3000; ++world) {
        offer_book whole, pieces;
        for (int step = 0; step < 5; ++step) {
            const provider_id provider = below(2) == 0 ? "p" : "q";
            const offer_list list = below(8) == 0 ? offer_list() : some_offers(provider);
            whole.replace_provider(provider, list);
            in_pieces(pieces, provider, list);
            ASSERT_EQ(picture(pieces), picture(whole)) << "world " << world << " step " << step;
            if (whole.size() == 0)
                continue;
            const offer_id id = whole.at(below(whole.size())).id;
            const auto ours = below(5);
            const bool refused = below(3) == 0;
            for (offer_book* book : {&whole, &pieces})
                refused ? book->distrust(id) : book->set_our_live_units(id, ours);
        }
    }
}

TEST_F(part_test, tells_what_changed) {
    offer_book book;
    const offer_list first = some_offers("p");
    EXPECT_EQ(in_pieces(book, "p", first).changed.size(), first.size());
    const auto version = book.version();
    const auto nothing = in_pieces(book, "p", first);
    EXPECT_FALSE(nothing.anything());
    EXPECT_EQ(book.version(), version);

    std::vector<offer> next(first.begin(), first.end());
    const offer_id gone = next.back().id;
    next.pop_back();
    next[0].price = unit_price{1, currency::cny};
    next[1].as_of += seconds(9);
    book.distrust(next[2].id);
    const auto made = in_pieces(book, "p", offer_list(next));
    ASSERT_EQ(made.changed.size(), 1u);
    EXPECT_EQ(made.changed[0]->id, next[0].id);
    EXPECT_EQ(made.gone, std::vector<offer_id>{gone});
    EXPECT_TRUE(made.trusted);
    EXPECT_EQ(book.at(1).as_of, next[1].as_of);
    EXPECT_GT(book.version(), version);
}

TEST_F(part_test, rows_that_nothing_uses_are_forgotten) {
    offer_book book;
    for (std::uint32_t round = 1; round < 5000; ++round) {
        offer o = plain("a");
        o.vcpus = round;
        const auto list = offer_list(std::vector<offer>{o});
        book.replace_part("p", list.all(), nullptr, nullptr);
    }
    EXPECT_LT(book.shapes().size(), 1000u);
    EXPECT_EQ(book.shapes()[book.cols().shape[0]].vcpus, 4999u);
}

}  // namespace
}  // namespace westerly
