#pragma once
// Debian 12 ships Catch2 2.13, Ubuntu 24.04 ships 3; the tests use what both have.

#if __has_include(<catch2/catch_all.hpp>)
#include <catch2/catch_all.hpp>
using Catch::Approx;  // global in 2.13 already
#else
#include <catch2/catch.hpp>
#endif
