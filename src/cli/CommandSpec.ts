/**
 * How a command is described: the types behind `CommandTable`, and what a command gets when it is run (`Input`).
 *
 * Pure; the reader (`Argv`), the `@effect/cli` tree (`CommandTree`) and the help (`Help`) are all driven by this.
 */

/**
 * What a flag takes. `prose` is a text field: `-` reads it from stdin, and `--NAME-file PATH` comes with it. `list`
 * may be repeated and takes comma lists; of any other flag given twice the last counts. `int` and `duration`
 * are read as numbers (a duration in milliseconds).
 */
export type FlagKind = "none" | "text" | "prose" | "list" | "int" | "duration" | "choice"

export interface Flag {
  readonly kind: FlagKind
  readonly summary: string
  /** One letter. */
  readonly short?: string
  /** Other long names. */
  readonly aliases?: ReadonlyArray<string>
  /** How help calls the value. */
  readonly value?: string
  /** The values of a `choice`; of another kind the usual ones, for completion. */
  readonly choices?: ReadonlyArray<string>
  /** Accepted, and left out of help. */
  readonly hidden?: boolean
  /** The classic tool has it, and here it is refused: what to do instead. */
  readonly refused?: string
  /** Of kind `none`: giving it is giving this other flag of the command, by its name, with this value. */
  readonly shortFor?: readonly [name: string, value: string]
}

export interface Positional {
  readonly name: string
  /** `some`: one or more; `any`: none or more. At most one positional of a command is not `one`. */
  readonly arity: "one" | "optional" | "some" | "any"
  /** `prose`: `-` reads it from stdin. */
  readonly kind?: "prose"
}

export type Flags = { readonly [name: string]: Flag }
export type Positionals = { readonly [name: string]: Positional }

export interface CommandSpec {
  /** The words that name it: `["dep", "add"]`. */
  readonly path: ReadonlyArray<string>
  /** Other last words. */
  readonly aliases?: ReadonlyArray<string>
  readonly summary: string
  readonly positionals: Positionals
  readonly flags: Flags
  readonly examples: ReadonlyArray<string>
  /** Whether it changes issues: `--readonly` refuses it, and it is worth asking git for the actor's name. */
  readonly mutates: boolean
  /** The flag with which a command that only reads changes issues after all. */
  readonly mutatesWith?: string
  /** Values of a flag that stand for another command, which must have whatever other flags were given. */
  readonly elsewhere?: {
    readonly flag: string
    readonly commands: { readonly [value: string]: ReadonlyArray<string> }
  }
  /** What help says below the flags. */
  readonly notes?: string
  readonly hidden?: boolean
}

/** Where the text of a `prose` field comes from. */
export type Prose =
  | { readonly _tag: "Given"; readonly text: string }
  | { readonly _tag: "Stdin" }
  | { readonly _tag: "File"; readonly path: string }

type FlagValue<F extends Flag> = F["kind"] extends "none"
  ? boolean
  : F["kind"] extends "list"
    ? ReadonlyArray<string> | undefined
    : F["kind"] extends "int" | "duration"
      ? number | undefined
      : F["kind"] extends "prose"
        ? Prose | undefined
        : F["kind"] extends "choice"
          ? (F["choices"] extends ReadonlyArray<infer C> ? C : string) | undefined
          : string | undefined

type Text<P extends Positional> = P["kind"] extends "prose" ? Prose : string

type PositionalValue<P extends Positional> = P["arity"] extends "some"
  ? readonly [string, ...ReadonlyArray<string>]
  : P["arity"] extends "any"
    ? ReadonlyArray<string>
    : P["arity"] extends "optional"
      ? Text<P> | undefined
      : Text<P>

/** What a command is run with. A flag that was not given is `undefined`, one that takes no value `false`. */
export type Input<S extends CommandSpec> = {
  readonly flags: FlagsOf<S["flags"]>
  readonly args: { readonly [K in keyof S["positionals"]]: PositionalValue<S["positionals"][K]> }
}

/** The values of flags alone. */
export type FlagsOf<F extends Flags> = { readonly [K in keyof F]: FlagValue<F[K]> }

/** Whether a command changes issues when it is run with these flags. */
export const changesIssues = (spec: CommandSpec, isOn: (flag: string) => boolean): boolean =>
  spec.mutates || (spec.mutatesWith !== undefined && isOn(spec.mutatesWith))

/** A long name under which a flag is typed, and what typing it gives. */
export interface FlagName {
  /** The flag's own name, its key in the table. */
  readonly flag: string
  readonly spec: Flag
  /** Whether this is the `--NAME-file` of a text field. */
  readonly fromFile: boolean
}

/** Every name of every flag, short ones with their dash: `--priority`, `-p`, `--description-file`. */
export const flagNames = (flags: Flags): ReadonlyMap<string, FlagName> => {
  const names = new Map<string, FlagName>()
  for (const [flag, spec] of Object.entries(flags)) {
    for (const name of [flag, ...(spec.aliases ?? [])]) {
      names.set(`--${name}`, { flag, spec, fromFile: false })
      if (spec.kind === "prose") names.set(`--${name}-file`, { flag, spec, fromFile: true })
    }
    if (spec.short !== undefined) names.set(`-${spec.short}`, { flag, spec, fromFile: false })
  }
  return names
}
