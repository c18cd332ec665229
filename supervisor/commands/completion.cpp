// portherd completion: a script for a shell. What may stand where is asked of portherd itself while somebody types
// (`portherd --words`: the verbs; `portherd VERB --words`: arguments.h; the apps: of `status --json`), so that the
// script is right for whichever version is installed.
#include "supervisor/commands/arguments.h"
#include "supervisor/commands/commands.h"
#include "supervisor/commands/complain.h"

namespace supervisor {
namespace {

constexpr std::string_view kBash = R"bash(# bash completion for portherd: source <(portherd completion bash)

# The names of the apps that run, of the configuration that the line names if it does.
_portherd_apps() {
  local i
  local -a config=()
  for ((i = 2; i + 1 < ${#COMP_WORDS[@]}; i++)); do
    case ${COMP_WORDS[i]} in -c|--config) config=(-c "${COMP_WORDS[i + 1]}") ;; esac
  done
  # Of the apps, and of nothing deeper: their names have this much room in front of them.
  "${COMP_WORDS[0]}" status --json "${config[@]}" 2>/dev/null | sed -n 's/^      "name": "\([^"]*\)".*/\1/p'
}

_portherd() {
  local word=${COMP_WORDS[COMP_CWORD]} verb=${COMP_WORDS[1]} before=${COMP_WORDS[COMP_CWORD - 1]} words
  COMPREPLY=()
  if ((COMP_CWORD == 1)); then
    words=$("${COMP_WORDS[0]}" --words)
  elif [[ $before == -c || $before == --config ]]; then
    COMPREPLY=($(compgen -f -- "$word"))
    return
  else
    words=$("${COMP_WORDS[0]}" "$verb" --words 2>/dev/null)
    if [[ $word == -* ]]; then
      words=$(grep '^-' <<<"$words")
    elif grep -qx APP <<<"$words"; then
      words=$(_portherd_apps)
    else
      words=
    fi
  fi
  COMPREPLY=($(compgen -W "$words" -- "$word"))
}

complete -o default -F _portherd portherd
)bash";

}  // namespace

int completion_command(int argc, char** argv) {
  CLI::App line("Prints what makes a shell complete portherd's command line: source <(portherd completion bash)",
                argv[0]);
  std::string shell;
  line.add_option("SHELL", shell, "bash")->required()->type_name("")->check(CLI::IsMember({"bash"}));
  if (const auto status = parse(line, argc, argv)) return *status;
  print(kBash);
  return kExitDone;
}

}  // namespace supervisor
