#include "examples.h"

namespace {
bool is_missing() {
  if (play::run({play::python(), "-c", "import django"}).status == 0) return false;
  MESSAGE("skipped: Django is not installed (packaging/build-deps installs it)");
  return true;
}
}  // namespace

TEST_CASE("Django by wsgi: examples/python-django") {
  if (is_missing()) return;
  const play::Folder folder;
  auto portherd = play::Supervisor::serve(folder, play::example(folder, "python-django"));
  CHECK(portherd.wait_ready().app("shop").workers.size() == 2);
  CHECK(play::get(portherd.port()).status == 200);
}

TEST_CASE("run serves a Django project over http/1.1 and h2, from two workers with a socket each") {
  if (is_missing()) return;
  const play::Folder folder;
  folder.copy("examples/python-django");
  auto portherd = play::Supervisor::run(folder,
                                        {"shop.wsgi:application", "--python", "$PYTHON", "--workers", "2",
                                         "--bind", "127.0.0.1:$PORT", "--tls"},
                                        {{"HOME", folder.path()},
                                         {"XDG_DATA_HOME", ""},
                                         {"DJANGO_SETTINGS_MODULE", "shop.settings"},
                                         {"SECRET_KEY", "for a test"}});
  const play::Status status = portherd.wait_ready();
  REQUIRE(status.apps.at(0).workers.size() == 2);
  CHECK(status.apps[0].workers[0].pid != status.apps[0].workers[1].pid);

  const std::string url = "https://127.0.0.1:" + std::to_string(portherd.tls_port()) + "/";
  const play::Ended h1 =
      play::run({"curl", "-sS", "-k", "--http1.1", "-w", " %{http_version} %{http_code}", url});
  CHECK(h1.out.ends_with(" 1.1 200"));
  const play::Ended h2 =
      play::run({"curl", "-sS", "-k", "--http2", "-w", " %{http_version} %{http_code}", url});
  CHECK(h2.out.ends_with(" 2 200"));
  const play::Ended plain = play::run({"curl", "-sS", "-w", " %{http_version} %{http_code}",
                                       "http://127.0.0.1:" + std::to_string(portherd.port()) + "/"});
  CHECK(plain.out.ends_with(" 1.1 200"));
}
