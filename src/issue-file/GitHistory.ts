/**
 * Asks git, read only, where two lines of one issue come from (G22): the version of the issue file that the two sides
 * of the merge under way, or of the merge that put them side by side, descend from.
 *
 * Asked only when an id stands twice in the file, so no ordinary command starts a git process for it. Where there is no
 * answer (no git, no repository, no common ancestor, lines that came together by a rebase, a cherry-pick or a stash)
 * there is none; that is not an error. A merge is believed only if its own file holds the lines and none of its parents
 * holds them all: with the base of another merge, what has happened since would look like edits of both sides, and the
 * older would win.
 */
import { execFile } from "node:child_process"
import { basename, dirname } from "node:path"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as IssueLines from "./IssueLines.ts"

/** The different lines of each id that has more than one. */
export type Doubled = ReadonlyMap<string, ReadonlyArray<string>>

export class GitHistory extends Context.Tag("effect-beads/GitHistory")<
  GitHistory,
  {
    /**
     * The lines that issues descend from, by id, as far as git knows. `doubled`: the lines that stand side by side in
     * the issue file now, by id.
     */
    readonly ancestors: (doubled: Doubled) => Effect.Effect<ReadonlyMap<string, string>>
  }
>() {}

/** Bytes that git may answer with; an issue file beyond is read without its merge base. */
const maxAnswer = 1 << 30

/** Merges that are looked through, the latest first, for the one that put lines side by side. */
const maxMerges = 32

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

  /** The issue file in a commit. */
  const show = (at: string) => git(directory, ["show", `${at}:./${basename(path)}`])

  /** Its lines; of no commit and no file, none. */
  const linesAt = (at: string) =>
    Effect.map(show(at), bytes => new Set(Option.isNone(bytes) ? [] : bytes.value.toString("utf8").split(/\r?\n/)))

  /** Its line of each id that stands there once. */
  const versionsAt = (at: string) =>
    Effect.map(show(at), bytes => {
      const found = new Map<string, ReadonlyArray<string>>()
      for (const { id, text } of Option.isNone(bytes) ? [] : IssueLines.read(bytes.value).lines) {
        found.set(id, [...(found.get(id) ?? []), text])
      }
      return new Map([...found].flatMap(([id, texts]) => (texts.length === 1 ? [[id, texts[0] ?? ""] as const] : [])))
    })

  const holds = (lines: ReadonlySet<string>, texts: ReadonlyArray<string>) => texts.every(text => lines.has(text))

  /** Where the sides of the merge, rebase, … that has stopped half-way come from. */
  const baseUnderWay = Effect.gen(function* () {
    const merging = yield* commit("MERGE_HEAD")
    if (Option.isSome(merging)) return yield* ask("merge-base", "HEAD", merging.value)
    for (const picked of ["REBASE_HEAD", "CHERRY_PICK_HEAD"]) {
      const parent = yield* commit(`${picked}^`)
      if (Option.isSome(parent)) return parent
    }
    return yield* commit("REVERT_HEAD")
  })

  const ancestors = Effect.fnUntraced(function* (doubled: Doubled) {
    const found = new Map<string, string>()
    const open = new Map(doubled)
    /** Settles the open ids that `came` is true of, by their lines in the commit `base`. */
    const settle = Effect.fnUntraced(function* (
      base: Option.Option<string>,
      came: (texts: ReadonlyArray<string>) => boolean
    ) {
      const ids = [...open].filter(([, texts]) => came(texts)).map(([id]) => id)
      if (ids.length === 0) return
      const versions =
        Option.isSome(base) && base.value !== "" ? yield* versionsAt(base.value) : new Map<string, string>()
      for (const id of ids) {
        open.delete(id)
        const version = versions.get(id)
        if (version !== undefined) found.set(id, version)
      }
    })

    const underWay = yield* baseUnderWay
    if (Option.isSome(underWay)) {
      const head = yield* linesAt("HEAD")
      yield* settle(underWay, texts => !holds(head, texts))
    }
    if (open.size === 0) return found
    const merges = yield* git(directory, [
      ...["rev-list", "--merges", "--full-history", "--parents", `--max-count=${maxMerges}`, "HEAD"],
      ...["--", basename(path)]
    ])
    for (const merge of Option.isNone(merges) ? [] : merges.value.toString("utf8").split("\n")) {
      const [result = "", ...parents] = merge.split(" ")
      if (parents.length === 0 || open.size === 0) continue
      const merged = yield* linesAt(result)
      if (![...open.values()].some(texts => holds(merged, texts))) continue
      const sides = yield* Effect.forEach(parents, linesAt)
      yield* settle(
        yield* ask("merge-base", "--octopus", ...parents),
        texts => holds(merged, texts) && !sides.some(side => holds(side, texts))
      )
    }
    return found
  })

  return { ancestors: doubled => (doubled.size === 0 ? Effect.succeed(new Map()) : ancestors(doubled)) }
}

/** `path`: the issue file, links resolved. */
export const layer = (path: string): Layer.Layer<GitHistory> => Layer.succeed(GitHistory, make(path))

/** For places without git: there is never an answer. */
export const layerNone: Layer.Layer<GitHistory> = Layer.succeed(GitHistory, {
  ancestors: () => Effect.succeed(new Map())
})
