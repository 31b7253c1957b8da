/**
 * Completion for bash, zsh and fish, made from the command table: commands, flags, and the values that a flag takes.
 *
 * The scripts never run `bd`: what they know is written into them. All three read the words before the cursor as `Argv`
 * does: flags may stand anywhere, and the value of one is no command. Pure.
 */
import { type CommandSpec, type FlagName, flagNames } from "./CommandSpec.ts"
import { commands, globalFlags, groups } from "./CommandTable.ts"

export type Shell = "bash" | "zsh" | "fish"

const all: ReadonlyArray<CommandSpec> = commands

const shown = all.filter(({ hidden }) => hidden !== true)

/** Something that can be typed, and what it means. */
interface Word {
  readonly name: string
  readonly summary: string
}

/** What can come behind the words of `path`. */
interface Place {
  readonly path: string
  /** Commands one word deeper. */
  readonly words: ReadonlyArray<Word>
  readonly flags: ReadonlyArray<Word>
}

const under = (path: ReadonlyArray<string>, command: CommandSpec): boolean =>
  command.path.length > path.length && path.every((word, i) => command.path[i] === word)

const wordsUnder = (path: ReadonlyArray<string>): ReadonlyArray<Word> => {
  const words = new Map<string, string>()
  for (const command of shown.filter(each => under(path, each))) {
    const name = command.path[path.length] ?? ""
    if (!words.has(name)) words.set(name, (path.length === 0 ? groups.get(name) : undefined) ?? command.summary)
  }
  return [...words].map(([name, summary]) => ({ name, summary }))
}

const wordOf = (name: string, { fromFile, spec }: FlagName): Word => ({
  name,
  summary: fromFile ? `${spec.summary}, from a file` : spec.summary
})

/** Names of flags that are offered: aliases are understood, and not offered. */
const offered = ([name, { flag, fromFile, spec }]: readonly [string, FlagName]): boolean =>
  spec.hidden !== true && (!name.startsWith("--") || name === (fromFile ? `--${flag}-file` : `--${flag}`))

const globals = [...flagNames(globalFlags)]

const flagsOf = (command: CommandSpec | undefined): ReadonlyArray<readonly [string, FlagName]> =>
  command === undefined ? [] : [...flagNames(command.flags)]

/** Every path that words can follow, the shortest first. */
const places: ReadonlyArray<Place> = (() => {
  const paths = new Map<string, ReadonlyArray<string>>([["", []]])
  for (const { path } of shown) {
    for (const [i] of path.entries()) paths.set(path.slice(0, i + 1).join(" "), path.slice(0, i + 1))
  }
  return [...paths].map(([path, words]) => ({
    path,
    words: wordsUnder(words),
    flags: [...flagsOf(shown.find(command => command.path.join(" ") === path)), ...globals]
      .filter(offered)
      .map(([name, flag]) => wordOf(name, flag))
  }))
})()

/** `from` and a word lead to `to`; an alias leads where its command does. */
const steps: ReadonlyArray<{ readonly from: string; readonly names: ReadonlyArray<string>; readonly to: string }> =
  places.flatMap(({ path, words }) =>
    words.map(({ name }) => {
      const to = path === "" ? name : `${path} ${name}`
      return { from: path, names: [name, ...(all.find(each => each.path.join(" ") === to)?.aliases ?? [])], to }
    })
  )

/** A flag at a place; the place `*` is any. */
interface Taking {
  readonly path: string
  readonly name: string
  readonly spec: FlagName
}

const taking: ReadonlyArray<Taking> = [
  ...globals.map(([name, spec]) => ({ path: "*", name, spec })),
  ...shown.flatMap(command => flagsOf(command).map(([name, spec]) => ({ path: command.path.join(" "), name, spec })))
].filter(({ spec }) => spec.spec.kind !== "none")

const takesFile = ({ spec: { fromFile, spec } }: Taking): boolean => fromFile || /^(FILE|PATH)/.test(spec.value ?? "")

const valuesOf = ({ spec: { fromFile, spec } }: Taking): ReadonlyArray<string> => (fromFile ? [] : (spec.choices ?? []))

// ---------------------------------------------------------------------------------------------------------------------
// bash and zsh: one set of tables, as functions of `case`
// ---------------------------------------------------------------------------------------------------------------------

const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`

/** A pattern of `case` for a place and a word. */
const pattern = (path: string, name: string): string =>
  path === "*" ? `*${quoted(`:${name}`)}` : quoted(`${path}:${name}`)

const patterns = (takings: ReadonlyArray<Taking>): string =>
  takings.map(({ name, path }) => pattern(path, name)).join("|")

const printed = (lines: ReadonlyArray<string>): string => `printf '%s\\n' ${lines.map(quoted).join(" ")}`

/** Takings by the values they take, so that each list stands once. */
const byValues = (): ReadonlyArray<readonly [ReadonlyArray<string>, ReadonlyArray<Taking>]> => {
  const lists = new Map<string, Array<Taking>>()
  for (const each of taking) {
    const values = valuesOf(each)
    if (values.length > 0) lists.set(values.join("\n"), [...(lists.get(values.join("\n")) ?? []), each])
  }
  return [...lists].map(([values, takings]) => [values.split("\n"), takings])
}

const tables = (show: (word: Word) => string): string => `
# the place that a word leads to from a place, in REPLY
_bd_step() {
  case "$1:$2" in
${steps.map(({ from, names, to }) => `    ${names.map(name => pattern(from, name)).join("|")}) REPLY=${quoted(to)} ;;`).join("\n")}
    *) return 1 ;;
  esac
}

# whether a flag takes the next word
_bd_takes() {
  case "$1:$2" in
    ${patterns(taking)}) ;;
    *) return 1 ;;
  esac
}

_bd_takes_file() {
  case "$1:$2" in
    ${patterns(taking.filter(takesFile))}) ;;
    *) return 1 ;;
  esac
}

_bd_values() {
  case "$1:$2" in
${byValues()
  .map(([values, takings]) => `    ${patterns(takings)}) ${printed(values)} ;;`)
  .join("\n")}
  esac
}

_bd_commands() {
  case "$1" in
${places
  .filter(({ words }) => words.length > 0)
  .map(({ path, words }) => `    ${quoted(path)}) ${printed(words.map(show))} ;;`)
  .join("\n")}
  esac
}

_bd_flags() {
  case "$1" in
${places.map(({ flags, path }) => `    ${quoted(path)}) ${printed(flags.map(show))} ;;`).join("\n")}
  esac
}
`

const bash = (): string => `# Completion of bd for bash, made by: bd completion bash
${tables(({ name }) => name)}
_bd() {
  local cur=\${COMP_WORDS[COMP_CWORD]} place= flag= open=1 help= at=1 word REPLY
  COMPREPLY=()
  while (( at < COMP_CWORD )); do
    word=\${COMP_WORDS[at]}
    at=$((at + 1))
    case "$word" in
      --) return 0 ;;
      -*)
        if _bd_takes "$place" "$word"; then
          # bash makes three words of --flag=value
          [[ \${COMP_WORDS[at]} == = ]] && at=$((at + 1))
          if (( at >= COMP_CWORD )); then flag=$word; fi
          at=$((at + 1))
        fi ;;
      *)
        if [[ -z $place && -z $help && $word == help ]]; then help=1
        elif [[ -n $open ]] && _bd_step "$place" "$word"; then place=$REPLY
        else open=
        fi ;;
    esac
  done
  [[ $cur == = ]] && cur=
  if [[ -n $flag ]]; then
    COMPREPLY=($(compgen -W "$(_bd_values "$place" "$flag")" -- "$cur"))
    if (( \${#COMPREPLY[@]} == 0 )) && _bd_takes_file "$place" "$flag"; then compopt -o default 2>/dev/null; fi
  elif [[ $cur == -* ]]; then
    COMPREPLY=($(compgen -W "$(_bd_flags "$place")" -- "$cur"))
  elif [[ -n $open ]]; then
    COMPREPLY=($(compgen -W "$(_bd_commands "$place")" -- "$cur"))
  fi
}

complete -F _bd bd
`

const zsh = (): string => `#compdef bd
# Completion of bd for zsh, made by: bd completion zsh
${tables(({ name, summary }) => `${name}:${summary}`)}
_bd() {
  local place= flag= open=1 help= word cur=\${words[CURRENT]} REPLY
  local -a found
  integer at=2
  while (( at < CURRENT )); do
    word=\${words[at]}
    (( at += 1 ))
    case "$word" in
      --) return 1 ;;
      -*)
        if _bd_takes "$place" "$word"; then
          if (( at >= CURRENT )); then flag=$word; fi
          (( at += 1 ))
        fi ;;
      *)
        if [[ -z $place && -z $help && $word == help ]]; then help=1
        elif [[ -n $open ]] && _bd_step "$place" "$word"; then place=$REPLY
        else open=
        fi ;;
    esac
  done
  if [[ -z $flag && $cur == --*=* ]]; then
    flag=\${cur%%=*}
    compset -P '*='
  fi
  if [[ -n $flag ]]; then
    found=(\${(f)"$(_bd_values "$place" "$flag")"})
    if (( $#found )); then _describe -t values value found
    elif _bd_takes_file "$place" "$flag"; then _files
    fi
  elif [[ $cur == -* ]]; then
    found=(\${(f)"$(_bd_flags "$place")"})
    _describe -o -t flags flag found
  elif [[ -n $open ]]; then
    found=(\${(f)"$(_bd_commands "$place")"})
    _describe -t commands command found
  fi
}

# from a directory of $fpath this file is the function itself; else it is sourced
if [[ \${funcstack[1]} == _bd ]]; then _bd "$@"; else compdef _bd bd; fi
`

// ---------------------------------------------------------------------------------------------------------------------
// fish
// ---------------------------------------------------------------------------------------------------------------------

const fishQuoted = (text: string): string => `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`

const fishPattern = (path: string, name: string): string => fishQuoted(`${path}:${name}`)

const fishPatterns = (takings: ReadonlyArray<Taking>): string =>
  takings.map(({ name, path }) => fishPattern(path, name)).join(" ")

const fishPrinted = (words: ReadonlyArray<Word>): string =>
  `printf '%s\\t%s\\n' ${words.map(({ name, summary }) => `${fishQuoted(name)} ${fishQuoted(summary)}`).join(" ")}`

const fish = (): string => `# Completion of bd for fish, made by: bd completion fish

function __bd_step
    switch "$argv[1]:$argv[2]"
${steps
  .map(
    ({ from, names, to }) =>
      `        case ${names.map(name => fishPattern(from, name)).join(" ")}\n            echo ${fishQuoted(to)}`
  )
  .join("\n")}
        case '*'
            return 1
    end
end

function __bd_takes
    switch "$argv[1]:$argv[2]"
        case ${fishPatterns(taking)}
            return 0
    end
    return 1
end

function __bd_takes_file
    switch "$argv[1]:$argv[2]"
        case ${fishPatterns(taking.filter(takesFile))}
            return 0
    end
    return 1
end

function __bd_values
    switch "$argv[1]:$argv[2]"
${byValues()
  .map(
    ([values, takings]) =>
      `        case ${fishPatterns(takings)}\n            printf '%s\\n' ${values.map(fishQuoted).join(" ")}`
  )
  .join("\n")}
    end
end

function __bd_commands
    switch "$argv[1]"
${places
  .filter(({ words }) => words.length > 0)
  .map(({ path, words }) => `        case ${fishQuoted(path)}\n            ${fishPrinted(words)}`)
  .join("\n")}
    end
end

function __bd_flags
    switch "$argv[1]"
${places.map(({ flags, path }) => `        case ${fishQuoted(path)}\n            ${fishPrinted(flags)}`).join("\n")}
    end
end

function __bd_complete
    set -l words (commandline -opc)
    set -l cur (commandline -ct)
    set -l place ''
    set -l open 1
    set -l help ''
    set -l flag ''
    set -l value ''
    for word in $words[2..]
        if test -n "$value"
            set value ''
            set flag ''
            continue
        end
        switch "$word"
            case --
                return
            case '-*'
                if __bd_takes "$place" "$word"
                    set value 1
                    set flag $word
                end
            case '*'
                if test -z "$place" -a -z "$help" -a "$word" = help
                    set help 1
                else if test -n "$open"; and set -l next (__bd_step "$place" "$word")
                    set place $next
                else
                    set open ''
                end
        end
    end
    set -l before ''
    if test -z "$flag"; and string match -q -- '--*=*' "$cur"
        set flag (string split -m 1 -- = "$cur")[1]
        set before "$flag="
    end
    if test -n "$flag"
        for value in (__bd_values "$place" "$flag")
            echo "$before$value"
        end
        if __bd_takes_file "$place" "$flag"
            __fish_complete_path (string replace -- "$before" '' "$cur")
        end
    else if string match -q -- '-*' "$cur"
        __bd_flags "$place"
    else if test -n "$open"
        __bd_commands "$place"
    end
end

complete -c bd -f -a '(__bd_complete)'
`

const scripts: Readonly<Record<Shell, () => string>> = { bash, zsh, fish }

/** The script that teaches a shell to complete `bd`. */
export const script = (shell: Shell): string => scripts[shell]()
