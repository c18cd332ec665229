#include "supervisor/spool.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>

#include "doctest_precompiled.h"

TEST_CASE("in the folder that was opened a file without a name can be made") {
  const auto folder = supervisor::open_spool(std::filesystem::temp_directory_path());
  REQUIRE(folder.has_value());
  const runtime::Fd file(::openat(folder->get(), ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));
  // Not every file system has O_TMPFILE; none says that there is no folder.
  CHECK((file || errno == EOPNOTSUPP));
}

TEST_CASE("a folder that is none is an error of the configuration, and says what to do") {
  for (const char* path : {"/nowhere/at/all", "/dev/null"}) {
    const auto folder = supervisor::open_spool(path);
    REQUIRE_FALSE(folder.has_value());
    CHECK(folder.error().code == runtime::Code::kConfig);
    CHECK(folder.error().text().find("set `spool` in [front]") != std::string::npos);
  }
}
