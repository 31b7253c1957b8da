/**
 * What stands for `effect/Schema` in the program: the errors of this project and of Effect's platform, which are made
 * there and never decoded, and what `@effect/cli` does with the words that `Argv` has checked, which is nothing. The
 * module itself, with all that it needs, is a tenth of a command's start. The library has the real one.
 *
 * A name that is missing here fails the build.
 */
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"

/** A schema of which nothing is asked. */
const schema = {}

const made = () => schema

export {
  made as Array,
  made as compose,
  made as Literal,
  made as optional,
  made as UndefinedOr,
  made as Union,
  schema as Boolean,
  schema as Date,
  schema as Defect,
  schema as Int,
  schema as Number,
  schema as NumberFromString,
  schema as String
}

/** An error class: its fields are described, and not looked at. */
export const TaggedError = () => (tag: string, _fields: unknown) => Data.TaggedError(tag)

/** Words are text, and stay what they are. */
export const decodeUnknown = () => Effect.succeed

/** Whether a word says yes or no: `Argv` has read those. */
export const is = () => () => false
