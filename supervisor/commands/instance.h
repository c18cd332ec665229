// Which running supervisor a command means: the one of `-c FILE`, else of the system's file, else the one
// running here.
#pragma once
#include <string>
#include <vector>

#include "runtime/result.h"
#include "supervisor/runtime_folder.h"

namespace supervisor {

inline constexpr const char* kSystemFile = "/etc/portherd/portherd.toml";

/// The file to be read: `given`, or the system's.
std::string settings_file(const std::string& given);

/// Its control socket. `given` may be empty.
runtime::Result<std::string> find_control(const std::string& given);

/// Among the living: the one that was started in `directory`, else the only one. Pure.
runtime::Result<std::string> choose_instance(const std::vector<Instance>& living,
                                             const std::string& directory);

}  // namespace supervisor
