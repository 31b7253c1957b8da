/**
 * Command lines that nobody would type, made from the command table: mostly plausible ones, with odd values, and words
 * left out, doubled, mixed up. No word has a slash in front, so that no file outside of the scratch directory is named.
 */
import { type CommandSpec, type Flag, flagNames } from "../../src/cli/CommandSpec.ts"
import { commands, globalFlags } from "../../src/cli/CommandTable.ts"
import type { Random } from "../random.ts"

/** Names of files that are there, are none, or lead out of the project and no further than the scratch directory. */
export const files = ["plan.md", "more.jsonl", "text.txt", "hostile.bin", "missing", "sub", "../outside.txt", "-", ""]

/** Ids that are there (open, closed, deleted, a child), parts of ids, and ids of nothing. */
export const ids = [
  "app-1",
  "app-2",
  "app-3",
  "app-e",
  "app-e.1",
  "app-done",
  "app-gone",
  "e.1",
  "app",
  "app-9",
  "web-1"
]

const escapes = [
  "\u001b[31mred\u001b[0m",
  "\u001b]0;title\u0007",
  "\u009b2J",
  "\r overwritten",
  "\u202eevil\u202c",
  "\u2066a\u2069"
]

/** What no value is meant to be. */
export const oddities: ReadonlyArray<string> = [
  ...["", " ", "\t", "\n", "a\nb", "app-1\napp-2", "\u00a0", "\u2028", "\ufeff"],
  ...escapes,
  ...[
    "-",
    "--",
    "---",
    "-rf",
    "--json",
    "--help",
    "-h",
    "-v",
    "-p",
    "-p1",
    "--=",
    "=",
    "-=",
    "--force",
    "--title",
    "--no-db"
  ],
  ...["__proto__", "constructor", "toString", "hasOwnProperty", "null", "NaN", "Infinity", "true"],
  ...[
    "-1",
    "0",
    "00",
    "1.5",
    "0x10",
    "1e3",
    "+1",
    "٣",
    `1${"0".repeat(400)}`,
    "999999999999999",
    "9007199254740993",
    "P9",
    "p0"
  ],
  ...[
    "9999-12-31T23:59:59Z",
    "0000-00-00",
    "2026-02-30",
    "275760-09-14",
    "-000001-01-01",
    "2026-01-01T00:00:00+99:99",
    "yesterday"
  ],
  ...[
    "аpp-1",
    "app－1",
    "APP-1",
    "app-1.1.1.1.1.1",
    "app-",
    "-app",
    `app-${"a".repeat(5000)}`,
    "app-1.999999999999999999999"
  ],
  ...["'; drop table issues; --", "%", "_", "*", "\\", "$HOME", "`id`", '"', "'", "{}", "[]", '{"title":"x"}'],
  ...[
    ",",
    ",,",
    "a,,b",
    " , ",
    "app-1,app-2",
    ":",
    ":app-1",
    "blocks:",
    "blocks:app-1:x",
    "related:app-2",
    "nothing:app-1"
  ],
  ...[
    "open",
    "closed",
    "tombstone",
    "bug",
    "epic",
    "high",
    "😀",
    "e\u0301",
    "\ud83d",
    "x\udc00",
    "<script>",
    "a & b",
    "\u0000nul"
  ]
]

/** A megabyte, and what quotes do to it. */
const huge = ["x".repeat(1_000_000), "é\n".repeat(300_000)]

export const odd = (random: Random): string => (random.below(60) === 0 ? random.pick(huge) : random.pick(oddities))

/** A value that the flag may well take. */
const plausible = (name: string, spec: Flag, random: Random): string => {
  if (spec.choices !== undefined && random.below(4) > 0) return random.pick(spec.choices)
  if (/FILE|PATH/.test(spec.value ?? "")) return random.pick(files)
  switch (spec.kind) {
    case "none":
      return random.pick(["true", "false"])
    case "int":
      return String(random.below(20))
    case "duration":
      return random.pick(["10s", "2000"])
    default:
      return /ID/.test(spec.value ?? "")
        ? random.pick(ids)
        : name === "priority"
          ? random.pick(["0", "1", "P2", "4"])
          : random.pick(["text", "two words", "ann", "ui,backend", "2026-01-31", ...ids])
  }
}

const someValue = (name: string, spec: Flag, random: Random): string =>
  // a path is what is written to: the odd ones too stay in the scratch directory
  random.below(2) === 0 ? plausible(name, spec, random) : odd(random)

const flagWords = (typed: string, name: string, spec: Flag, random: Random): ReadonlyArray<string> => {
  if (spec.kind === "none") return random.below(6) === 0 ? [`${typed}=${someValue(name, spec, random)}`] : [typed]
  const value = someValue(name, spec, random)
  return random.below(2) === 0 ? [typed, value] : [typed.startsWith("--") ? `${typed}=${value}` : `${typed}${value}`]
}

const every: ReadonlyArray<CommandSpec> = commands

/** Told apart from the others: what they do outside of the scratch directory is git's matter, or a shell's. */
const left = new Set(["help"])

export interface CommandLine {
  readonly command: CommandSpec
  readonly words: ReadonlyArray<string>
}

/** A command line. */
export const commandLine = (random: Random, commands: ReadonlyArray<CommandSpec> = every): CommandLine => {
  const command = random.pick(commands.filter(({ path }) => !left.has(path.join(" "))))
  const words: Array<string> = []
  for (const { arity, name } of Object.values(command.positionals)) {
    const times =
      arity === "one"
        ? 1
        : arity === "optional"
          ? random.below(2)
          : arity === "any"
            ? random.below(3)
            : 1 + random.below(3)
    for (let i = 0; i < times; i++) {
      const isPath = ["PATH", "OUT", "BASE", "LEFT", "RIGHT"].includes(name)
      words.push(
        isPath
          ? random.pick(files)
          : random.below(3) === 0
            ? odd(random)
            : /ID|DEPENDS/.test(name)
              ? random.pick(ids)
              : random.pick(["text", "two words", "ui", "1", "ann", "web"])
      )
    }
  }
  const names = [...flagNames(command.flags)]
  const groups: Array<ReadonlyArray<string>> = words.map(word => [word])
  for (let n = names.length === 0 ? 0 : random.below(4); n > 0; n--) {
    const [typed, { flag, fromFile, spec }] = random.pick(names)
    const group = fromFile ? [typed, random.pick(files)] : flagWords(typed, flag, spec, random)
    groups.splice(random.below(groups.length + 1), 0, group)
    if (random.below(8) === 0) groups.push(group)
  }
  const globals = Object.entries(globalFlags)
  if (random.below(2) === 0) groups.push(["--json"])
  if (random.below(8) === 0) {
    const [name, spec] = random.pick(globals)
    groups.splice(random.below(groups.length + 1), 0, flagWords(`--${name}`, name, spec, random))
  }
  if (random.below(10) === 0 && groups.length > 0) groups.splice(random.below(groups.length), 1)
  if (random.below(10) === 0) groups.splice(random.below(groups.length + 1), 0, [odd(random)])
  if (random.below(12) === 0) groups.splice(random.below(groups.length + 1), 0, ["--"])
  const rest = groups.flat()
  const path =
    command.aliases !== undefined && random.below(4) === 0
      ? [...command.path.slice(0, -1), random.pick(command.aliases)]
      : command.path
  const whole =
    random.below(10) === 0 && rest.length > 0 ? [...rest.slice(0, 1), ...path, ...rest.slice(1)] : [...path, ...rest]
  // a path from the root would lead out of the scratch directory, and no argument can hold a NUL
  return { command, words: whole.map(word => word.replaceAll("\u0000", "").replace(/^(--?[\w-]+=?)?\/+/, "$1")) }
}

/** Command lines that were answered wrongly once. */
export const once: ReadonlyArray<ReadonlyArray<string>> = [
  ["dep", "list", "--help=false", "app-1"],
  ["--version=false", "list"],
  ["--help=no", "create", "Title", "--json"]
]

/** What stands on stdin. */
export const stdin = (random: Random): string | Uint8Array =>
  random.below(3) > 0
    ? ""
    : random.below(4) === 0
      ? Uint8Array.from({ length: 20 }, () => random.below(256))
      : random.pick([
          "two\nlines\n",
          '{"title":"from stdin","priority":1}\n',
          '{"title":"a","key":"k"}\n{"title":"b","parent":"k","deps":["k"]}\n',
          '{"id":"app-s","title":"a line","status":"open","priority":2,"issue_type":"task","created_at":"2025-01-01T00:00:00Z","updated_at":"2025-01-01T00:00:00Z"}\n',
          "## From Markdown\n\n### Priority\n1\n",
          "## \n\n### Priority\nhigh\n",
          odd(random),
          `{"title":${JSON.stringify(odd(random))},${JSON.stringify(odd(random))}:1}`,
          '{"__proto__":{"title":"x"},"title":"y"}',
          "[[[[]]]]"
        ])
