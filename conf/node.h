// A parsed file as a tree of our own, with the place of every key and value. Only conf/load.cpp knows the
// TOML library; what reads settings (conf/reader.h) sees this.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace conf {

struct Entry;

struct Node {
  enum class Kind { kString, kInteger, kBoolean, kFraction, kDate, kList, kTable };
  Kind kind = Kind::kTable;
  std::size_t line = 0;
  std::size_t column = 0;
  std::string text;            ///< kString
  std::int64_t number = 0;     ///< kInteger; kBoolean: 0 or 1
  std::vector<Node> items;     ///< kList
  std::vector<Entry> entries;  ///< kTable, keys unique
};

struct Entry {
  std::string key;
  std::size_t line = 0;
  std::size_t column = 0;
  Node value;
};

}  // namespace conf
