#!/bin/sh
# Starts the app's programs with a Node it can find: ismalicious.sh [lookup | check | quota | extract | feedback | records | triage | keys] [ARGUMENT …]
# Without a word it is the search command. Node is looked for in this order, and has to be 22 or newer:
#   1. ISMALICIOUS_RUNTIME_NODE, or "node" under [runtime] in local/ismalicious.conf
#   2. linux_x86_64/bin/node or linux_aarch64/bin/node in this app, where the package brings one
#   3. every node on PATH
LC_ALL=C
export LC_ALL

LEAST=22
BIN=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd) || exit 1
APP=${BIN%/*}

# Splunk points this at its own libraries; a Node of the machine wants those of the machine.
unset LD_LIBRARY_PATH

configured() {
  [ -r "$APP/local/ismalicious.conf" ] || return 0
  stanza=
  while IFS= read -r line || [ -n "$line" ]; do
    case $line in
      '['*) stanza=$line ;;
      node*=*)
        [ "$stanza" = '[runtime]' ] || continue
        value=${line#*=}
        value=${value#"${value%%[! 	]*}"}
        printf '%s' "${value%"${value##*[! 	]}"}"
        ;;
    esac
  done <"$APP/local/ismalicious.conf"
}

new_enough() {
  version=$("$1" --version 2>/dev/null) || return 1
  version=${version#v}
  version=${version%%.*}
  case $version in
    '' | *[!0-9]*) return 1 ;;
  esac
  [ "$version" -ge "$LEAST" ]
}

in_app() {
  [ -x "$APP/linux_x86_64/bin/node" ] || [ -x "$APP/linux_aarch64/bin/node" ] || return 1
  case $(uname -s)-$(uname -m) in
    Linux-x86_64 | Linux-amd64) NODE=$APP/linux_x86_64/bin/node ;;
    Linux-aarch64 | Linux-arm64) NODE=$APP/linux_aarch64/bin/node ;;
    *) return 1 ;;
  esac
  [ -x "$NODE" ]
}

on_path() {
  rest=$PATH:
  while [ -n "$rest" ]; do
    NODE=${rest%%:*}/node
    rest=${rest#*:}
    if [ -x "$NODE" ] && [ ! -d "$NODE" ] && new_enough "$NODE"; then return 0; fi
  done
  return 1
}

# Says why nothing can be done, in the words the caller understands, and ends.
refuse() {
  case $1 in
    lookup | triage | keys) ;;
    *)
      # A reply of the chunked protocol v2: Splunk shows its message above the results.
      IFS= read -r _ || :
      reply="{\"type\":\"stateful\",\"inspector\":{\"messages\":[[\"ERROR\",\"$2\"]]},\"finished\":true}"
      printf 'chunked 1.0,%d,0\n%s' "${#reply}" "$reply"
      ;;
  esac
  printf '%s\n' "$2" >&2
  exit 1
}

case ${1-} in
  # splunkd starts alert actions with this word unless told otherwise.
  --execute)
    word=triage
    program=$BIN/programs/triage.js
    ;;
  lookup | check | quota | extract | feedback | records | triage | keys)
    word=$1
    shift
    program=$BIN/programs/$word.js
    ;;
  *)
    word=search
    program=$BIN/ismalicious.js
    ;;
esac

NODE=${ISMALICIOUS_RUNTIME_NODE:-$(configured)}
if [ -n "$NODE" ]; then
  new_enough "$NODE" || refuse "$word" "isMalicious: the Node that is configured does not run or is older than $LEAST; correct node under [runtime] in ismalicious.conf, or ISMALICIOUS_RUNTIME_NODE."
elif ! in_app && ! on_path; then
  refuse "$word" "isMalicious: no Node $LEAST or newer found on this search head; install the package that brings one, or name one as node under [runtime] in local/ismalicious.conf."
fi
exec "$NODE" "$program" "$@"
