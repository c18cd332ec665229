# What the scripts of this folder have in common: steps that are counted, and the last line that tests/run counts by.
passed=0 failed=0

ok() { passed=$((passed + 1)); echo "ok      $1"; }
bad() { failed=$((failed + 1)); echo "FAILED  $1"; [ -z "${2-}" ] || sed 's/^/        /' <<<"$2"; }

step() {  # WHAT IS PROMISED, command...: it ends with status 0
  local name=$1 said
  shift
  if said=$("$@" 2>&1); then ok "$name"; else bad "$name" "$said"; fi
}

# Until it holds; 30 s are long for all that is waited for here.
wait_until() {
  for _ in $(seq 300); do
    "$@" >/dev/null 2>&1 && return
    sleep 0.1
  done
  echo "waited in vain for: $*"
  return 1
}

finish() {
  printf '%d passed, %d failed\n' "$passed" "$failed"
  [ "$failed" = 0 ] && [ "$passed" != 0 ]
  exit
}
