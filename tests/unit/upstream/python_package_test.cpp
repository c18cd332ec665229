// The package of the Python worker as it travels: that the blob holds it, and that the arguments read it.
// That an interpreter runs it is tests/python/.
#include "upstream/python_package.h"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <map>
#include <string>
#include <vector>

#include <doctest/doctest.h>

namespace {

std::vector<std::string> split(const std::string& blob) {
  std::vector<std::string> parts(1);
  for (const char byte : blob) {
    if (byte == '\0')
      parts.emplace_back();
    else
      parts.back() += byte;
  }
  return parts;
}

std::string contents_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace

TEST_CASE("the blob holds file names and contents in pairs, as they are in the tree") {
  const std::vector<std::string> parts = split(upstream::python_bootstrap());
  REQUIRE(parts.size() % 2 == 0);
  std::map<std::string, std::string> files;
  for (size_t i = 0; i < parts.size(); i += 2) files[parts[i]] = parts[i + 1];
  CHECK(files.size() == parts.size() / 2);
  CHECK(files.contains("bootstrap.py"));
  CHECK(files.contains("worker.py"));
  for (const auto& [file, contents] : files) {
    CAPTURE(file);
    CHECK(contents == contents_of(std::string(SOURCE_DIR) + "/upstream/python/" + file));
    CHECK(upstream::python_source(file) == contents);
  }
}

TEST_CASE("the arguments are one line of Python that reads the descriptor by position") {
  const std::vector<std::string> arguments = upstream::python_arguments(5);
  REQUIRE(arguments.size() == 2);
  CHECK(arguments[0] == "-c");
  CHECK(arguments[1] ==
        "import os;n=5;i=iter(os.pread(n,os.fstat(n).st_size,0).decode().split(\"\\0\"));os.close(n);"
        "s=dict(zip(i,i));exec(compile(s[\"bootstrap.py\"],\"<portherd/bootstrap.py>\",\"exec\"),"
        "{\"__name__\":\"_portherd.bootstrap\",\"sources\":s})");
}
