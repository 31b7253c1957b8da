/** A file that the user named, to write to. */
import * as FileSystem from "@effect/platform/FileSystem"
import * as Path from "@effect/platform/Path"
import * as Effect from "effect/Effect"
import { FileUnusable } from "./CliError.ts"

/** As many links as the system follows. */
const mostLinks = 40

/** A path with links resolved, as far as it exists. What a link to nothing names is where a write would go. */
export const real = Effect.fnUntraced(function* (file: string) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  let at = file
  for (let links = 0; links <= mostLinks; links++) {
    const found = yield* Effect.option(fs.realPath(at))
    if (found._tag === "Some") return found.value
    const directory = yield* Effect.orElseSucceed(fs.realPath(path.dirname(at)), () => path.dirname(at))
    at = path.join(directory, path.basename(at))
    const target = yield* Effect.option(fs.readLink(at))
    if (target._tag === "None") return at
    at = path.resolve(directory, target.value)
  }
  return at
})

export const write = Effect.fnUntraced(function* (file: string, content: Uint8Array) {
  const fs = yield* FileSystem.FileSystem
  yield* fs
    .writeFile(file, content)
    .pipe(Effect.mapError(cause => new FileUnusable({ path: file, detail: "it cannot be written", cause })))
})
