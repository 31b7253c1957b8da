/**
 * The variables of the environment. A service, so that tests can have their own; a plain one, since each variable that is
 * asked for by `Config` takes as long as reading a file.
 */
import * as Context from "effect/Context"

export type Variables = Readonly<Record<string, string | undefined>>

export class Environment extends Context.Tag("effect-beads/cli/Environment")<Environment, Variables>() {}

/** What a variable says; one that is set to nothing says nothing. */
export const variable = (variables: Variables, name: string): string | undefined => variables[name] || undefined
