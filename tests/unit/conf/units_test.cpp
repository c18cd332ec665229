#include "conf/units.h"

#include <doctest/doctest.h>

using namespace std::chrono_literals;
using namespace runtime::literals;

TEST_CASE("a duration is a whole number and a unit") {
  CHECK(conf::parse_duration("500ms") == 500ms);
  CHECK(conf::parse_duration("30s") == 30s);
  CHECK(conf::parse_duration("2m") == 2min);
  CHECK(conf::parse_duration("1h") == 1h);
  CHECK(conf::parse_duration("0s") == 0ms);
}

TEST_CASE("what is no duration is refused") {
  for (char const* text : {"", "30", "s", "30 s", "1.5s", "-1s", "+1s", "30S", "30sec", "1m30s", "0x1s",
                           " 30s", "30s ", "99999999999999999999s", "9223372036854775807h"}) {
    CAPTURE(text);
    CHECK_FALSE(conf::parse_duration(text));
  }
}

TEST_CASE("a size is a whole number and a binary unit") {
  CHECK(conf::parse_size("100B") == 100);
  CHECK(conf::parse_size("64KiB") == 64_KiB);
  CHECK(conf::parse_size("1MiB") == 1_MiB);
  CHECK(conf::parse_size("10GiB") == 10_GiB);
  CHECK(conf::parse_size("2TiB") == 2048_GiB);
}

TEST_CASE("what is no size is refused") {
  for (char const* text : {"", "64", "KiB", "64KB", "64k", "64kib", "64 KiB", "1.5MiB", "-1B",
                           "18446744073709551615B", "9999999999TiB"}) {
    CAPTURE(text);
    CHECK_FALSE(conf::parse_size(text));
  }
}

TEST_CASE("a duration is printed in the unit that a person would take") {
  CHECK(conf::print_duration(0ms) == "0s");
  CHECK(conf::print_duration(1500ms) == "1500ms");
  CHECK(conf::print_duration(60s) == "60s");
  CHECK(conf::print_duration(90s) == "90s");
  CHECK(conf::print_duration(120s) == "2m");
  CHECK(conf::print_duration(1h) == "60m");
  CHECK(conf::print_duration(24h) == "24h");
}

TEST_CASE("a size is printed in the largest unit that divides it") {
  CHECK(conf::print_size(0) == "0B");
  CHECK(conf::print_size(1000) == "1000B");
  CHECK(conf::print_size(64_KiB) == "64KiB");
  CHECK(conf::print_size(1024_KiB) == "1MiB");
  CHECK(conf::print_size(1536_MiB) == "1536MiB");
}

TEST_CASE("what is printed is read back as the same value") {
  for (std::int64_t ms :
       {0, 1, 999, 1000, 59'000, 60'000, 61'000, 119'999, 120'000, 3'600'000, 7'200'000, 86'400'000}) {
    CHECK(conf::parse_duration(conf::print_duration(std::chrono::milliseconds(ms))) ==
          std::chrono::milliseconds(ms));
  }
  for (runtime::Bytes size : {0_B, 1_B, 1023_B, 1_KiB, 1025_B, 1_MiB, 3_GiB, 5000_GiB, 1024_GiB}) {
    CHECK(conf::parse_size(conf::print_size(size)) == size);
  }
}
