#include "broker/runtime/term_list.hpp"

#include <algorithm>

namespace westerly {

result<std::unique_ptr<term_list>> term_list::load(term_table built_in, const broker_options& options) {
    auto made = std::make_unique<term_list>();
    made->rows_.assign(built_in.begin(), built_in.end());
    error all = fail(errc::invalid, "the terms of libraries have faults", "mend them in the settings file");
    for (std::size_t i = 0; i < options.terms.size(); ++i) {
        const term_settings& each = options.terms[i];
        const std::string where = options.settings.string() + " /terms/" + std::to_string(i);
        if (find_term(made->rows_, each.name)) {
            const bool ours = find_term(built_in, each.name);
            all.faults.push_back({where + "/name", '"' + each.name + (ours ? "\" is built in" : "\" stands twice"),
                                  "give it a name of its own"});
            continue;
        }
        term_host host(each, options.libexec_dir);
        auto told = host.start();
        if (!told) {
            all.faults.push_back({where, each.library.string() + ": " + told.error().detail, told.error().remedy});
            continue;
        }
        const auto& kept =
            made->libraries_.emplace_back(each.name, std::move(told->unit), std::move(told->meaning), each.library);
        made->rows_.push_back(foreign_term(kept.name, kept.unit, kept.meaning));
    }
    if (!all.faults.empty())
        return all;
    return made;
}

}  // namespace westerly
