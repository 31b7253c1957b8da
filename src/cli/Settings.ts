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

const fromEnvironment = (...names: ReadonlyArray<string>) =>
  Effect.gen(function* () {
    for (const name of names) {
      const value = yield* Effect.option(Config.string(name))
      if (Option.isSome(value) && value.value !== "") return { name, value: value.value }
    }
    return undefined
  })

/** Whether a switch is on: by its flag, else by one of the variables. */
const isOn = (globals: FlagValues, flag: string, ...names: ReadonlyArray<string>) =>
  globals.has(flag)
    ? Effect.succeed(Argv.isOn(globals.get(flag)))
    : Effect.flatMap(fromEnvironment(...names), found =>
        found === undefined || Argv.isSwitch(found.value)
          ? Effect.succeed(found !== undefined && Argv.isOn([found.value]))
          : Effect.fail(new InvalidFlag({ flag: found.name, value: found.value, expected: "true or false" }))
      )

const text = (globals: FlagValues, flag: string, ...names: ReadonlyArray<string>) => {
  const given = globals.get(flag)?.at(-1)
  return given !== undefined && given !== ""
    ? Effect.succeed({ name: `--${flag}`, value: given })
    : fromEnvironment(...names)
}

/** Reads the settings. A variable with a value that makes no sense is an error, as the flag would be. */
export const make = Effect.fn("Settings.make")(function* (globals: FlagValues) {
  const envelope = yield* isOn(globals, "json-envelope")
  const lockTimeout = yield* text(globals, "lock-timeout", "BD_LOCK_TIMEOUT", "BEADS_LOCK_TIMEOUT")
  const millis = lockTimeout === undefined ? undefined : Argv.durationMillis(lockTimeout.value)
  if (lockTimeout !== undefined && millis === undefined) {
    return yield* new InvalidFlag({
      flag: lockTimeout.name,
      value: lockTimeout.value,
      expected: "a time such as 500ms, 5s or 1m"
    })
  }
  return Settings.of({
    json: envelope || (yield* isOn(globals, "json", "BD_JSON")),
    envelope,
    quiet: yield* isOn(globals, "quiet"),
    flush: !(yield* isOn(globals, "no-auto-flush", "BD_NO_AUTO_FLUSH")),
    import: !(yield* isOn(globals, "no-auto-import", "BD_NO_AUTO_IMPORT")),
    lockTimeout: millis,
    actor: (yield* text(globals, "actor", "BD_ACTOR"))?.value,
    database: (yield* text(globals, "db", "BEADS_DB", "BD_DB"))?.value
  })
})
