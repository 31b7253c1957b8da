/**
 * Asks git, read only, where two lines of one issue come from (G22): the version of the issue file that the two sides
 * of the merge under way, or of the last merge, descend from.
 *
 * Asked only when an id stands twice in the file, so no ordinary command starts a git process for it. Where there is no
 * answer (no git, no repository, no common ancestor) there is none; that is not an error.
 */
import { execFile } from "node:child_process"
import { basename, dirname } from "node:path"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"

export class GitHistory extends Context.Tag("effect-beads/GitHistory")<
  GitHistory,
  {
    /** The bytes of the issue file in the merge base. */
    readonly mergeBase: Effect.Effect<Option.Option<Uint8Array>>
  }
>() {}

/** Bytes that git may answer with; an issue file beyond is read without its merge base. */
const maxAnswer = 1 << 30

const git = (directory: string, args: ReadonlyArray<string>): Effect.Effect<Option.Option<Buffer>> =>
  Effect.async(resume => {
    const child = execFile(
      "git",
      ["-C", directory, ...args],
      // a question must not refresh the index under a git that is at work
      { encoding: "buffer", maxBuffer: maxAnswer, env: { ...process.env, GIT_OPTIONAL_LOCKS: "0" } },
      (error, stdout) => resume(Effect.succeed(error === null ? Option.some(stdout) : Option.none()))
    )
    return Effect.sync(() => void child.kill())
  })

export const make = (path: string): GitHistory["Type"] => {
  const directory = dirname(path)
  const ask = (...args: ReadonlyArray<string>) =>
    git(directory, args).pipe(Effect.map(Option.map(answer => answer.toString("utf8").trim().split(/\s+/)[0] ?? "")))
  const commit = (name: string) => ask("rev-parse", "--quiet", "--verify", `${name}^{commit}`)

  const base = Effect.gen(function* () {
    const merging = yield* commit("MERGE_HEAD")
    if (Option.isSome(merging)) return yield* ask("merge-base", "HEAD", merging.value)
    for (const picked of ["REBASE_HEAD", "CHERRY_PICK_HEAD"]) {
      const parent = yield* commit(`${picked}^`)
      if (Option.isSome(parent)) return parent
    }
    const reverting = yield* commit("REVERT_HEAD")
    if (Option.isSome(reverting)) return reverting
    const merge = yield* ask("rev-list", "--merges", "--full-history", "-1", "HEAD", "--", basename(path))
    if (Option.isNone(merge) || merge.value === "") return Option.none()
    return yield* ask("merge-base", `${merge.value}^1`, `${merge.value}^2`)
  })

  return {
    mergeBase: Effect.gen(function* () {
      const found = yield* base
      if (Option.isNone(found) || found.value === "") return Option.none()
      return yield* git(directory, ["show", `${found.value}:./${basename(path)}`])
    })
  }
}

/** `path`: the issue file, links resolved. */
export const layer = (path: string): Layer.Layer<GitHistory> => Layer.succeed(GitHistory, make(path))

/** For places without git: there is never an answer. */
export const layerNone: Layer.Layer<GitHistory> = Layer.succeed(GitHistory, {
  mergeBase: Effect.succeed(Option.none())
})
