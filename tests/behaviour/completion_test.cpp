// `portherd completion bash`, tried in bash.
#include "play.h"

namespace {

// What bash is offered for the last of these words.
std::string offered(const play::Arguments& words) {
  std::string script = "source <('" + play::path_of_portherd() + "' completion bash); COMP_WORDS=('" +
                       play::path_of_portherd() + "'";
  for (const std::string& word : words) script += " '" + word + "'";
  script += "); COMP_CWORD=" + std::to_string(words.size()) + "; _portherd; echo \"${COMPREPLY[*]}\"";
  const play::Ended ended = play::run({"bash", "-c", script});
  CHECK(ended.err.empty());
  return ended.out;
}

}  // namespace

TEST_CASE("bash completes verbs and options, and the names of the apps that run") {
  if (!play::is_installed("bash")) return;
  CHECK(offered({"res"}) == "restart resume\n");
  CHECK(offered({"front"}) == "\n");
  CHECK(offered({"status", "--"}) == "--help --config --json\n");
  CHECK(offered({"run", "--thr"}) == "--threads\n");
  CHECK(offered({"version", ""}) == "\n");

  const play::Folder folder;
  auto portherd = play::Supervisor::serve(folder, R"(
[listen]
http = ["127.0.0.1:$PORT"]
[apps.shop]
proxy = ["unix:shop.sock"]
[apps.shelf]
hosts = ["shelf.example"]
proxy = ["unix:shelf.sock"]
)");
  const std::string file = portherd.config_file();
  CHECK(offered({"restart", "-c", file, "sho"}) == "shop\n");
  CHECK(offered({"logs", "-c", file, "she"}) == "shelf\n");
  CHECK(offered({"reload", "-c", file, "sh"}) == "\n");
}
