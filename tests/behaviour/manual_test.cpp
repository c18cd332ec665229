// portherd(1) and portherd.toml(5): what the program says of itself, and what scdoc makes of it.
#include "play.h"

TEST_CASE("the manual has every verb that the usage has, with its options") {
  const std::string manual = play::run({play::path_of_portherd(), "--manual"}).out;
  std::istringstream verbs(play::run({play::path_of_portherd(), "--words"}).out);
  std::size_t count = 0;
  for (std::string verb; std::getline(verbs, verb); ++count) {
    CAPTURE(verb);
    CHECK(manual.find("*portherd " + verb + "* [OPTION...]") != std::string::npos);
    std::istringstream words(play::run({play::path_of_portherd(), verb, "--words"}).out);
    for (std::string word; std::getline(words, word);) {
      if (word != "-h" && word != "--help") CHECK(manual.find(word) != std::string::npos);
    }
  }
  CHECK(count > 15);
}

TEST_CASE("scdoc and man take both pages without a word") {
  if (!play::is_installed("scdoc")) return;
  const play::Folder folder;
  const play::Ended made =
      play::run({play::source("packaging/man/make"), play::path_of_portherd(), folder / "man"});
  CHECK(made.status == 0);
  CHECK(made.err.empty());
  for (const char* const page : {"portherd.1", "portherd.toml.5"}) {
    const std::string text = folder.read(std::string("man/") + page);
    CHECK(text.find(".SH") != std::string::npos);
    CHECK(text.find("@GENERATED@") == std::string::npos);
  }
}
