/** What `bd help` says, from the command table. Pure. */
import { synopsis } from "./Argv.ts"
import type { CommandSpec, Flag, Flags } from "./CommandSpec.ts"
import { commands, globalFlags, groups } from "./CommandTable.ts"

const all: ReadonlyArray<CommandSpec> = commands

const shown = all.filter(({ hidden }) => hidden !== true)

const table = (rows: ReadonlyArray<readonly [string, string]>): string => {
  const width = Math.min(34, Math.max(...rows.map(([left]) => left.length)))
  return rows
    .map(
      ([left, right]) => `  ${left.padEnd(width)}  ${left.length > width ? `\n  ${" ".repeat(width)}  ` : ""}${right}`
    )
    .join("\n")
}

const flagRow = ([name, flag]: readonly [string, Flag]): readonly [string, string] => {
  const names = [...(flag.short === undefined ? [] : [`-${flag.short}`]), `--${name}`].join(", ")
  return [`${names}${flag.kind === "none" ? "" : ` ${flag.value ?? "VALUE"}`}`, flag.summary]
}

const flagTable = (flags: Flags): string =>
  table(
    Object.entries(flags)
      .filter(([, { hidden }]) => hidden !== true)
      .map(flagRow)
  )

const exitCodes = `Exit codes:
  0  done; a change is committed and in the issue file, on disk
  1  another failure
  2  the command line cannot be understood
  3  an id is not found, or fits several issues
  4  a value is not valid
  5  a conflict: claimed by somebody, changed since, a cycle
  6  another process held the lock too long; nothing was changed
  7  the change is committed, but the issue file could not be written
  8  nothing was changed: the store or the issue file cannot be used
  129, 130, 143  ended by SIGHUP, SIGINT, SIGTERM`

const overview = (): string => {
  const inGroup = (command: CommandSpec) => groups.has(command.path[0] ?? "")
  const rows = shown.flatMap((command): ReadonlyArray<readonly [string, string]> => {
    const [first = ""] = command.path
    if (!inGroup(command)) return [[command.path.join(" "), command.summary]]
    // the first command of a group stands for it
    if (all.find(({ path }) => path[0] === first) !== command) return []
    const words = all.filter(({ path }) => path[0] === first && path.length === 2).map(({ path }) => path[1])
    return [[first, `${groups.get(first) ?? ""}: ${words.join(", ")}`]]
  })
  return `bd - an issue tracker for coding agents and the people who work with them

Usage: bd COMMAND [WORD…] [FLAG…]

Commands:
${table(rows)}

Flags of every command:
${flagTable(globalFlags)}

${exitCodes}

bd COMMAND --help tells more; with --json also what the command answers with --json, as JSON Schema.
`
}

const one = (command: CommandSpec): string => {
  const aliases = (command.aliases ?? []).map(alias => [...command.path.slice(0, -1), alias].join(" "))
  const prose = Object.values(command.flags).some(({ kind }) => kind === "prose")
  return [
    `${command.summary}\n`,
    `Usage: ${synopsis(command)} [FLAG…]`,
    ...(aliases.length === 0 ? [] : [`Also: bd ${aliases.join(", bd ")}`]),
    ...(Object.values(command.flags).some(({ hidden }) => hidden !== true)
      ? [`\nFlags:\n${flagTable(command.flags)}`]
      : []),
    ...(prose
      ? ["\nA TEXT of - is read from stdin; with -file behind its name, a flag reads a file: --reason-file FILE."]
      : []),
    ...(command.notes === undefined ? [] : [`\n${command.notes}`]),
    `\nExamples:\n${command.examples.map(example => `  ${example}`).join("\n")}`,
    "\nbd help lists the flags of every command, and the exit codes.\n"
  ].join("\n")
}

/** Help on the command or group of these words; none: on all of `bd`. */
export const text = (path: ReadonlyArray<string>): string => {
  if (path.length === 0) return overview()
  const under = all.filter(command => path.every((word, i) => command.path[i] === word))
  const [only] = under
  if (under.length === 1 && only !== undefined) return one(only)
  const own = under.find(command => command.path.length === path.length)
  const rows = under.map(command => [synopsis(command), command.summary] as const)
  if (own !== undefined && !groups.has(path.join(" "))) {
    return `${one(own)}\nCommands:\n${table(rows.filter((_, i) => under[i] !== own))}\n`
  }
  return `${groups.get(path.join(" ")) ?? own?.summary ?? ""}\n\n${table(rows)}\n\nbd ${path.join(" ")} COMMAND --help tells more.\n`
}

/** All of it as one page of Markdown. */
export const page = (): string =>
  [
    `# bd\n\n\`\`\`text\n${overview()}\`\`\`\n`,
    ...shown.map(command => `## bd ${command.path.join(" ")}\n\n\`\`\`text\n${one(command)}\`\`\`\n`)
  ].join("\n")
