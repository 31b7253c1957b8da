/**
 * Reads a command line by the command table. Pure.
 *
 * `@effect/cli` alone takes an unknown flag for a title, drops words after `--`, and fails on `-p1` (style.md), so the
 * words are put in order here: `globals, path, --flag value…, --, positionals`, each value between marks so that none
 * looks like a flag. Every word is either used or named in an error.
 */
import { instead } from "./Classic.ts"
import * as CliError from "./CliError.ts"
import { type CommandSpec, changesIssues, type Flag, type FlagName, flagNames } from "./CommandSpec.ts"
import * as CommandTable from "./CommandTable.ts"
import { nearest } from "./Nearest.ts"

/** The values of each flag that was given, in the order given; of one that takes no value `true` or `false`. */
export type FlagValues = ReadonlyMap<string, ReadonlyArray<string>>

/** A command line that can be run. */
export interface Invocation {
  readonly _tag: "Invocation"
  readonly command: CommandSpec
  readonly globals: FlagValues
  /** Of a text field read from a file, the key is `NAME-file`. */
  readonly flags: FlagValues
  readonly positionals: ReadonlyArray<string>
}

export interface Misread {
  readonly _tag: "Misread"
  readonly error: CliError.UsageError | CliError.InvalidFlag
  /** As far as read: `--json` decides how the error is told. */
  readonly globals: FlagValues
}

export interface HelpWanted {
  readonly _tag: "HelpWanted"
  /** Of the command; none for all of `bd`. */
  readonly path: ReadonlyArray<string>
  /** On each command. */
  readonly all?: boolean
  readonly globals: FlagValues
}

export interface VersionWanted {
  readonly _tag: "VersionWanted"
  readonly globals: FlagValues
}

export type Reading = Invocation | Misread | HelpWanted | VersionWanted

const globalNames = flagNames(CommandTable.globalFlags)

const allCommands: ReadonlyArray<CommandSpec> = CommandTable.commands

/** The commands one word deeper than `path`, by every word that chooses them; the value is the word itself. */
const wordsUnder = (path: ReadonlyArray<string>): ReadonlyMap<string, string> => {
  const words = new Map<string, string>()
  for (const command of allCommands) {
    const word = command.path[path.length]
    if (word === undefined || path.some((part, i) => command.path[i] !== part)) continue
    words.set(word, word)
    if (command.path.length === path.length + 1) for (const alias of command.aliases ?? []) words.set(alias, word)
  }
  return words
}

const commandAt = (path: ReadonlyArray<string>): CommandSpec | undefined =>
  allCommands.find(({ path: own }) => own.length === path.length && own.every((word, i) => word === path[i]))

const yes = new Set(["true", "1", "t", "yes", "y", "on"])
const no = new Set(["false", "0", "f", "no", "n", "off"])

/** Whether a text says that a switch is on or off. */
export const isSwitch = (text: string): boolean => yes.has(text.toLowerCase()) || no.has(text.toLowerCase())

const durationUnits: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 }

/** Milliseconds of `500ms`, `5s`, `1m`, `1h` or bare milliseconds; `undefined` if it is none of these. */
export const durationMillis = (text: string): number | undefined => {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h)?$/.exec(text.trim())
  if (match === null) return undefined
  const millis = Number(match[1]) * (durationUnits[match[2] ?? "ms"] ?? 1)
  return Number.isSafeInteger(Math.round(millis)) ? Math.round(millis) : undefined
}

/** What a value of the flag must look like; `undefined` if this one does. */
const complaint = (spec: Flag, value: string): string | undefined => {
  switch (spec.kind) {
    case "none":
      return isSwitch(value) ? undefined : "true or false"
    case "int":
      return /^\d{1,15}$/.test(value) ? undefined : "a whole number, 0 to 999999999999999"
    case "duration":
      return durationMillis(value) === undefined ? "a time such as 500ms, 5s or 1m" : undefined
    case "choice":
      return spec.choices?.includes(value) === true ? undefined : `one of ${spec.choices?.join(", ")}`
    default:
      return undefined
  }
}

/** Whether a flag without value is on; the last word counts. */
export const isOn = (values: ReadonlyArray<string> | undefined): boolean => yes.has(values?.at(-1)?.toLowerCase() ?? "")

/** The elements of a `list` flag: repeated, comma lists, both. */
export const listOf = (values: ReadonlyArray<string>): ReadonlyArray<string> =>
  values
    .flatMap(value => value.split(","))
    .map(value => value.trim())
    .filter(value => value !== "")

/** What has been read so far. */
interface Scan {
  readonly words: ReadonlyArray<string>
  /** The next word. */
  at: number
  readonly globals: Map<string, Array<string>>
  readonly flags: Map<string, Array<string>>
  readonly positionals: Array<string>
  path: ReadonlyArray<string>
  /** Set once no further word can belong to the path. */
  command: CommandSpec | undefined
  names: ReadonlyMap<string, FlagName>
  /** The first error is told; reading goes on, since a later `--json` or `--help` still counts. */
  error: CliError.UsageError | CliError.InvalidFlag | undefined
}

const fail = (scan: Scan, detail: string, hint?: string): void => {
  scan.error ??= new CliError.UsageError({ detail, hint })
}

/** What was found of the path so far is the command. */
const settle = (scan: Scan): CommandSpec | undefined => {
  if (scan.command === undefined) {
    scan.command = commandAt(scan.path)
    if (scan.command !== undefined) scan.names = flagNames(scan.command.flags)
  }
  return scan.command
}

const findFlag = (scan: Scan, name: string): FlagName | undefined => {
  const global = globalNames.get(name)
  if (global !== undefined) return global
  settle(scan)
  return scan.names.get(name)
}

const unknownFlag = (scan: Scan, name: string): void => {
  // one letter is near to every other letter, so only long names make a hint
  const long = [...scan.names.keys(), ...visibleGlobals].filter(candidate => candidate.startsWith("--"))
  const near = name.startsWith("--") ? nearest(name, long) : undefined
  const command = `bd ${scan.path.join(" ")}`
  if (near !== undefined) fail(scan, `unknown flag ${name}`, `did you mean ${near}?`)
  else if (scan.path.length === 0) fail(scan, `unknown flag ${name}`, "the flags of a command come after its name")
  else
    fail(
      scan,
      `unknown flag ${name} of ${command}`,
      `${command} --help lists them; text that begins with - goes after --`
    )
}

const giveFlag = (scan: Scan, name: string, found: FlagName, value: string): void => {
  const expected = found.fromFile ? undefined : complaint(found.spec, value)
  if (expected !== undefined) {
    scan.error ??= new CliError.InvalidFlag({ flag: name, value, expected })
    return
  }
  if (found.spec.shortFor !== undefined) {
    const [longName, itsValue] = found.spec.shortFor
    const long = scan.names.get(longName)
    if (long !== undefined && isOn([value])) giveFlag(scan, longName, long, itsValue)
    return
  }
  const key = found.fromFile ? `${found.flag}-file` : found.flag
  const target = globalNames.has(name) ? scan.globals : scan.flags
  const given = target.get(key)
  if (given === undefined) target.set(key, [value])
  else given.push(value)
}

/** The next word is the flag's value, whatever it begins with. */
const takeValue = (scan: Scan, name: string, found: FlagName): void => {
  const value = scan.words[scan.at]
  if (value === undefined) fail(scan, `${name} needs a value`)
  else {
    scan.at++
    giveFlag(scan, name, found, value)
  }
}

/** `--flag`, `--flag value`, `--flag=value`. */
const longFlag = (scan: Scan, word: string): void => {
  const equals = word.indexOf("=")
  const name = equals === -1 ? word : word.slice(0, equals)
  const found = findFlag(scan, name)
  if (found === undefined) unknownFlag(scan, name)
  else if (equals !== -1) giveFlag(scan, name, found, word.slice(equals + 1))
  else if (found.spec.kind === "none") giveFlag(scan, name, found, "true")
  else takeValue(scan, name, found)
}

/** `-p1`, `-p 1`, `-p=1`, and several letters without value together. */
const shortFlags = (scan: Scan, word: string): void => {
  let rest = word.slice(1)
  while (rest !== "") {
    const name = `-${rest[0]}`
    rest = rest.slice(1)
    const found = findFlag(scan, name)
    if (found !== undefined && found.spec.kind === "none" && !rest.startsWith("=")) {
      giveFlag(scan, name, found, "true")
      continue
    }
    if (found === undefined) unknownFlag(scan, rest === "" ? name : word)
    else if (rest === "") takeValue(scan, name, found)
    else giveFlag(scan, name, found, rest.replace(/^=/, ""))
    return
  }
}

/** Whether a word can be no flag: stdin's `-`, and `- an item of a list`, which a comment may begin with. */
const isText = (word: string): boolean => !word.startsWith("-") || word === "-" || /^--?\s/.test(word)

/** A word that is no flag: of the path, as long as it can be, then a positional. */
const plainWord = (scan: Scan, word: string): void => {
  const choices = scan.command === undefined ? wordsUnder(scan.path) : new Map<string, string>()
  const chosen = choices.get(word)
  if (chosen !== undefined) {
    scan.path = [...scan.path, chosen]
    if (wordsUnder(scan.path).size === 0) settle(scan)
  } else if (settle(scan) !== undefined) {
    scan.positionals.push(word)
  } else {
    const there = scan.path.length === 0 ? instead.get(word) : undefined
    if (there !== undefined) fail(scan, `"${word}" is a command of the classic bd that is not here`, there)
    const near = nearest(word, [...choices.keys()])
    const command = (last: string) => [...scan.path, last].join(" ")
    const list = ["bd", "help", ...scan.path].join(" ")
    const hint = near === undefined ? `${list} lists the commands` : `did you mean "${command(near)}"?`
    fail(scan, `unknown command "${command(word)}"`, hint)
  }
}

/** The flags that read stdin. What the first reads to its end is gone for the second, whose text would become empty. */
const textsFromStdin = (scan: Scan, command: CommandSpec): ReadonlyArray<string> =>
  Object.entries(command.flags).flatMap(([flag, { kind }]) =>
    kind === "prose" ? [flag, `${flag}-file`].filter(name => scan.flags.get(name)?.at(-1) === "-") : []
  )

/** A flag as it was typed: `--stdin` where that stands for it. */
const asTyped = (scan: Scan, command: CommandSpec, name: string): string => {
  const short = Object.entries(command.flags).find(
    ([flag, { shortFor }]) => shortFor?.[0] === name && scan.words.includes(`--${flag}`)
  )
  return short === undefined ? name : `--${short[0]}`
}

/** What is wrong with a command line whose words were all read. */
const checkWhole = (scan: Scan, command: CommandSpec): void => {
  checkPositionals(scan, command)
  for (const [flag, spec] of Object.entries(command.flags)) {
    if (spec.kind === "prose" && scan.flags.has(flag) && scan.flags.has(`${flag}-file`)) {
      fail(scan, `--${flag} and ${asTyped(scan, command, `--${flag}-file`)} exclude each other`)
    }
  }
  const fromStdin = textsFromStdin(scan, command)
  if (fromStdin.length > 1) {
    const typed = fromStdin.map(name => asTyped(scan, command, `--${name}`))
    fail(scan, `only one text can be read from stdin: ${typed.join(", ")}`)
  }
  if (isOn(scan.globals.get("version"))) fail(scan, "--version stands alone", "bd version")
  for (const [name, given] of [...scan.globals, ...scan.flags]) {
    const spec: Flag | undefined = globalNames.get(`--${name}`)?.spec ?? command.flags[name]
    if (spec?.refused === undefined || (spec.kind === "none" && !isOn(given))) continue
    fail(scan, `--${name} is not supported`, spec.refused)
  }
  if (isOn(scan.globals.get("readonly")) && changesIssues(command, flag => isOn(scan.flags.get(flag)))) {
    fail(scan, `bd ${command.path.join(" ")} changes issues, and --readonly was given`)
  }
}

/** The command that the value of a flag stands for: `doctor --check=pollution` is `detect-pollution`. */
const meant = (scan: Scan, command: CommandSpec | undefined): CommandSpec | undefined => {
  const { commands = {}, flag = "" } = command?.elsewhere ?? {}
  const [value = "", ...more] = scan.flags.get(flag) ?? []
  const other = Object.hasOwn(commands, value) && more.length === 0 ? commandAt(commands[value] ?? []) : undefined
  if (other === undefined) return command
  scan.flags.delete(flag)
  const names = flagNames(other.flags)
  for (const [name, values] of [...scan.flags]) {
    const own = names.get(`--${name}`)?.flag
    scan.flags.delete(name)
    if (own === undefined) fail(scan, `--${name} does not go with --${flag}=${value}`, `usage: ${synopsis(other)}`)
    else scan.flags.set(own, values)
  }
  return other
}

/** Reads the words after `bd`. Never throws. */
export const read = (words: ReadonlyArray<string>): Reading => {
  const scan: Scan = {
    words,
    at: 0,
    globals: new Map(),
    flags: new Map(),
    positionals: [],
    path: [],
    command: undefined,
    names: new Map(),
    error: undefined
  }
  while (scan.at < words.length) {
    const word = words[scan.at++] ?? ""
    if (word === "--") {
      if (settle(scan) === undefined) fail(scan, "a command must come before --")
      scan.positionals.push(...words.slice(scan.at))
      break
    }
    if (isText(word)) plainWord(scan, word)
    else if (word.startsWith("--")) longFlag(scan, word)
    else shortFlags(scan, word)
  }
  const command = meant(scan, settle(scan))
  const { flags, globals, path, positionals } = scan
  const bare = positionals.length === 0 && flags.size === 0
  // one that does something without further words does it, whatever commands there are below it
  const opensGroup = command === undefined || (wordsUnder(path).size > 0 && neededWords(command).length > 0)

  if (isOn(globals.get("help"))) return { _tag: "HelpWanted", path, globals }
  if (scan.error === undefined && bare && opensGroup) {
    return isOn(globals.get("version")) && path.length === 0
      ? { _tag: "VersionWanted", globals }
      : { _tag: "HelpWanted", path, globals }
  }
  if (command !== undefined) checkWhole(scan, command)
  if (scan.error !== undefined) return { _tag: "Misread", error: scan.error, globals }
  if (command === undefined) return { _tag: "HelpWanted", path, globals }
  if (command.path[0] === "help") {
    return isOn(flags.get("all")) ? { _tag: "HelpWanted", path: [], all: true, globals } : helpOn(positionals, globals)
  }
  return { _tag: "Invocation", command, globals, flags, positionals }
}

const visibleGlobals = Object.entries(CommandTable.globalFlags).flatMap(([name, spec]) =>
  "hidden" in spec ? [] : [`--${name}`]
)

const helpOn = (words: ReadonlyArray<string>, globals: FlagValues): Reading => {
  let path: ReadonlyArray<string> = []
  for (const word of words) {
    const choices = wordsUnder(path)
    const chosen = choices.get(word)
    if (chosen === undefined) {
      const there = path.length === 0 ? instead.get(word) : undefined
      if (there !== undefined) {
        const detail = `"${word}" is a command of the classic bd that is not here`
        return { _tag: "Misread", error: new CliError.UsageError({ detail, hint: there }), globals }
      }
      const near = nearest(word, [...choices.keys()])
      const error = new CliError.UsageError({
        detail: `no help on "${[...path, word].join(" ")}": there is no such command`,
        hint: near === undefined ? "bd help lists the commands" : `did you mean "${[...path, near].join(" ")}"?`
      })
      return { _tag: "Misread", error, globals }
    }
    path = [...path, chosen]
  }
  return { _tag: "HelpWanted", path, globals }
}

/** How a command is typed: `bd label add ID… LABEL`. */
export const synopsis = (command: CommandSpec): string =>
  [
    `bd ${command.path.join(" ")}`,
    ...Object.values(command.positionals).map(({ arity, name }) =>
      arity === "one" ? name : arity === "some" ? `${name}…` : arity === "any" ? `[${name}…]` : `[${name}]`
    )
  ].join(" ")

const neededWords = (command: CommandSpec) =>
  Object.values(command.positionals).filter(({ arity }) => arity === "one" || arity === "some")

const checkPositionals = (scan: Scan, command: CommandSpec): void => {
  const wanted = Object.values(command.positionals)
  const needed = neededWords(command)
  const most = wanted.some(({ arity }) => arity === "some" || arity === "any")
    ? Number.POSITIVE_INFINITY
    : wanted.length
  const given = scan.positionals
  const hint = `usage: ${synopsis(command)}`
  const missing = needed[given.length]
  if (missing !== undefined) fail(scan, `${missing.name} is missing`, hint)
  if (given.length > most) {
    const near = nearest(given[0] ?? "", [...wordsUnder(command.path).keys()])
    if (near !== undefined) {
      const typed = [...command.path, given[0]].join(" ")
      fail(scan, `unknown command ${JSON.stringify(typed)}`, `did you mean "${[...command.path, near].join(" ")}"?`)
    }
    fail(scan, `unexpected word ${JSON.stringify(given[most])}`, `${hint}; text of several words goes in quotes`)
  }
}

/**
 * Put round every value that is handed on: in front, so that none looks like a flag, a command or nothing at all; and
 * behind, since `@effect/cli` trims the values of flags.
 */
const mark = (value: string): string => `:${value}:`

/** Takes the marks off again. */
export const unmark = (value: string): string => value.slice(1, -1)

const flagWords = (values: FlagValues): ReadonlyArray<string> =>
  [...values].flatMap(([flag, given]) => given.flatMap(value => [`--${flag}`, mark(value)]))

/** The words in the order that `@effect/cli` reads: `globals, path, --flag value…, --, positionals`. */
export const normalized = (self: Invocation): ReadonlyArray<string> => [
  // what they ask for has been looked at, and `@effect/cli` would take `--help=false` for a wish for its own help
  ...flagWords(new Map([...self.globals].filter(([flag]) => flag !== "help" && flag !== "version"))),
  ...self.command.path,
  ...flagWords(self.flags),
  "--",
  ...self.positionals.map(mark)
]
