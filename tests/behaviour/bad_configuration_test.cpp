#include <filesystem>

#include "play.h"

namespace {

// What `serve` and `check` say of a file, and that they say it with exit status 2 and start nothing.
std::string refusal(const play::Folder& folder, const std::string& config) {
  const std::string file = folder.write("portherd.toml", config);
  const play::Ended check = play::portherd({"check", "-c", file});
  CHECK(check.status == 2);
  const play::Ended serve = play::portherd({"serve", "-c", file});
  CHECK(serve.status == 2);
  const std::string said = check.out + check.err;
  CHECK_MESSAGE(serve.err.find(said.substr(0, said.find('\n'))) != std::string::npos, serve.err);
  return said;
}

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("an unknown key is shown with its place, its line and the nearest known key") {
  const play::Folder folder;
  const std::string said = refusal(folder,
                                   "[listen]\nhttp = [\"127.0.0.1:8000\"]\n"
                                   "[apps.shop]\ncommand = [\"sh\"]\nworker = 2\n");
  CAPTURE(said);
  CHECK(has(said, "portherd.toml:5:1"));
  CHECK(has(said, "worker = 2"));
  CHECK(has(said, "workers"));
}

TEST_CASE("a wrong type is shown with its place") {
  const play::Folder folder;
  const std::string said = refusal(folder,
                                   "[listen]\nhttp = [\"127.0.0.1:8000\"]\n"
                                   "[apps.shop]\ncommand = [\"sh\"]\nworkers = \"many\"\n");
  CAPTURE(said);
  CHECK(has(said, "portherd.toml:5:11"));
  CHECK(has(said, "many"));
}

TEST_CASE("check shows all mistakes, not only the first") {
  const play::Folder folder;
  const std::string said =
      refusal(folder,
              "[listen]\nhttp = [\"127.0.0.1:8000\", \"127.0.0.1:8000\"]\n"
              "[apps.shop]\ncommand = [\"no-such-program-here\"]\ndirectory = \"nowhere\"\n");
  CAPTURE(said);
  CHECK(has(said, "127.0.0.1:8000"));
  CHECK(has(said, "no-such-program-here"));
  CHECK(has(said, "nowhere"));
}

TEST_CASE("check shows every line that cannot be read, and what is wrong with the others, by their lines") {
  const play::Folder folder;
  const std::string said =
      refusal(folder,
              "[listen]\nhttp = [\"127.0.0.1:8000\"]\nhtpps = []\n"
              "[apps.shop]\ncommand = [\"sh\"]\nqueue_timeout = 10\ndirectory = \"nowhere\"\n"
              "max_body = \"1 elephant\"\n");
  CAPTURE(said);
  CHECK(has(said, "portherd.toml:7:1"));
  CHECK(said.find("portherd.toml:7:1") < said.find("portherd.toml:8:12"));
  CHECK(has(said, "4 problems"));
  CHECK(has(said, "portherd.toml:3:1"));
  CHECK(has(said, "portherd.toml:6:17"));
  CHECK(has(said, "portherd.toml:8:12"));
}

TEST_CASE("check tells programs of each mistake: where it is, and what is wrong") {
  const play::Folder folder;
  const std::string file = folder.write("portherd.toml", "[listen]\nhttp = [\"127.0.0.1:8000\"]\n[apps.shop]\ncommand = [\"sh\"]\n");
  const play::Ended sound = play::portherd({"check", "--json", "-c", file});
  CHECK(sound.status == 0);
  CHECK(sound.out == "[]\n");
  CHECK(sound.err.empty());
  folder.write("portherd.toml", "[listen]\nhttp = [\"127.0.0.1:8000\"]\n[apps.shop]\ncommand = [\"sh\"]\nmax_body = \"1 elephant\"\n");
  const play::Ended broken = play::portherd({"check", "--json", "-c", file});
  CAPTURE(broken.out);
  CHECK(broken.status == 2);
  CHECK(broken.err == "portherd: 1 problem\n");
  CHECK(broken.out.starts_with("[\n  {\n    \"file\": \"" + file + "\",\n    \"line\": 5,\n    \"column\": 12,\n    \"message\": \""));
  CHECK(has(broken.out, "1 elephant"));
  CHECK(play::portherd({"check", "--json", "--print", "-c", file}).status == 2);
}

TEST_CASE("a file that is not there is named") {
  const play::Folder folder;
  for (const char* const verb : {"serve", "check"}) {
    const play::Ended ended = play::portherd({verb, "-c", folder / "nowhere.toml"});
    CHECK(ended.status == 2);
    CHECK(has(ended.err + ended.out, "nowhere.toml"));
  }
}

TEST_CASE("a port in use is named, and nothing is left running") {
  const play::Folder folder;
  const std::uint16_t port = play::free_port();
  auto other = play::Supervisor::serve(folder, R"(
[listen]
http = ["127.0.0.1:$PORT"]
[apps.who]
command = ["$PYTHON", "$APPS/who.py"]
)");
  const play::Folder second;
  const std::string taken = std::to_string(other.port());
  const std::string file = second.write(
      "portherd.toml", "[listen]\nhttp = [\"127.0.0.1:" + std::to_string(port) + "\", \"127.0.0.1:" + taken +
                           "\"]\n[apps.shop]\ncommand = [\"sleep\", \"1000\"]\n");
  const play::Ended ended = play::portherd({"serve", "-c", file});
  CHECK(ended.status == 1);
  CHECK(has(ended.err, taken));
  CHECK(has(ended.err, "in use"));
  CHECK(play::get(other.port()).status == 200);  // the one that had it is not disturbed
}

TEST_CASE("a second serve with the same file says that it is running already") {
  const play::Folder folder;
  auto portherd = play::Supervisor::serve(folder, R"(
[listen]
http = ["127.0.0.1:$PORT"]
[apps.who]
command = ["$PYTHON", "$APPS/who.py"]
)");
  const play::Ended second = play::portherd({"serve", "-c", portherd.config_file()});
  CHECK(second.status == 1);
  CHECK(has(second.err, std::to_string(portherd.pid())));
  CHECK(play::get(portherd.port()).status == 200);
  CHECK(portherd.status().supervisor == portherd.pid());
}

TEST_CASE("an unreadable key is found before anything starts") {
  const play::Folder folder;
  folder.certificate("localhost");
  folder.write("tls/localhost.key", "not a key");
  const std::string file =
      folder.write("portherd.toml", "[listen]\nhttps = [\"127.0.0.1:" + std::to_string(play::free_port()) +
                                        "\"]\n[tls]\ncertificates = \"tls\"\n[apps.a]\n"
                                        "command = [\"sh\", \"-c\", \"touch started; sleep 1000\"]\n");
  const play::Ended ended = play::portherd({"serve", "-c", file});
  CHECK(ended.status == 2);
  CHECK(has(ended.err, "localhost"));
  CHECK_FALSE(std::filesystem::exists(folder / "started"));
}

TEST_CASE("an unknown verb or option is usage, exit status 2, with one line that says so") {
  for (const play::Arguments& arguments :
       {play::Arguments{"frobnicate"}, play::Arguments{"front"}, play::Arguments{"serve", "--no-such"},
        play::Arguments{"status", "app", "extra"}}) {
    CAPTURE(arguments[0]);
    const play::Ended ended = play::portherd(arguments);
    CHECK(ended.status == 2);
    CHECK_FALSE(ended.err.empty());
  }
}

TEST_CASE("check --print shows the effective configuration, and that is a configuration") {
  const play::Folder folder;
  const std::string file =
      folder.write("portherd.toml",
                   "[listen]\nhttp = [\"127.0.0.1:8000\"]\n[apps.shop]\ncommand = [\"sh\"]\nworkers = 3\n");
  const play::Ended printed = play::portherd({"check", "--print", "-c", file});
  CHECK(printed.status == 0);
  CHECK(has(printed.out, "workers = 3"));
  CHECK(has(printed.out, "portherd.toml:5"));  // where it comes from
  CHECK(has(printed.out, "queue_size = 1000"));
  const play::Ended again = play::portherd({"check", "-c", folder.write("again.toml", printed.out)});
  CHECK_MESSAGE(again.status == 0, (again.err + again.out));
}
