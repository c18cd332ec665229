// What a command says when it fails, and the exit status that goes with it (docs/design.md, "The command
// line").
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "conf/origin.h"
#include "runtime/result.h"

namespace supervisor {

inline constexpr int kExitDone = 0;
inline constexpr int kExitFailed = 1;
inline constexpr int kExitUsage = 2;
inline constexpr int kExitNotAllReady = 3;

/// One line on stderr, "portherd: ...".
void complain(std::string_view sentence);
/// Says it, and gives its exit status.
int complain(const runtime::Error& error);
/// Every problem, and then how many there are: exit status 2.
int complain(const std::vector<conf::Problem>& problems);
/// How many there are alone, where they are told otherwise: exit status 2.
int complain_of(std::size_t problems);

int exit_status(runtime::Code code);

/// Whole, to stdout.
void print(std::string_view text);

}  // namespace supervisor
