#pragma once

#include "broker/domain/offer.hpp"

#include <algorithm>
#include <initializer_list>
#include <memory>
#include <utility>

namespace westerly {

/// Offers that several rooms hold at once and none changes: a copy of the list shares list and offers, because a
/// catalogue has a hundred thousand of them.
class offer_list {
public:
    using shared = std::shared_ptr<const offer>;

    offer_list() = default;
    offer_list(std::vector<offer> offers) {  // NOLINT(google-explicit-constructor): any list of offers is one
        std::vector<shared> each;
        each.reserve(offers.size());
        for (offer& one : offers)
            each.push_back(std::make_shared<const offer>(std::move(one)));
        keep(std::move(each));
    }
    offer_list(std::initializer_list<offer> offers) : offer_list(std::vector<offer>(offers)) {}
    explicit offer_list(std::vector<shared> offers) { keep(std::move(offers)); }

    class iterator {
    public:
        using value_type = offer;
        using difference_type = std::ptrdiff_t;
        iterator() = default;
        explicit iterator(const shared* at) : at_(at) {}
        const offer& operator*() const noexcept { return **at_; }
        const offer* operator->() const noexcept { return at_->get(); }
        iterator& operator++() noexcept { return ++at_, *this; }
        iterator operator++(int) noexcept { return iterator(at_++); }
        friend bool operator==(const iterator&, const iterator&) = default;

    private:
        const shared* at_ = nullptr;
    };
    iterator begin() const noexcept { return iterator(all().data()); }
    iterator end() const noexcept { return iterator(all().data() + size()); }
    std::size_t size() const noexcept { return all().size(); }
    bool empty() const noexcept { return all().empty(); }
    const offer& operator[](std::size_t i) const noexcept { return *all()[i]; }
    const offer& at(std::size_t i) const { return *all().at(i); }
    const std::vector<shared>& all() const noexcept {
        static const std::vector<shared> none;
        return list_ ? *list_ : none;
    }

    /// The same offers by id.
    offer_list sorted() const {
        const auto id_of = [](const shared& one) -> const offer_id& {
            return one->id;
        };
        if (std::ranges::is_sorted(all(), {}, id_of))
            return *this;
        auto copy = all();
        std::ranges::sort(copy, {}, id_of);
        return offer_list(std::move(copy));
    }

    /// The same offers, with those that `before` has too shared with it; both sorted. All of them: `before` itself.
    offer_list sharing(const offer_list& before) const {
        std::vector<shared> each;
        each.reserve(size());
        std::size_t old = 0;
        for (const auto& one : all()) {
            while (old < before.size() && before[old].id < one->id)
                ++old;
            const bool known = old < before.size() && before[old] == *one;
            each.push_back(known ? before.all()[old] : one);
        }
        offer_list out(std::move(each));
        return out.all() == before.all() ? before : out;
    }

    friend bool operator==(const offer_list& a, const offer_list& b) {
        return a.list_ == b.list_ || std::ranges::equal(a.all(), b.all(), [](const shared& x, const shared& y) {
                   return x == y || *x == *y;
               });
    }

private:
    void keep(std::vector<shared> each) { list_ = std::make_shared<const std::vector<shared>>(std::move(each)); }

    std::shared_ptr<const std::vector<shared>> list_;
};

}  // namespace westerly
