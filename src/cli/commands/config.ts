import * as Effect from "effect/Effect"
import { InvalidFlag } from "../CliError.ts"
import type { Input } from "../CommandSpec.ts"
import type { configGet, configSet, configUnset } from "../CommandTable.ts"
import * as ConfigFile from "../ConfigFile.ts"
import * as Escape from "../Escape.ts"
import * as Output from "../Output.ts"
import * as Prefix from "../Prefix.ts"
import { Project } from "../Project.ts"

const configured = Effect.flatMap(Project, ({ config }) => config)

const change = (edit: (text: string) => string) =>
  Effect.gen(function* () {
    const { directory } = yield* (yield* Project).location
    yield* ConfigFile.change(directory, edit)
  })

/** The classic calls the prefix `issue_prefix`, people call it `prefix`. */
const nameOf = (key: string): string => (["issue_prefix", "prefix"].includes(key) ? ConfigFile.prefixKey : key)

const checkedName = (key: string) =>
  ConfigFile.isKey(key)
    ? Effect.succeed(nameOf(key))
    : Effect.fail(
        new InvalidFlag({ flag: "KEY", value: key, expected: "a letter, then letters, digits, hyphens, dots" })
      )

export const get = Effect.fn("bd.config.get")(function* ({ args }: Input<typeof configGet>) {
  const settings = yield* configured
  const value = settings.get(nameOf(args.key))
  yield* Output.answer({
    json: () => ({ key: args.key, value: value ?? "" }),
    text: () => (value === undefined ? `${Escape.line(args.key)} (not set)` : Escape.line(value))
  })
})

export const set = Effect.fn("bd.config.set")(function* ({ args }: Input<typeof configSet>) {
  const key = yield* checkedName(args.key)
  const value = key === ConfigFile.prefixKey ? yield* Prefix.decode(args.value) : args.value
  yield* change(text => ConfigFile.set(text, key, value))
  yield* Output.confirm({
    json: () => ({ key: args.key, value }),
    text: () => `Set ${Escape.line(args.key)} = ${Escape.line(value)}`
  })
})

export const list = Effect.fn("bd.config.list")(function* () {
  const settings = [...(yield* configured)].sort(([a], [b]) => (a < b ? -1 : 1))
  yield* Output.answer({
    json: () => Object.fromEntries(settings),
    text: () =>
      settings.length === 0
        ? "No configuration set"
        : [
            "\nConfiguration:",
            ...settings.map(([key, value]) => `  ${Escape.line(key)} = ${Escape.line(value)}`),
            ""
          ].join("\n")
  })
})

export const unset = Effect.fn("bd.config.unset")(function* ({ args }: Input<typeof configUnset>) {
  const key = yield* checkedName(args.key)
  yield* change(text => ConfigFile.unset(text, key))
  yield* Output.confirm({ json: () => ({ key: args.key }), text: () => `Unset ${Escape.line(args.key)}` })
})
