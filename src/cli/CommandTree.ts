/**
 * A command of the table as an `@effect/cli` command: the one file that knows that library.
 *
 * Only the command that is run is built, with the words that lead to it and the flags that were given: each option costs
 * the start of every command its share. `Argv` has put the words in order and marked every value, so that nothing is
 * left that `@effect/cli` could take for something else.
 */
import * as Args from "@effect/cli/Args"
import * as Command from "@effect/cli/Command"
import * as Options from "@effect/cli/Options"
import * as ValidationError from "@effect/cli/ValidationError"
import * as Effect from "effect/Effect"
import * as Argv from "./Argv.ts"
import type { CommandSpec, Flag, Input, Positional, Prose } from "./CommandSpec.ts"

const values = (name: string): Options.Options<ReadonlyArray<string>> =>
  Options.text(name).pipe(
    Options.repeated,
    Options.map(given => given.map(Argv.unmark))
  )

/** Each flag that was given as an option that collects its values. */
const optionsOf = (given: Argv.FlagValues): Record<string, Options.Options<ReadonlyArray<string>>> =>
  Object.fromEntries([...given.keys()].map(name => [name, values(name)]))

const prose = (text: string): Prose => (text === "-" ? { _tag: "Stdin" } : { _tag: "Given", text })

/** What a flag was given, as a command sees it; `given` has been checked by `Argv`. */
const flagValue = (flag: Flag, given: ReadonlyArray<string>, file: ReadonlyArray<string>): unknown => {
  const last = given.at(-1)
  switch (flag.kind) {
    case "none":
      return Argv.isOn(given)
    case "list":
      return last === undefined ? undefined : Argv.listOf(given)
    case "int":
      return last === undefined ? undefined : Number(last)
    case "duration":
      return last === undefined ? undefined : Argv.durationMillis(last)
    case "prose": {
      const path = file.at(-1)
      return path !== undefined ? { _tag: "File", path } : last === undefined ? undefined : prose(last)
    }
    default:
      return last
  }
}

/** The words by the names of the positionals. What comes after the one that takes several is counted from the end. */
const positionalValues = (wanted: ReadonlyArray<readonly [string, Positional]>, words: ReadonlyArray<string>) => {
  const several = wanted.findIndex(([, { arity }]) => arity === "some" || arity === "any")
  const after = several === -1 ? 0 : wanted.length - several - 1
  const out: Record<string, unknown> = {}
  for (const [i, [name, { arity, kind }]] of wanted.entries()) {
    if (arity === "some" || arity === "any") out[name] = words.slice(i, words.length - after)
    else {
      const word = several === -1 || i < several ? words[i] : words[words.length - (wanted.length - i)]
      out[name] = word !== undefined && kind === "prose" ? prose(word) : word
    }
  }
  return out
}

const inputOf = (
  spec: CommandSpec,
  flags: Readonly<Record<string, ReadonlyArray<string>>>,
  words: ReadonlyArray<string>
): Input<CommandSpec> => {
  const input = {
    flags: Object.fromEntries(
      Object.entries(spec.flags).map(([name, flag]) => [
        name,
        flagValue(flag, flags[name] ?? [], flags[`${name}-file`] ?? [])
      ])
    ),
    args: positionalValues(Object.entries(spec.positionals), words)
  }
  // the table describes each value, and `flagValue` follows it; types cannot be carried through names
  return input as Input<CommandSpec>
}

/** Runs the handler with what the command line says. */
export const run = <E, R>(
  invocation: Argv.Invocation,
  handler: (input: Input<CommandSpec>) => Effect.Effect<void, E, R>
) => {
  const { command: spec } = invocation
  const leaf = Command.make(
    spec.path.at(-1) ?? "",
    { flags: optionsOf(invocation.flags), words: Args.repeated(Args.text({ name: "word" })) },
    ({ flags, words }) => handler(inputOf(spec, flags, words.map(Argv.unmark)))
  )
  const group = spec.path.length === 1 ? undefined : Command.make(spec.path[0] ?? "")
  const program = Command.make("bd", { globals: optionsOf(invocation.globals) }).pipe(
    Command.withSubcommands([group === undefined ? leaf : Command.withSubcommands(group, [leaf])])
  )
  return Command.run(program, { name: "bd", version: "" })(["node", "bd", ...Argv.normalized(invocation)]).pipe(
    // what `Argv` hands on can always be read; if not, that is a defect of ours
    Effect.catchIf(ValidationError.isValidationError, error => Effect.die(error))
  )
}
