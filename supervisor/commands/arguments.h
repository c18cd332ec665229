// The door to CLI11: a command line becomes values, or an exit status with a sentence on stderr. Its
// exceptions end here.
#pragma once
#include <CLI/CLI.hpp>
#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/text.h"
#include "supervisor/commands/complain.h"

namespace supervisor {

/// What the words of a command line may be, one a line, for the completion of a shell: options, and APP where the name
/// of an app may stand. (Words that stand alone, as `on` and `off` do, are in --help.)
inline std::string words_of(const CLI::App& line) {
  std::string words;
  for (const CLI::Option* option : line.get_options()) {
    if (option->get_group().empty()) continue;  // known only to be answered
    for (const std::string& name : option->get_snames()) words += "-" + name + "\n";
    for (const std::string& name : option->get_lnames()) words += "--" + name + "\n";
    if (option->get_positional() && option->get_name(true) == "APP") words += "APP\n";
  }
  return words;
}

/// A verb's part of portherd(1), in the language of scdoc(5): its call, what it does, and its options.
inline std::string manual_of(const CLI::App& line) {
  std::string call = "*" + runtime::scdoc(line.get_name()) + "* [OPTION...]", options;
  for (const CLI::Option* option : line.get_options()) {
    if (option == line.get_help_ptr()) continue;
    const std::string name = option->get_name(/*positional=*/option->get_positional(), /*all_options=*/true);
    if (option->get_positional()) call += option->get_required() ? " " + name : " [" + name + "]";
    std::string meaning = option->get_description();
    std::ranges::replace(meaning, '\n', ' ');
    const std::string value = option->get_positional() ? "" : option->get_type_name();
    options += "\t*" + runtime::scdoc(name) + "*" + (value.empty() ? "" : " " + runtime::scdoc(value)) + "\n\t\t" +
               runtime::scdoc(meaning) + "\n\n";
  }
  std::string meaning = line.get_description();
  std::ranges::replace(meaning, '\n', ' ');
  return call + "\n\t" + runtime::scdoc(meaning) + "\n\n" + options;
}

/// Nothing: go on. 0: --help was asked for, and given; or --words, by completion.cpp, or --manual, by
/// packaging/man/make. 2: the command line is wrong, and that has been said.
inline std::optional<int> parse(CLI::App& line, int argc, char** argv) {
  constexpr int kUsage = 2;
  const std::string_view only = argc == 2 ? argv[1] : "";
  if (only == "--words" || only == "--manual") {
    print(only == "--words" ? words_of(line) : manual_of(line));
    return 0;
  }
  line.failure_message([](const CLI::App* of, const CLI::Error& error) {
    return std::string("portherd: ") + error.what() + "; `" + of->get_name() + " --help` says more\n";
  });
  try {
    line.parse(argc, argv);
    return std::nullopt;
  } catch (const CLI::ParseError& error) {
    return line.exit(error) == 0 ? 0 : kUsage;
  }
}

/// What follows "--" is a command, whatever it looks like.
struct Words {
  int count;                         ///< of argv, before "--"
  std::vector<std::string> command;  ///< after it
};
inline Words words_and_command(int argc, char** argv) {
  const auto end =
      std::find_if(argv + 1, argv + argc, [](const char* text) { return std::string_view(text) == "--"; });
  Words words{.count = static_cast<int>(end - argv), .command = {}};
  if (end != argv + argc) words.command.assign(end + 1, argv + argc);
  return words;
}

}  // namespace supervisor
