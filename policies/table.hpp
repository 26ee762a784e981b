#pragma once

#include "broker/placement/term.hpp"

namespace westerly {

/// Every built-in term, one file each in this folder. Order is that of the docs; names are those of policy files.
term_table built_in_terms();

}  // namespace westerly
