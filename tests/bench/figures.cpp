#include "tests/bench/figures.hpp"

#include <algorithm>
#include <cstdio>

namespace westerly {

namespace {

double median(std::vector<double> values) {
    const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
    std::ranges::nth_element(values, middle);
    return *middle;
}

}  // namespace

bool figure_table::wants(std::initializer_list<const char*> names) const {
    return asked_.empty() || std::ranges::any_of(names, [&](const char* name) {
               return std::ranges::find(asked_, name) != asked_.end();
           });
}

void figure_table::add(const std::string& name, double value) {
    const auto found = std::ranges::find(figures_, name, &figure::name);
    found->values.push_back(value);
    std::fprintf(stderr, "  %s %.1f %s\n", found->name, value, found->unit);
}

void figure_table::print() const {
    for (const figure& f : figures_) {
        if (f.values.empty() || !wants({f.name}))
            continue;
        const double value = median(f.values);
        if (f.target == 0) {
            std::printf(R"({"name":"%s","value":%.1f,"unit":"%s","target":null,"met":null})", f.name, value, f.unit);
        } else {
            const bool met = f.least ? value >= f.target : value <= f.target;
            std::printf(R"({"name":"%s","value":%.1f,"unit":"%s","target":%.0f,"met":%s})", f.name, value, f.unit,
                        f.target, met ? "true" : "false");
        }
        std::puts("");
    }
}

bench_words read_words(int argc, char** argv) {
    bench_words said;
    for (int i = 1; i < argc; ++i)
        if (std::string_view(argv[i]) == "--quick")
            said.quick = true;
        else
            said.names.emplace_back(argv[i]);
    return said;
}

double per_second(std::size_t count, double seconds) {
    return seconds > 0 ? static_cast<double>(count) / seconds : 0;
}

}  // namespace westerly
