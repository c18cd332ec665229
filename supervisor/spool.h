// The folder for the front's temporary files ([front] spool), opened here because the front is told of no path. What is
// made in it, and how much, is the front's business; its user must be able to write there.
#pragma once
#include <string>

#include "runtime/fd.h"
#include "runtime/result.h"

namespace supervisor {

/// For upstream::Spool: opened by O_PATH, which asks for no right but to reach it.
runtime::Result<runtime::Fd> open_spool(const std::string& folder);

}  // namespace supervisor
