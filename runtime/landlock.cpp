// By the system calls themselves: glibc has no functions for them, and the headers that we are built with know an older version
// than the kernel may have.
#include "runtime/landlock.h"

#include <linux/landlock.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>

namespace runtime {
namespace {

// struct landlock_ruleset_attr of version 6. An older kernel takes it as long as what it does not know is 0.
struct Ruleset {
  std::uint64_t files = 0, network = 0, scopes = 0;
};

struct Right {
  int since;  ///< the version of Landlock
  std::uint64_t bits;
};

// Bit by bit as include/uapi/linux/landlock.h has them.
constexpr std::uint64_t kTruncate = 1U << 14;
constexpr Right kFiles[] = {{1, 0x1fff}, {2, LANDLOCK_ACCESS_FS_REFER}, {3, kTruncate}, {5, 1U << 15 /* ioctl on devices */}};
constexpr Right kBind{4, 1U << 0}, kConnect{4, 1U << 1};
constexpr Right kScopes{6, (1U << 0 /* abstract sockets */) | (1U << 1 /* signals */)};

constexpr std::uint64_t kReading = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR;
// Not READ_DIR: what others have in a folder for temporary files is nobody's to look for.
constexpr std::uint64_t kWriting = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_MAKE_REG |
                                   LANDLOCK_ACCESS_FS_REMOVE_FILE | kTruncate;

std::uint64_t known(const Right& right, int version) { return version >= right.since ? right.bits : 0; }

Ruleset refused(int version, bool may_connect) {
  Ruleset ruleset{.network = known(kBind, version), .scopes = known(kScopes, version)};
  for (const Right& right : kFiles) ruleset.files |= known(right, version);
  if (!may_connect) ruleset.network |= known(kConnect, version);
  return ruleset;
}

Result<void> allow(const Fd& ruleset, const Land& land, std::uint64_t handled) {
  landlock_path_beneath_attr rule{};
  rule.allowed_access = (land.use == Land::Use::kWrite ? kWriting : kReading) & handled;
  rule.parent_fd = land.folder.get();
  if (::syscall(SYS_landlock_add_rule, ruleset.get(), LANDLOCK_RULE_PATH_BENEATH, &rule, 0) == 0) return {};
  return fail(Code::kSystem, "Landlock does not take a folder", errno);
}

}  // namespace

int landlock_version() {
  const long version = ::syscall(SYS_landlock_create_ruleset, nullptr, 0, LANDLOCK_CREATE_RULESET_VERSION);
  return version > 0 ? static_cast<int>(version) : 0;
}

Result<void> enter_landlock(const std::vector<Land>& lands, bool may_connect) {
  const Ruleset all = refused(landlock_version(), may_connect);
  const Fd ruleset(static_cast<int>(::syscall(SYS_landlock_create_ruleset, &all, sizeof all, 0)));
  if (!ruleset) return fail(Code::kSystem, "Landlock cannot be had", errno);
  for (const Land& land : lands) TRY_VOID(allow(ruleset, land, all.files));
  if (::syscall(SYS_landlock_restrict_self, ruleset.get(), 0) == 0) return {};
  return fail(Code::kSystem, "Landlock cannot be entered", errno);
}

}  // namespace runtime
