/**
 * The settings of one run of `bd`: flag before environment before `config.yaml` before default.
 *
 * Plain values; read once, before anything is opened.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type { FlagValues } from "./Argv.ts"
import * as Argv from "./Argv.ts"
import { InvalidFlag } from "./CliError.ts"
import { Environment, variable } from "./Environment.ts"

export class Settings extends Context.Tag("effect-beads/cli/Settings")<
  Settings,
  {
    /** One JSON document on stdout instead of text. */
    readonly json: boolean
    /** Lists as `{issues, total, truncated}`. */
    readonly envelope: boolean
    readonly quiet: boolean
    /** Whether a change is published before the command ends. */
    readonly flush: boolean
    /** Whether a read looks at the issue file first. */
    readonly import: boolean
    /** Milliseconds to wait for the lock; none: the default. */
    readonly lockTimeout: number | undefined
    /** As given by flag or environment; who acts in the end is `Actor`'s business. */
    readonly actor: string | undefined
    /** The store as given by flag or environment. */
    readonly database: string | undefined
  }
>() {}

/** What holds when nothing is said. */
export const defaults: Settings["Type"] = {
  json: false,
  envelope: false,
  quiet: false,
  flush: true,
  import: true,
  lockTimeout: undefined,
  actor: undefined,
  database: undefined
}

/** What `config.yaml` says, by the names of flags. */
export type Configured = ReadonlyMap<string, string>

interface Setting<A> {
  readonly decode: (text: string) => A | undefined
  readonly expected: string
}

const aSwitch: Setting<boolean> = {
  decode: (text: string) => (Argv.isSwitch(text) ? Argv.isOn([text]) : undefined),
  expected: "true or false"
}
const aTime: Setting<number> = { decode: Argv.durationMillis, expected: "a time such as 500ms, 5s or 1m" }
const aText: Setting<string> = { decode: (text: string) => text, expected: "text" }

/**
 * Reads the settings: each by its flag, else by one of its variables, else by `config.yaml`. A variable with a value that
 * makes no sense is an error, as the flag would be; one in the file, which is everybody's, is passed over with a warning.
 */
export const make = Effect.fn("Settings.make")(function* (globals: FlagValues, configured: Configured = new Map()) {
  const variables = yield* Environment
  const problems: Array<InvalidFlag> = []
  const notHeeded: Array<string> = []

  const said = (flag: string, names: ReadonlyArray<string>) => {
    const given = globals.get(flag)?.at(-1)
    if (given !== undefined && given !== "") return { name: `--${flag}`, value: given }
    const name = names.find(name => variable(variables, name) !== undefined)
    return name === undefined ? undefined : { name, value: variables[name] ?? "" }
  }

  const decoded = <A>(setting: Setting<A>, flag: string, ...names: ReadonlyArray<string>): A | undefined => {
    const asked = said(flag, names)
    if (asked !== undefined) {
      const value = setting.decode(asked.value)
      if (value === undefined) {
        problems.push(new InvalidFlag({ flag: asked.name, value: asked.value, expected: setting.expected }))
      }
      return value
    }
    // where config.yaml is found by it, it cannot stand there
    const kept = flag === "db" ? undefined : configured.get(flag)
    if (kept === undefined || kept === "") return undefined
    const value = setting.decode(kept)
    if (value === undefined) notHeeded.push(`${flag} is ${JSON.stringify(kept)}, expected ${setting.expected}`)
    return value
  }

  const envelope = decoded(aSwitch, "json-envelope") === true
  const settings = Settings.of({
    json: envelope || decoded(aSwitch, "json", "BD_JSON") === true,
    envelope,
    quiet: decoded(aSwitch, "quiet") === true,
    flush: decoded(aSwitch, "no-auto-flush", "BD_NO_AUTO_FLUSH") !== true,
    import: decoded(aSwitch, "no-auto-import", "BD_NO_AUTO_IMPORT") !== true,
    lockTimeout: decoded(aTime, "lock-timeout", "BD_LOCK_TIMEOUT", "BEADS_LOCK_TIMEOUT"),
    actor: decoded(aText, "actor", "BD_ACTOR"),
    database: decoded(aText, "db", "BEADS_DB", "BD_DB")
  })
  const [problem] = problems
  if (problem !== undefined) return yield* problem
  for (const why of notHeeded) yield* Effect.logWarning(`config.yaml: ${why}; it is not heeded`)
  return settings
})
