#pragma once

#include <string>
#include <vector>

namespace westerly {

struct figure {
    const char* name;
    const char* unit;
    double target;  // 0: none, it is there to compare with
    bool least;     // the target is the least, not the most
    std::vector<double> values{};
};

/// What a program measures, and the form in which it says so: a JSON object a line on standard output, the median of
/// all values of a figure, and each value on standard error as it comes.
class figure_table {
public:
    /// `asked`: the names to print and measure; all when empty.
    figure_table(std::vector<figure> figures, std::vector<std::string> asked)
        : figures_(std::move(figures)), asked_(std::move(asked)) {}

    /// Whether one of these is asked for.
    bool wants(std::initializer_list<const char*> names) const;
    void add(const std::string& name, double value);
    void print() const;

private:
    std::vector<figure> figures_;
    std::vector<std::string> asked_;
};

/// The words of a program's command line: `--quick`, and names of figures.
struct bench_words {
    bool quick = false;
    std::vector<std::string> names;
};
bench_words read_words(int argc, char** argv);

double per_second(std::size_t count, double seconds);

}  // namespace westerly
