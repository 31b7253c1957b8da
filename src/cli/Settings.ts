/**
 * The settings of one run of `bd`: flag before environment before `config.yaml` before default.
 *
 * Plain values; read once, before anything is opened.
 */
import * as Config from "effect/Config"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { FlagValues } from "./Argv.ts"
import * as Argv from "./Argv.ts"
import { InvalidFlag } from "./CliError.ts"

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

const fromEnvironment = (...names: ReadonlyArray<string>) =>
  Effect.gen(function* () {
    for (const name of names) {
      const value = yield* Effect.option(Config.string(name))
      if (Option.isSome(value) && value.value !== "") return { name, value: value.value }
    }
    return undefined
  })

/**
 * A setting by its flag, else by one of the variables, else by `config.yaml`. A variable with a value that makes no sense
 * is an error, as the flag would be; one in the file, which is everybody's, is passed over with a warning.
 */
const decoded = <A>(
  globals: FlagValues,
  configured: Configured,
  flag: string,
  names: ReadonlyArray<string>,
  setting: { readonly decode: (text: string) => A | undefined; readonly expected: string }
) =>
  Effect.gen(function* () {
    const given = globals.get(flag)?.at(-1)
    const said =
      given === undefined || given === "" ? yield* fromEnvironment(...names) : { name: `--${flag}`, value: given }
    if (said !== undefined) {
      const value = setting.decode(said.value)
      if (value !== undefined) return value
      return yield* new InvalidFlag({ flag: said.name, value: said.value, expected: setting.expected })
    }
    const kept = configured.get(flag)
    if (kept === undefined || kept === "") return undefined
    const value = setting.decode(kept)
    if (value === undefined) {
      yield* Effect.logWarning(
        `config.yaml: ${flag} is ${JSON.stringify(kept)}, expected ${setting.expected}; it is not heeded`
      )
    }
    return value
  })

const aSwitch = {
  decode: (text: string) => (Argv.isSwitch(text) ? Argv.isOn([text]) : undefined),
  expected: "true or false"
}
const aTime = { decode: Argv.durationMillis, expected: "a time such as 500ms, 5s or 1m" }
const aText = { decode: (text: string) => text, expected: "text" }

/** Reads the settings. */
export const make = Effect.fn("Settings.make")(function* (globals: FlagValues, configured: Configured = new Map()) {
  const isOn = (flag: string, ...names: ReadonlyArray<string>) =>
    Effect.map(decoded(globals, configured, flag, names, aSwitch), on => on === true)
  const envelope = yield* isOn("json-envelope")
  return Settings.of({
    json: envelope || (yield* isOn("json", "BD_JSON")),
    envelope,
    quiet: yield* isOn("quiet"),
    flush: !(yield* isOn("no-auto-flush", "BD_NO_AUTO_FLUSH")),
    import: !(yield* isOn("no-auto-import", "BD_NO_AUTO_IMPORT")),
    lockTimeout: yield* decoded(globals, configured, "lock-timeout", ["BD_LOCK_TIMEOUT", "BEADS_LOCK_TIMEOUT"], aTime),
    actor: yield* decoded(globals, configured, "actor", ["BD_ACTOR"], aText),
    // where config.yaml is found by it, it cannot stand there
    database: yield* decoded(globals, new Map(), "db", ["BEADS_DB", "BD_DB"], aText)
  })
})
