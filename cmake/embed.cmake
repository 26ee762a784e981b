# Writes OUT: a C++ file that holds every one of FILES as a raw string, looked up by its path under ROOT. Literals that know
# their length: a compiler bounds how many characters it counts in a constant expression.
set(body "#include \"broker/support/embedded.hpp\"\n\n#include <array>\n#include <utility>\n\nnamespace westerly {\nnamespace {\nusing namespace std::string_view_literals;\n\n")
string(APPEND body "constexpr std::pair<std::string_view, std::string_view> files[] = {\n    {\"\"sv, \"\"sv},\n")
foreach(file IN LISTS FILES)
  file(RELATIVE_PATH name ${ROOT} ${file})
  file(READ ${file} text)
  string(APPEND body "    {\"${name}\"sv, R\"westerly(${text})westerly\"sv},\n")
endforeach()
string(APPEND body "};\n}  // namespace\n\nstd::optional<std::string_view> embedded_file(std::string_view name) noexcept {\n    for (const auto& [known, text] : files)\n        if (known == name && !name.empty())\n            return text;\n    return std::nullopt;\n}\n\nstd::vector<std::string_view> embedded_names(std::string_view prefix) {\n    std::vector<std::string_view> found;\n    for (const auto& [known, text] : files)\n        if (!known.empty() && known.substr(0, prefix.size()) == prefix)\n            found.push_back(known);\n    return found;\n}\n}  // namespace westerly\n")
file(WRITE ${OUT} "${body}")
