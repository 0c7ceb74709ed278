# bash completion for barrow and barrow-sim; the words come from the programs' own --help.
_barrow_words() {
  # Commands stand two spaces in under "Commands:", options start with a hyphen.
  "$@" --help 2>/dev/null | awk '
    /^Commands:/ { commands = 1; next }
    /^[A-Z]/ { commands = 0 }
    commands && /^  [a-z]/ { split($1, word, "|"); print word[1] }
    { line = $0; while (match(line, /--[a-z][a-z0-9-]*/)) { print substr(line, RSTART, RLENGTH); line = substr(line, RSTART + RLENGTH) } }' | sort -u
}

_barrow() {
  local current="${COMP_WORDS[COMP_CWORD]}" previous="${COMP_WORDS[COMP_CWORD - 1]}" path=() word
  case "$previous" in
    -c | --config | --key | --trust | --out | --bundle | --inputs | --state | --dir | --scenario)
      compopt -o filenames 2>/dev/null
      mapfile -t COMPREPLY < <(compgen -f -- "$current")
      return
      ;;
  esac
  for word in "${COMP_WORDS[@]:0:COMP_CWORD}"; do
    case "$word" in
      -* | */*) ;;
      *) [ "${#path[@]}" -lt 3 ] && path+=("$word") ;;
    esac
  done
  mapfile -t COMPREPLY < <(compgen -W "$(_barrow_words "${path[@]}")" -- "$current")
  [ "${#COMPREPLY[@]}" -gt 0 ] || { compopt -o filenames 2>/dev/null; mapfile -t COMPREPLY < <(compgen -f -- "$current"); }
}
complete -F _barrow barrow barrow-sim
