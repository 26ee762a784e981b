#include "tools/conform/endpoint.hpp"

#include <gtest/gtest.h>

namespace westerly {
namespace {

struct endpoint_case {
    std::string_view text;
    std::string_view host, port, rest;  // an empty host: no proxy can stand there
};

class endpoint_test : public testing::TestWithParam<endpoint_case> {};

TEST_P(endpoint_test, is_taken_apart) {
    const auto got = split_endpoint(GetParam().text);
    ASSERT_EQ(got.has_value(), !GetParam().host.empty());
    if (!got)
        return;
    EXPECT_EQ(got->host, GetParam().host);
    EXPECT_EQ(got->port, GetParam().port);
    EXPECT_EQ(got->rest, GetParam().rest);
}

INSTANTIATE_TEST_SUITE_P(
    all, endpoint_test,
    testing::Values(endpoint_case{"http://centre:6820", "centre", "6820", ""},
                    endpoint_case{"http://centre:6820/slurm/v1?a=b", "centre", "6820", "/slurm/v1?a=b"},
                    endpoint_case{"http://centre", "centre", "80", ""},
                    endpoint_case{"http://[::1]:8080/x", "::1", "8080", "/x"},
                    endpoint_case{"http://[::1]", "::1", "80", ""},
                    endpoint_case{"127.0.0.1:22", "127.0.0.1", "22", ""},
                    endpoint_case{"https://centre:6820", "", "", ""}, endpoint_case{"centre", "", "", ""},
                    endpoint_case{"centre:", "", "", ""}, endpoint_case{"http://:80", "", "", ""},
                    endpoint_case{"http://user@centre:80", "", "", ""}, endpoint_case{"/run/docker.sock", "", "", ""},
                    endpoint_case{"", "", "", ""}));

}  // namespace
}  // namespace westerly
