/**
 * `.beads/config.yaml`: settings of the repository, committed. Flat `key: value` lines; what else stands in the file is
 * left as it is.
 */
import * as Path from "@effect/platform/Path"
import * as Effect from "effect/Effect"
import { FileUnusable } from "./CliError.ts"
import * as SmallFile from "./SmallFile.ts"

/** The key of the prefix of new ids. */
export const prefixKey = "issue-prefix"

const entry = /^([A-Za-z][\w.-]*)[ \t]*:[ \t]*(.*)$/

/** Whether settings can have this name. */
export const isKey = (key: string): boolean => /^[A-Za-z][\w.-]*$/.test(key)

/** What stands between double quotes: JSON's escapes, which are YAML's too; what is none stands for itself. */
const unquoted = (text: string): string => {
  try {
    return String(JSON.parse(`"${text}"`))
  } catch {
    return text.replace(/\\(.)/g, "$1")
  }
}

const plainValue = (text: string): string => {
  const quoted = /^(?:"((?:[^"\\]|\\.)*)"|'((?:[^']|'')*)')[ \t]*(?:#.*)?$/.exec(text)
  if (quoted?.[1] !== undefined) return unquoted(quoted[1])
  if (quoted?.[2] !== undefined) return quoted[2].replaceAll("''", "'")
  return text.replace(/(?:^|[ \t]+)#.*$/, "").trim()
}

/** The settings of a file's text; of a key that stands twice the last counts. */
export const read = (text: string): ReadonlyMap<string, string> => {
  const settings = new Map<string, string>()
  for (const line of text.split(/\r?\n/)) {
    const match = entry.exec(line)
    if (match?.[1] !== undefined) settings.set(match[1], plainValue(match[2] ?? ""))
  }
  return settings
}

/** The text with a setting changed in place, or added at the end. */
export const set = (text: string, key: string, value: string): string => {
  const line = `${key}: ${JSON.stringify(value)}`
  const lines = text.split("\n")
  const at = lines.findLastIndex(existing => entry.exec(existing)?.[1] === key)
  if (at !== -1) return lines.with(at, line).join("\n")
  return `${text}${text === "" || text.endsWith("\n") ? "" : "\n"}${line}\n`
}

/** The text without a setting. */
export const unset = (text: string, key: string): string =>
  text
    .split("\n")
    .filter(line => entry.exec(line)?.[1] !== key)
    .join("\n")

const pathIn = (directory: string) => Effect.map(Path.Path, path => path.join(directory, "config.yaml"))

/** The settings of a `.beads`; none if there is no such file. */
export const load = Effect.fn("ConfigFile.load")(function* (directory: string) {
  const bytes = yield* Effect.orElseSucceed(SmallFile.read(yield* pathIn(directory)), () => undefined)
  return read(SmallFile.text(bytes))
})

/** Changes the settings of a `.beads`; the file is replaced in one step. What changes nothing writes nothing. */
export const change = Effect.fn("ConfigFile.change")(function* (directory: string, edit: (text: string) => string) {
  const file = yield* pathIn(directory)
  const text = SmallFile.text(yield* SmallFile.readOwn(file))
  const edited = edit(text)
  if (edited === text) return
  yield* SmallFile.replace(file, edited).pipe(
    Effect.mapError(cause => new FileUnusable({ path: file, detail: cause.message, cause }))
  )
})
