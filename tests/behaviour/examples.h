// An example of the project, served from a copy in which only the port is another one.
#pragma once
#include "play.h"

namespace play {

/// The portherd.toml of examples/NAME in the folder, listening on $PORT.
std::string example(const Folder&, const std::string& name);

}  // namespace play
