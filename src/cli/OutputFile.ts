/** A file that the user named, to write to. */
import * as FileSystem from "@effect/platform/FileSystem"
import * as Path from "@effect/platform/Path"
import * as Effect from "effect/Effect"
import { FileUnusable } from "./CliError.ts"

/** A path with links resolved, as far as it exists. */
export const real = Effect.fnUntraced(function* (file: string) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const directory = yield* Effect.orElseSucceed(fs.realPath(path.dirname(file)), () => path.dirname(file))
  return yield* Effect.orElseSucceed(fs.realPath(file), () => path.join(directory, path.basename(file)))
})

export const write = Effect.fnUntraced(function* (file: string, content: Uint8Array) {
  const fs = yield* FileSystem.FileSystem
  yield* fs
    .writeFile(file, content)
    .pipe(Effect.mapError(cause => new FileUnusable({ path: file, detail: "it cannot be written", cause })))
})
