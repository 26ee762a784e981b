#include "cmake/pch/core.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
