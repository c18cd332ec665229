#include "examples.h"

namespace play {

std::string example(const Folder& folder, const std::string& name) {
  folder.copy("examples/" + name);
  std::string config = folder.read("portherd.toml");
  const std::string address = "127.0.0.1:8000";
  const std::size_t at = config.find(address);
  REQUIRE(at != std::string::npos);
  return config.replace(at, address.size(), "127.0.0.1:$PORT");
}

}  // namespace play
